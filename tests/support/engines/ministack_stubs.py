"""Starts ministack with stand-ins for resource types that its CloudFormation does not know; run by ministack's Python.

The argument is a JSON object. `types`: type -> {"prefix": of the physical id, "attributes": those that GetAtt may ask
for}. `images`: names of AWS's public parameters that hold a machine image, which ministack lacks.
Without a stand-in ministack refuses a template that has such a type, before it makes anything. A stand-in for a type
that ministack knows is refused here: it would hide the real thing.
"""

import importlib
import json
import sys
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

Made = tuple[str, dict[str, str]]


def stand_in(prefix: str, attributes: list[str]) -> dict[str, Callable[..., Any]]:
    """The handlers of a resource that is only remembered; its id and attributes follow from where it stands."""

    def create(logical_id: str, properties: Mapping[str, Any], stack_name: str) -> Made:
        unresolved = [word for word in ("Fn::", '"Ref"') if word in json.dumps(properties)]
        if unresolved:
            raise ValueError(f"{logical_id} of {stack_name} came with {unresolved} unresolved")
        physical_id = f"{prefix}{sha256(f'{stack_name}/{logical_id}'.encode()).hexdigest()[:17]}"
        return physical_id, {name: f"{physical_id}-{name.lower()}" for name in attributes}

    def update(
        physical_id: str, _old: Mapping[str, Any], properties: Mapping[str, Any], stack_name: str, logical_id: str
    ) -> Made:
        _, made = create(logical_id, properties, stack_name)
        return physical_id, made

    def delete(_physical_id: str, _properties: Mapping[str, Any]) -> None:
        """Nothing was made."""

    return {"create": create, "update": update, "update_with_logical_id": True, "delete": delete}  # type: ignore[dict-item]


def main() -> None:
    handlers: dict[str, Any] = importlib.import_module(
        "ministack.services.cloudformation.provisioners"
    )._RESOURCE_HANDLERS
    told = json.loads(sys.argv.pop())
    stubs = told["types"]
    known = sorted(stubs.keys() & handlers.keys())
    if known:
        sys.exit(f"ministack knows {', '.join(known)}: take them out of the stubbed types")
    for name, stub in stubs.items():
        handlers[name] = stand_in(stub["prefix"], stub["attributes"])
    public = importlib.import_module("ministack.services.ssm")._PUBLIC_AMI_PARAMETERS
    public.update(dict.fromkeys(told["images"], next(iter(public.values()))))
    importlib.import_module("ministack.app").main()


if __name__ == "__main__":
    main()

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


def chosen(real: dict[str, Any], stub: dict[str, Any], only_with: str) -> dict[str, Any]:
    """ministack's own handlers, but for resources with that property. All updates take the logical id, as both do."""

    def create(logical_id: str, properties: Mapping[str, Any], stack_name: str) -> Made:
        made: Made = (stub if only_with in properties else real)["create"](logical_id, properties, stack_name)
        return made

    def update(
        physical_id: str, old: Mapping[str, Any], properties: Mapping[str, Any], stack_name: str, logical_id: str
    ) -> Made:
        by = stub if only_with in properties else real
        made: Made = by["update"](physical_id, old, properties, stack_name, logical_id)
        return made

    def delete(physical_id: str, properties: Mapping[str, Any]) -> None:
        (stub if only_with in properties else real)["delete"](physical_id, properties)

    if not real["update_with_logical_id"]:
        raise ValueError("ministack's update takes no logical id: give it one here")
    return {"create": create, "update": update, "update_with_logical_id": True, "delete": delete}


def main() -> None:
    handlers: dict[str, Any] = importlib.import_module(
        "ministack.services.cloudformation.provisioners"
    )._RESOURCE_HANDLERS
    told = json.loads(sys.argv.pop())
    stubs = told["types"]
    known = sorted(name for name, stub in stubs.items() if name in handlers and not stub["only_with"])
    if known:
        sys.exit(f"ministack knows {', '.join(known)}: take them out of the stubbed types")
    for name, stub in stubs.items():
        made = stand_in(stub["prefix"], stub["attributes"])
        # KeyError: nothing to fall back on, since ministack does not know the type at all.
        handlers[name] = chosen(handlers[name], made, stub["only_with"]) if stub["only_with"] else made
    public = importlib.import_module("ministack.services.ssm")._PUBLIC_AMI_PARAMETERS
    public.update(dict.fromkeys(told["images"], next(iter(public.values()))))
    importlib.import_module("ministack.app").main()


if __name__ == "__main__":
    main()

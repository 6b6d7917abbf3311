"""The JSON Schema of edgemind.yaml, and what it says about single fields: suggestions and the reference use it."""

from copy import deepcopy
from functools import cache
from typing import Any

from edgemind.settings.findings import FieldPath
from edgemind.settings.root import Settings

Schema = dict[str, Any]
_INHERITED = ("default", "description", "examples", "unit")


def config_schema() -> Schema:
    """A JSON Schema (2020-12) that editors can complete and check edgemind.yaml with."""
    return deepcopy(_schema())


@cache
def _schema() -> Schema:
    generated = Settings.model_json_schema(by_alias=True)
    for part in (generated, *generated["$defs"].values()):
        part.pop("title", None)
        for node in part.get("properties", {}).values():
            node.pop("title", None)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "edgemind.yaml",
        **generated,
    }


def resolved(node: Schema) -> Schema:
    """A schema node with its reference followed and `or null` taken away; what stands beside a reference wins."""
    options = [option for option in node.get("anyOf", ()) if option.get("type") != "null"]
    if options:
        return {**resolved(options[0]), **{name: node[name] for name in _INHERITED if name in node}}
    if "$ref" in node:
        target = _schema()["$defs"][node["$ref"].rpartition("/")[2]]
        return {**resolved(target), **{name: value for name, value in node.items() if name != "$ref"}}
    return node


def field_schema(path: FieldPath) -> Schema:
    """What the schema says about one place in the document; {} where it says nothing."""
    node = resolved(_schema())
    for part in path:
        if isinstance(part, int):
            following = node.get("items", {})
        else:
            following = node.get("properties", {}).get(part) or node.get("additionalProperties")
        node = resolved(following) if isinstance(following, dict) else {}
    return node


def known_keys(path: FieldPath) -> tuple[str, ...]:
    """The keys a mapping at this place may have; () if it may have any."""
    return tuple(field_schema(path).get("properties", ()))

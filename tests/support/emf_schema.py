"""What CloudWatch takes as embedded metric format, by its specification, and the rules that no schema can say."""

from typing import Any

UNITS = {
    "Seconds", "Microseconds", "Milliseconds", "Bytes", "Kilobytes", "Megabytes", "Percent", "Count", "Count/Second",
    "Bytes/Second", "None",
}  # fmt: skip
DIMENSIONS_LIMIT, METRICS_LIMIT, VALUES_LIMIT = 30, 100, 100

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["_aws"],
    "properties": {
        "_aws": {
            "type": "object",
            "required": ["Timestamp", "CloudWatchMetrics"],
            "properties": {
                "Timestamp": {"type": "integer", "minimum": 1},
                "CloudWatchMetrics": {
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        "type": "object",
                        "required": ["Namespace", "Dimensions", "Metrics"],
                        "additionalProperties": False,
                        "properties": {
                            "Namespace": {"type": "string", "minLength": 1, "maxLength": 1024},
                            "Dimensions": {
                                "type": "array",
                                "minItems": 1,
                                "items": {
                                    "type": "array",
                                    "maxItems": DIMENSIONS_LIMIT,
                                    "items": {"type": "string", "minLength": 1, "maxLength": 250},
                                },
                            },
                            "Metrics": {
                                "type": "array",
                                "minItems": 1,
                                "maxItems": METRICS_LIMIT,
                                "items": {
                                    "type": "object",
                                    "required": ["Name"],
                                    "additionalProperties": False,
                                    "properties": {
                                        "Name": {"type": "string", "minLength": 1, "maxLength": 1024},
                                        "Unit": {"enum": sorted(UNITS)},
                                        "StorageResolution": {"enum": [1, 60]},
                                    },
                                },
                            },
                        },
                    },
                },
            },
        }
    },
}


def complaints(document: dict[str, Any]) -> list[str]:
    """What CloudWatch would leave out without a word: names that the document lacks, or values that are no numbers."""
    found = []
    for directive in document["_aws"]["CloudWatchMetrics"]:
        names = [name for dimensions in directive["Dimensions"] for name in dimensions]
        found += [f"no dimension {name}" for name in names if not isinstance(document.get(name), str)]
        for metric in directive["Metrics"]:
            value = document.get(metric["Name"])
            numbers = value if isinstance(value, list) else [value]
            if not numbers or len(numbers) > VALUES_LIMIT or not all(type(one) in (int, float) for one in numbers):
                found.append(f"{metric['Name']} is {value!r}")
    return found

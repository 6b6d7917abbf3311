"""What a model proposed, from the JSON in its answer. Nothing is corrected here: guard rails are the controller's."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from agents.advisor.models import ModelFailed
from edgemind.domain.wire import is_number

NONE = "none"
PERCENTS = (-50, -30, -20, -10, 10, 20, 30, 50)
"""A small model takes zero if it may."""
PERCENT_LIMIT = 1000
"""More than any guard rail lets pass, and little enough to reckon with."""
REASON_LIMIT = 200
"""Shorter than what a controller takes: a small model repeats itself."""
_SETTING_LIMIT = 200


@dataclass(frozen=True, slots=True)
class ModelsProposal:
    """One setting, by so many percent."""

    setting: str
    percent: float
    reason: str

    def body(self, settings: Mapping[str, Mapping[str, Any]]) -> dict[str, object]:
        """What is posted to the fleet. For a setting that it does not tell, the percent are the value: it will say that
        nobody may change it."""
        known = settings.get(self.setting)
        value = self.percent
        if known is not None:
            value = known["standing"] * (1 + self.percent / 100)
            value = float(round(value)) if known.get("whole") else float(f"{value:.4g}")
        return {"changes": [{"field": self.setting, "to": value}], "reason": self.reason}


def schema_of(settings: Mapping[str, object]) -> dict[str, Any]:
    """For servers that hold a model to a JSON schema."""
    return {
        "type": "object",
        "properties": {
            "setting": {"type": "string", "enum": [*settings, NONE]},
            "percent": {"type": "integer", "enum": list(PERCENTS)},
            "reason": {"type": "string", "minLength": 1, "maxLength": REASON_LIMIT},
        },
        "required": ["setting", "percent", "reason"],
        "additionalProperties": False,
    }


def read_proposal(text: str) -> ModelsProposal | None:
    """The first JSON object in the answer; None if it proposes nothing. ModelFailed if there is none of that shape."""
    document = _first_object(text)
    setting, percent, reason = document.get("setting"), document.get("percent"), document.get("reason")
    if setting in (NONE, "", None) or percent == 0:
        return None
    if not isinstance(setting, str) or not _is_percent(percent) or not isinstance(reason, str) or not reason.strip():
        raise ModelFailed("the model's proposal is not of the shape that it was asked for: nothing is proposed")
    return ModelsProposal(setting[:_SETTING_LIMIT], float(percent), reason.strip()[:REASON_LIMIT])


def _is_percent(value: object) -> TypeGuard[int | float]:
    return is_number(value) and abs(value) <= PERCENT_LIMIT


def _first_object(text: str) -> dict[str, Any]:
    start = text.find("{")
    try:
        document, _ = json.JSONDecoder().raw_decode(text[start:]) if start >= 0 else (None, 0)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise ModelFailed("the model answered without the JSON that it was asked for, or was cut off in it")
    return document

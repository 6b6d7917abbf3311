"""`edgemind rounds replay`: what came out then, and what comes out now."""

from collections.abc import Sequence
from typing import Any

from edgemind.domain.swarm.history import RoundRecord
from edgemind.domain.swarm.replay import Check


def replay_text(record: RoundRecord, checks: Sequence[Check]) -> str:
    """Agreement, or the first difference."""
    lines = [f"{_mark(check)}  {check.what}" for check in checks]
    differing = [check for check in checks if not check.agrees]
    unknown = sum(check.replayed is None for check in checks)
    if differing:
        first = differing[0]
        lines += [
            "",
            f"round {record.fence} does not replay: {first.what} differs first",
            f"  recorded  {first.recorded}",
            f"  replayed  {first.replayed}",
        ]
    elif unknown == len(checks):
        lines += ["", f"nothing of round {record.fence} can be replayed: {record.site} only learned its outcome"]
    else:
        some = f"; {unknown} not recorded where this was kept" if unknown else ""
        lines += ["", f"round {record.fence} replays: {len(checks) - unknown} of {len(checks)} agree{some}"]
    return "\n".join(lines).lstrip("\n")


def replay_document(record: RoundRecord, checks: Sequence[Check]) -> dict[str, Any]:
    return {
        "fence": str(record.fence),
        "agrees": all(check.agrees for check in checks),
        "checks": [
            {"what": one.what, "agrees": one.agrees, "recorded": one.recorded, "replayed": one.replayed}
            for one in checks
        ],
    }


def _mark(check: Check) -> str:
    if check.replayed is None:
        return "not recorded"
    return "same        " if check.agrees else "DIFFERENT   "

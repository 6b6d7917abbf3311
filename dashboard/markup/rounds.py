"""What the swarm decided lately: one row a round."""

from collections.abc import Sequence
from datetime import datetime, tzinfo

from dashboard.markup.elements import Heading, Html, joined, quiet, span, table, tag, text
from dashboard.wording import NOTHING, milliseconds
from edgemind.domain.swarm.summaries import RoundSummary

_HEADINGS = (
    Heading("Round"),
    Heading("Breach"),
    Heading("Outcome"),
    Heading("Decided", numeric=True),
    Heading("Ballots", numeric=True),
    Heading("Coordinator"),
    Heading("Effects"),
)


def round_table(rounds: Sequence[RoundSummary], zone: tzinfo) -> Html:
    """`zone` is the reader's."""
    return table("Rounds of the swarm", _HEADINGS, (_row(one, zone) for one in rounds), "em-rounds")


def _row(one: RoundSummary, zone: tzinfo) -> dict[str, Html]:
    at = datetime.fromtimestamp(one.at_ms / 1000.0, zone)
    failed = one.timed_out or one.outcome is None
    told = span("em-bad", text(one.told)) if failed else text(one.told)
    counted = NOTHING if one.ballots is None else f"{one.ballots}/{one.voters}"
    breach = f"{one.model} at {one.breached}" if one.breached and one.model else one.breached or one.model or NOTHING
    return {
        "Round": joined([text(one.fence), quiet(f"{at:%H:%M:%S}")], " "),
        "Breach": text(breach),
        "Outcome": told,
        "Decided": text(milliseconds(one.decided_ms)),
        "Ballots": text(counted),
        "Coordinator": text(one.coordinator or NOTHING),
        "Effects": joined((_effect(effect.site, effect.state, effect.what) for effect in one.effects), ", "),
    }


def _effect(site: str, state: str, what: str) -> Html:
    """What was done stands in a tooltip: the row is to be read at a glance."""
    said = text(f"{site} {state}")
    return tag("span", span("em-bad", said) if state in {"failed", "refused"} else said, title=what)

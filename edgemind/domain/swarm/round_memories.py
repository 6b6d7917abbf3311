"""What a site remembers of a round once it is over: each thing by one site only, the one that knows it best."""

from edgemind.domain.agent_memory import Memory, MemoryKind, identity_of
from edgemind.domain.swarm.history import EffectReport, RoundRecord
from edgemind.domain.swarm.wording import outcome_words
from edgemind.domain.wire import LONG_TEXT_LIMIT


def memories_of_round(record: RoundRecord, by: str) -> list[Memory]:
    """Of a record that has an outcome, or ended without one.

    The site in trouble remembers that its breach woke the swarm, the coordinator what was decided (without one, the
    site in trouble), and each site what it did about it. `by` says who tells it.
    """
    breached = record.breached == record.site
    told = [(MemoryKind.ACTIVATION, _activation(record))] if breached else []
    if record.coordinated or (record.outcome is None and breached):
        told.append((MemoryKind.OUTCOME, _outcome(record)))
    told += [(MemoryKind.EFFECT, _effect(record, effect)) for effect in record.effects if effect.site == record.site]
    return [_memory(record, kind, text[:LONG_TEXT_LIMIT], by) for kind, text in told]


def _memory(record: RoundRecord, kind: MemoryKind, text: str, by: str) -> Memory:
    fence = str(record.fence)
    identity = identity_of(record.metro, fence, record.site, kind, text)
    return Memory(identity, kind, record.at_ms, record.site, text, fence, by)


def _activation(record: RoundRecord) -> str:
    measured = ", ".join(f"{name.replace('_', ' ')} {value:.3g}" for name, value in sorted(record.measured.items()))
    about = f" for {record.model}" if record.model else ""
    seen = f" ({measured})" if measured else ""
    return f"{record.site} was about to miss its targets{about}{seen}: round {record.fence}."


def _outcome(record: RoundRecord) -> str:
    told = f"Round {record.fence}: {outcome_words(record.outcome, record.ended)}"
    if record.decided_ms is None:
        return f"{told}."
    counted = f"{len(record.voters)} of {len(record.roster)}"
    return f"{told}, decided in {record.decided_ms:.0f} ms by {counted}, for a breach at {record.breached or 'a site'}."


def _effect(record: RoundRecord, effect: EffectReport) -> str:
    why = f" ({effect.why})" if effect.why else ""
    return f"Round {record.fence}: {effect.what} at {effect.site}, {effect.state}{why}."

"""What a site remembers of a round once it is over: each thing by one site only, the one that knows it best."""

from edgemind.domain.agent_memory import Memory, MemoryKind
from edgemind.domain.swarm.history import EffectReport, RoundRecord
from edgemind.domain.swarm.wording import outcome_words


def memories_of_round(record: RoundRecord, by: str) -> list[Memory]:
    """Of a record that has an outcome, or ended without one.

    The site in trouble remembers that its breach woke the swarm, the coordinator what was decided (without one, the
    site in trouble), and each site what it did about it. `by` says who tells it.
    """
    breached = record.breached == record.site
    told = [(MemoryKind.ACTIVATION, _activation(record))] if breached else []
    if record.coordinated or (record.outcome is None and breached):
        told.append((MemoryKind.OUTCOME, _outcome(record)))
    found = [_memory(record, kind, kind.value, text, by) for kind, text in told]
    return found + [
        _memory(record, MemoryKind.EFFECT, f"effect/{effect.what}/{effect.state}", _effect(record, effect), by)
        for effect in record.effects
        if effect.site == record.site
    ]


def _memory(record: RoundRecord, kind: MemoryKind, what: str, text: str, by: str) -> Memory:
    # The part after the fence may be as long as a candidate's name: what is over is of no use to tell two apart.
    identity = f"{record.metro}/{record.fence}/{record.site}/{what}"[:256]
    return Memory(identity, kind, record.at_ms, record.site, text, str(record.fence), by)


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

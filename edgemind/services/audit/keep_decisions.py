"""The controller's side: decisions that its gateways hand over go into the journal, each once."""

from edgemind.domain.audit.handed_over import HandedOver, kept_entry
from edgemind.ports.audit_journal import SiteAudit

RUNS_REMEMBERED = 256
"""Worker processes; each restart of a gateway is a new one."""


class DecisionKeeper:
    """Lives as long as the controller's process: a reload must not take a batch twice."""

    def __init__(self, site: str, journal: SiteAudit) -> None:
        self._site = site
        self._journal = journal
        self._taken: dict[str, int] = {}

    def take(self, handed: HandedOver) -> dict[str, object]:
        """The acknowledgement."""
        if handed.batch > self._taken.get(handed.run, 0):
            self._taken.pop(handed.run, None)
            self._taken[handed.run] = handed.batch
            if len(self._taken) > RUNS_REMEMBERED:
                del self._taken[next(iter(self._taken))]
            for kept in handed.decisions:
                self._journal.record(kept_entry(self._site, kept))
            if handed.lost_tagged or handed.lost_sampled:
                self._journal.lost(handed.lost_tagged, handed.lost_sampled)
        return {"run": handed.run, "batch": handed.batch}

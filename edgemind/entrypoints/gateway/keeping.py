"""Which of a worker's decisions its controller is asked to keep."""

import os

from edgemind.ports.clock import Clock
from edgemind.services.audit.hand_over import DecisionsToKeep
from edgemind.services.sync_gateway import WorkerIdentity
from edgemind.settings import Settings


def decisions_to_keep(identity: WorkerIdentity, settings: Settings, clock: Clock) -> DecisionsToKeep:
    """None of a site without a controller: there is nobody to hand them to."""
    audit = settings.audit
    enabled = audit.enabled and settings.declared(identity.site).controller is not None
    run = f"{os.getpid()}-{clock.wall_ms()}"
    return DecisionsToKeep(run, identity.site, audit.decision_sample_ratio, enabled=enabled)

"""The audit journals: a controller's own, a command's, and those on a disk to be read."""

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from edgemind.bootstrap.process import system_clock
from edgemind.bootstrap.stores import open_state_store
from edgemind.domain.audit.checkpoints import CheckpointKeys
from edgemind.errors import ConfigurationError
from edgemind.ports.state_store import StateStore
from edgemind.settings import Settings

if TYPE_CHECKING:
    from edgemind.adapters.audit_journal.reading import AnchorFile, JournalFiles
    from edgemind.adapters.audit_journal.segment_log import SegmentLog
    from edgemind.ports.audit_journal import SiteAudit

MIB = 1024 * 1024


def open_audit_journal(settings: Settings, site: str, store: StateStore) -> "SiteAudit":
    """The journal of a site's controller; its thread runs from here on."""
    # Imported here: gateways keep none.
    from edgemind.adapters.audit_journal.anchoring import Anchoring
    from edgemind.adapters.audit_journal.memory import NoAuditJournal
    from edgemind.adapters.audit_journal.segments import SegmentJournal

    audit = settings.audit
    if not audit.enabled:
        return NoAuditJournal()
    clock, files = system_clock(), _segment_log(settings, site)
    anchoring = Anchoring(store, audit.anchor_file, site, audit.anchor_interval_s, clock)
    return SegmentJournal(audit.directory / site, site, files, anchoring, clock)


def audit_files(directory: Path) -> "JournalFiles":
    """Journals to be read, whoever writes them."""
    from edgemind.adapters.audit_journal.reading import JournalFiles

    return JournalFiles(directory)


def checkpoint_keys(settings: Settings) -> CheckpointKeys:
    """Without any, where the fleet's secret was not read or there is none: then nothing is signed or anchored."""
    try:
        return CheckpointKeys(settings.access.site_tokens().secrets)
    except ConfigurationError:
        return CheckpointKeys(())


def open_command_journal(settings: Settings, name: str) -> "SiteAudit":
    """The journal of the commands on this host that write to the store themselves; close it to have it written."""
    return open_audit_journal(settings, name, open_state_store(settings))


def _segment_log(settings: Settings, site: str) -> "SegmentLog":
    from edgemind.adapters.audit_journal.segment_log import KeepRules, SegmentLog

    audit = settings.audit
    rules = KeepRules(round(audit.segment_mib * MIB), round(audit.keep_mib * MIB), audit.keep_days)
    return SegmentLog(audit.directory / site, site, checkpoint_keys(settings), rules, secrets.token_bytes)


def read_anchor_file(path: Path) -> "AnchorFile":
    """What `audit.anchor_file` holds."""
    from edgemind.adapters.audit_journal.reading import read_anchor_file

    return read_anchor_file(path)

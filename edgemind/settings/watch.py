"""Reload: notice that the configuration changed, and swap it whole or keep what is in force.

`reload_due` and `restart_needed` decide; `ConfigWatcher.check` does the file access around them. Call it about once a
second; it takes milliseconds when it loads, so an event loop that serves requests calls it in a thread.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from edgemind.domain.fleet import Engine
from edgemind.errors import ConfigurationError
from edgemind.settings.changes import changes
from edgemind.settings.loading import load_settings
from edgemind.settings.root import Settings
from edgemind.settings.sites import SiteSettings

Stamp = tuple[tuple[int, int, int] | None, ...]
"""For each file: time of change (ns), inode and size; None where there is no file. () before the first look."""


@dataclass(frozen=True, slots=True)
class Reload:
    """What a check led to. `settings` are in force now: the new ones, or the old ones when there is an `error`.

    `restart_needed` are changed fields that a running process cannot take up; everything else holds at once.
    """

    settings: Settings
    changed: tuple[str, ...] = ()
    restart_needed: tuple[str, ...] = ()
    error: str | None = None


def reload_due(loaded: Stamp, previous: Stamp, now: Stamp, poked: bool) -> bool:
    """Whether to load.

    A change counts once it has held still for one check: an editor may be half-way through writing, and half a file can
    be valid. A poke (somebody sent SIGHUP) is believed at once.
    """
    return poked or (now != loaded and now == previous)


def restart_needed(before: Settings, after: Settings, site: str | None = None) -> tuple[str, ...]:
    """Changed fields that only a restart takes up: where to listen, where state is kept, whether rounds are decided; of
    one `site`, or all."""
    whole = ("metro", "state", "aws", "memory", "audit", "telemetry", "metrics")
    found = [name for name in whole if getattr(before, name) != getattr(after, name)]
    found += ["swarm.enabled"] if before.swarm.enabled != after.swarm.enabled else []
    found += ["fleet.tls"] if before.access.tls != after.access.tls else []
    later = {item.name: item for item in after.sites}
    for old in before.sites:
        if site in (None, old.name):
            found += _restarts_of_site(old, later.get(old.name))
    return tuple(found)


def _restarts_of_site(old: SiteSettings, new: SiteSettings | None) -> list[str]:
    if new is None:
        return [f"sites[{old.name}]"]
    listeners = [name for name in ("gateway", "admin", "controller") if getattr(old, name) != getattr(new, name)]
    started, wanted = _started_models(old), _started_models(new)
    models = [f"models[{name}]" for name in {**started, **wanted} if started.get(name) != wanted.get(name)]
    return [f"sites[{old.name}].{part}" for part in (*listeners, *models)]


def _started_models(site: SiteSettings) -> dict[str, object]:
    """What the model servers that EdgeMind itself runs at a site were started with."""
    return {
        model.name: (model.engine, model.base_url, model.slots, model.service_ms, model.simulated)
        for model in site.models
        if model.engine is not Engine.EXTERNAL
    }


def stamp_files(paths: Iterable[Path]) -> Stamp:
    """Follows links, because an orchestrator swaps a link to replace a mounted file."""
    return tuple(_stamp(path) for path in paths)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size


class ConfigWatcher:
    """Keeps the settings in force for one file and the secret files it names. Not thread-safe: one caller at a time.

    `reload_failures` counts refused reloads since the start; `last_error` is the newest refusal while it stands.
    """

    def __init__(
        self,
        path: Path,
        current: Settings,
        site: str | None = None,
        load: Callable[[Path], Settings] = load_settings,
        stamp: Callable[[Iterable[Path]], Stamp] = stamp_files,
    ) -> None:
        self._path, self._site, self._load, self._stamp = path, site, load, stamp
        self.current = current
        self.reload_failures = 0
        self.last_error: str | None = None
        # () and not a look at the file: it may have changed since `current` was loaded; the first checks load it again.
        self._loaded: Stamp = ()
        self._previous: Stamp = ()
        self._poked = False

    def poke(self) -> None:
        """Load at the next check, changed or not. Safe to call from a signal handler."""
        self._poked = True

    def check(self) -> Reload | None:
        """Look once. None when there is nothing to say: nothing changed, or only the time of the file did."""
        now = self._stamp((self._path, *self.current.secret_files()))
        poked, self._poked = self._poked, False
        due = reload_due(self._loaded, self._previous, now, poked)
        self._previous = now
        if not due:
            return None
        self._loaded = now
        try:
            new = self._load(self._path)
        except ConfigurationError as exc:
            self.reload_failures += 1
            self.last_error = str(exc)
            return Reload(self.current, error=self.last_error)
        return self._swap(new, poked)

    def _swap(self, new: Settings, poked: bool) -> Reload | None:
        old, recovered = self.current, self.last_error is not None
        self.current, self.last_error = new, None
        # New secret files have other stamps; without them the next check would take them for a change.
        self._loaded = self._previous = (self._loaded[0], *self._stamp(new.secret_files()))
        changed = tuple(change.path for change in changes(old, new))
        if not (changed or poked or recovered):
            return None
        return Reload(new, changed, restart_needed(old, new, self._site))

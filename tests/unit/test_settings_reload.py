"""Reload swaps everything or nothing, believes a change only when it holds still, and says what needs a restart."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from edgemind.settings import ConfigWatcher, Reload, Settings, load_settings
from edgemind.settings.watch import Stamp, reload_due, restart_needed
from tests.unit.settings_example import EXAMPLE, SECRETS, write_example

OLD: Stamp = ((1, 1, 1),)
NEW: Stamp = ((2, 1, 1),)


class Site:
    """A watched folder whose clock is the test: every write gets the next stamp."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = write_example(folder)
        self.times = 0
        self.environ = dict(SECRETS)
        self.watcher = ConfigWatcher(self.path, self.load(self.path), load=self.load, stamp=self.stamp)
        while self.watcher._previous != self.watcher._loaded or not self.watcher._loaded:
            assert self.watcher.check() is None, "the first checks find what was loaded already"

    def load(self, path: Path) -> Settings:
        return load_settings(path, self.environ)

    def stamp(self, paths: Iterable[Path]) -> Stamp:
        return tuple((self.times, 0, path.stat().st_size) if path.exists() else None for path in paths)

    def write(self, *replacements: tuple[str, str]) -> None:
        text = EXAMPLE
        for old, new in replacements:
            text = text.replace(old, new)
        self.path.write_text(text, encoding="utf-8")
        self.times += 1

    def settled(self) -> Reload | None:
        assert self.watcher.check() is None, "a change is not believed at once"
        return self.watcher.check()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.mark.parametrize(
    ("loaded", "previous", "now", "poked", "due"),
    [
        (OLD, OLD, OLD, False, False),
        (OLD, OLD, OLD, True, True),
        (OLD, OLD, NEW, False, False),
        (OLD, NEW, NEW, False, True),
        ((), (), OLD, False, False),
        ((), OLD, OLD, False, True),
        (OLD, NEW, (None,), False, False),
        (OLD, (None,), (None,), False, True),
    ],
)
def test_when_to_load(loaded: Stamp, previous: Stamp, now: Stamp, poked: bool, due: bool) -> None:
    assert reload_due(loaded, previous, now, poked) is due


def test_a_change_is_taken_once_it_holds_still(site: Site) -> None:
    site.write(("drain_s: 2.5", "drain_s: 3"), ("burst: 1000", "burst: 9"))
    reload = site.settled()
    assert reload is not None
    assert reload.settings is site.watcher.current
    assert reload.settings.limits.drain_s == 3
    assert reload.changed == ("tenants[demo].burst", "limits.drain_s")
    assert (reload.restart_needed, reload.error) == ((), None)
    assert site.watcher.check() is None


def test_a_file_that_keeps_changing_is_not_read(site: Site) -> None:
    for number in range(5):
        site.write(("drain_s: 2.5", f"drain_s: {number}"))
        assert site.watcher.check() is None
    reload = site.watcher.check()
    assert reload is not None
    assert reload.settings.limits.drain_s == 4


def test_a_poke_is_believed_at_once_and_answered_even_if_nothing_changed(site: Site) -> None:
    site.watcher.poke()
    reload = site.watcher.check()
    assert reload is not None
    assert reload.changed == ()
    site.write(("drain_s: 2.5", "drain_s: 3"))
    site.watcher.poke()
    reload = site.watcher.check()
    assert reload is not None
    assert reload.changed == ("limits.drain_s",)


def test_a_refused_file_keeps_the_old_settings_and_is_reported_once(site: Site) -> None:
    before = site.watcher.current
    site.write(("drain_s: 2.5", "drain_s: -3"))
    reload = site.settled()
    assert reload is not None
    assert reload.settings is before is site.watcher.current
    assert reload.error is not None
    assert "limits.drain_s: is -3" in reload.error
    assert (site.watcher.reload_failures, site.watcher.last_error) == (1, reload.error)
    assert site.watcher.check() is None
    assert site.watcher.reload_failures == 1


def test_a_corrected_file_ends_the_error_even_if_it_is_the_old_one_again(site: Site) -> None:
    site.write(("drain_s: 2.5", "drain_s: -3"))
    site.settled()
    site.write()
    reload = site.settled()
    assert reload is not None
    assert (reload.changed, reload.error, site.watcher.last_error) == ((), None, None)
    assert site.watcher.reload_failures == 1, "a counter only goes up"


def test_a_deleted_file_keeps_the_old_settings(site: Site) -> None:
    before = site.watcher.current
    site.path.unlink()
    reload = site.settled()
    assert reload is not None
    assert reload.error is not None
    assert "no such file" in reload.error
    assert site.watcher.current is before


def test_a_touched_file_is_no_news(site: Site) -> None:
    site.write()
    assert site.settled() is None


def test_a_rotated_secret_is_a_change(site: Site) -> None:
    (site.folder / "fleet.secret").write_text("another-secret", encoding="utf-8")
    reload = site.settled()
    assert reload is not None
    assert reload.changed == ("fleet.secret",)
    assert reload.settings.access.secret is not None
    assert reload.settings.access.secret.reveal() == "another-secret"


def test_the_real_file_system_is_noticed_too(tmp_path: Path) -> None:
    path = write_example(tmp_path)
    watcher = ConfigWatcher(path, load_settings(path, SECRETS), load=lambda file: load_settings(file, SECRETS))
    assert [watcher.check() for _ in range(3)] == [None] * 3
    (tmp_path / "next.yaml").write_text(EXAMPLE.replace("drain_s: 2.5", "drain_s: 3.5"), encoding="utf-8")
    (tmp_path / "next.yaml").replace(path)
    assert watcher.check() is None
    reload = watcher.check()
    assert reload is not None
    assert reload.settings.limits.drain_s == 3.5


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("drain_s: 2.5", "drain_s: 3", ()),
        ("auth: keys", "auth: off", ()),
        ("gpu1:8000", "gpu2:8000", ()),
        ("metro: demo", "metro: other", ("metro",)),
        ("store: json", "store: memory", ("state",)),
        ("swarm: {", "swarm: {enabled: false, ", ("swarm.enabled",)),
        ("swarm: {", "swarm: {cooldown_ms: 7000, ", ()),
        ("127.0.0.1:8100", "127.0.0.1:9100", ("sites[site-a].gateway",)),
        ("127.0.0.1:8300", "127.0.0.1:9300", ("sites[site-a].admin",)),
        ("127.0.0.1:8200/", "127.0.0.1:9200/", ("sites[site-a].controller",)),
        ("127.0.0.1:8400", "127.0.0.1:9400", ("sites[site-a].models[simulated-detector]",)),
        ("name: site-a", "name: site-c", ("sites[site-a]",)),
    ],
)
def test_what_needs_a_restart(tmp_path: Path, old: str, new: str, expected: tuple[str, ...]) -> None:
    before = load_settings(write_example(tmp_path), SECRETS)
    after = load_settings(write_example(tmp_path, EXAMPLE.replace(old, new)), SECRETS)
    assert restart_needed(before, after) == expected
    assert restart_needed(before, after, "site-a") == expected
    elsewhere = restart_needed(before, after, "site-b")
    assert elsewhere == tuple(name for name in expected if not name.startswith("sites"))

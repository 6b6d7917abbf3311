"""Metros of versions N-1, N and N+1 decide their rounds; so do those that are upgraded, or set back, amid one."""

from itertools import product

import pytest

from edgemind.domain.swarm.pace import TARGET_MS
from edgemind.domain.swarm.records import Fence
from tests.support.swarm_versions import VersionedScene

A, B, C = "site-00", "site-01", "site-02"
FIRST, SECOND, THIRD = (Fence(1, number) for number in (1, 2, 3))
MIXES = [mix for mix in product(("N-1", "N", "N+1"), repeat=3) if len(set(mix)) > 1]


@pytest.mark.parametrize("mix", MIXES, ids=" ".join)
def test_every_mix_of_versions_decides_in_time(mix: tuple[str, ...]) -> None:
    """Whoever opens, and so whoever writes the round."""
    scene = VersionedScene(3, 1)
    scene.versions = dict(zip(scene.sites, mix, strict=True))
    for number, site in enumerate(scene.sites):
        scene.breach(site, 10_000.0 * number)
    scene.play()
    assert scene.outcomes.keys() == {FIRST, SECOND, THIRD}
    assert not any(outcome.timed_out for outcome in scene.outcomes.values())
    assert all(scene.decided_ms(fence) % 10_000 < TARGET_MS for fence in scene.outcomes)
    assert all(scene.knows(fence) == set(scene.sites) for fence in scene.outcomes)
    assert scene.unread == 0


def test_one_site_of_the_version_before_among_many() -> None:
    scene = VersionedScene(10, 2)
    scene.versions[B] = "N-1"
    scene.breach(A, 0)
    scene.breach(B, 10_000)
    scene.play()
    assert [outcome.timed_out for outcome in scene.outcomes.values()] == [False, False]
    assert scene.knows(SECOND) == set(scene.sites)


def test_nothing_may_be_added_to_what_a_candidate_is_before_every_site_reads_it() -> None:
    """A site that drops a part of it ranks, and learns, other candidates: its ballot does not count, the others decide
    in time without it, and what it takes for the outcome is not what was decided. So readers come a version first.
    """
    scene = VersionedScene(3, 1, lacks={"model"})
    scene.versions[C] = "N-1"
    scene.breach(A, 0)
    scene.clock.run((), lambda _: None)
    assert not scene.outcomes[FIRST].timed_out
    assert set(scene.table._store.read_current().voters) == {A, B}
    assert scene.decided_ms(FIRST) < TARGET_MS
    assert scene.table.audit.violations == ["agreement: 1.1 has two outcomes"]


@pytest.mark.parametrize("way", [("N", "N+1"), ("N+1", "N"), ("N-1", "N"), ("N", "N-1")], ids="->".join)
@pytest.mark.parametrize("begin_ms", [0.0, 6.0, 12.0, 18.0, 24.0])
@pytest.mark.parametrize("seed", range(4))
def test_an_upgrade_or_its_rollback_amid_rounds_leaves_none_undecided(
    way: tuple[str, str], begin_ms: float, seed: int
) -> None:
    """One site after the other, the opener among them, each dying as it is; then all are of one version."""
    before, after = way
    scene = VersionedScene(5, seed)
    scene.versions = dict.fromkeys(scene.sites, before)
    scene.breach(A, 0)
    for number, site in enumerate(scene.sites):
        scene.restart(site, after, begin_ms + 7.0 * number)
    scene.breach(B, 10_000)
    scene.play()
    assert scene.table.audit.rounds.keys() == scene.outcomes.keys() != set()
    newest = max(scene.outcomes)
    assert 10_000 < scene.decided_ms(newest) < 10_100
    assert scene.knows(newest) == set(scene.sites)
    assert not scene.outcomes[newest].timed_out

from itertools import pairwise

import pytest

from edgemind.domain.site_tokens import SiteTokens

ROTATION = [SiteTokens("old"), SiteTokens("old", ("new",)), SiteTokens("new", ("old",)), SiteTokens("new")]
"""The steps of docs/security.md, as each site takes them, sooner or later than its neighbours."""


@pytest.mark.parametrize(("before", "after"), list(pairwise(ROTATION)))
def test_sites_one_step_apart_know_one_another(before: SiteTokens, after: SiteTokens) -> None:
    for sender, receiver in ((before, after), (after, before)):
        assert sender.current is not None
        assert receiver.accept(sender.current.encode())


def test_a_secret_that_was_taken_out_is_no_longer_good() -> None:
    assert not ROTATION[-1].accept(b"old")
    assert not ROTATION[0].accept(b"new")


@pytest.mark.parametrize("tokens", [SiteTokens(), SiteTokens(""), SiteTokens(None, ("old",))])
def test_without_a_current_secret_nobody_is_known(tokens: SiteTokens) -> None:
    assert not tokens.accept(b"")
    assert not tokens.accept(b"old")
    assert tokens.secrets == ()


def test_they_print_nothing_secret() -> None:
    assert "old" not in repr(ROTATION[1])
    assert "new" not in repr(ROTATION[1])

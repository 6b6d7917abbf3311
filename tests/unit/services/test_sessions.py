from edgemind.services.sessions import Sessions


def test_the_last_site_of_a_session_is_known_per_model() -> None:
    sessions = Sessions()
    sessions.remember(b"s", "m", "site-a", now_s=0.0)
    sessions.remember(b"s", "m", "site-b", now_s=1.0)
    assert sessions.site_of(b"s", "m", now_s=2.0) == "site-b"
    assert sessions.site_of(b"s", "other", now_s=2.0) is None
    assert sessions.site_of(b"t", "m", now_s=2.0) is None


def test_it_is_forgotten_after_a_while_and_use_prolongs_it() -> None:
    sessions = Sessions(keep_s=10.0)
    sessions.remember(b"s", "m", "site-a", now_s=0.0)
    assert sessions.site_of(b"s", "m", now_s=10.0) == "site-a"
    assert sessions.site_of(b"s", "m", now_s=10.1) is None
    sessions.remember(b"s", "m", "site-a", now_s=8.0)
    assert sessions.site_of(b"s", "m", now_s=17.0) == "site-a"


def test_past_the_limit_the_longest_unused_goes() -> None:
    sessions = Sessions(limit=2)
    for name in (b"one", b"two", b"one", b"three"):
        sessions.remember(name, "m", "site-a", now_s=0.0)
    assert [sessions.site_of(name, "m", 0.0) for name in (b"one", b"two", b"three")] == ["site-a", None, "site-a"]

import asyncio
from dataclasses import replace

from edgemind.domain.fleet import ModelEndpoint
from edgemind.errors import UpstreamFailed, UpstreamUnreachable
from tests.support.controllers import Metro, metro, site

OWN, THEIRS = "http://site-a:9000/v1", "http://theirs:9000/v1"


def check(group: Metro, times: int = 1) -> None:
    async def run() -> None:
        checks = group.controllers["site-a"].checks
        for _ in range(times):
            for server in checks.servers:
                await checks.check(server)

    asyncio.run(run())


def group_of(*models: str) -> Metro:
    return Metro(metro(site("site-a", *models), site("theirs", controller=False)))


def test_each_address_is_asked_once_however_many_models_it_serves() -> None:
    group = group_of("one", "two", "three")
    check(group)
    assert group.probe.asked == [(OWN, None), (THEIRS, None)]
    assert group.controllers["site-a"].own.ready_models == {"one": True, "two": True, "three": True}


def test_a_server_that_nobody_answers_at_takes_its_models_out() -> None:
    group = group_of("one", "two")
    check(group)
    group.probe.answers[OWN] = UpstreamUnreachable("refused")
    check(group, times=2)
    assert group.controllers["site-a"].own.ready_models == {"one": False, "two": False}
    assert not group.controllers["site-a"].own.loads()["one"].ready

    group.probe.answers[OWN] = True
    check(group)
    assert group.controllers["site-a"].own.ready_models == {"one": True, "two": True}


def test_a_loading_server_is_not_ready_and_a_slow_one_is_for_a_while() -> None:
    group = group_of("one")
    group.probe.answers[OWN] = False
    group.probe.answers[THEIRS] = True
    check(group)
    group.probe.answers[THEIRS] = UpstreamFailed("too slow")
    check(group)
    declared = group.controllers["site-a"].neighbourhood.declared["theirs"]
    assert group.controllers["site-a"].own.ready_models == {"one": False}
    assert declared.ready_models == {"detector": True}
    check(group, times=3)
    assert declared.loads()["detector"].ready is False


def test_a_model_is_ready_while_one_of_its_servers_is() -> None:
    second = ModelEndpoint("detector", "http://site-a:9001/v1", 4, 10.0, key="secret")
    own = site("site-a")
    group = Metro(metro(replace(own, endpoints=(*own.endpoints, second))))
    group.probe.answers[OWN] = UpstreamUnreachable("refused")
    check(group)
    assert group.controllers["site-a"].own.ready_models == {"detector": True}
    assert ("http://site-a:9001/v1", "secret") in group.probe.asked

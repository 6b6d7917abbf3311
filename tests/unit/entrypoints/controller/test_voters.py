"""Who votes for a site is chosen by name, and what is missing is said."""

import sys

import pytest

from agents import runtime
from edgemind.entrypoints.controller import process
from edgemind.entrypoints.controller.voters import VoterKind, controller_runner
from edgemind.errors import ConfigurationError

SERVERS = "tests.support.site_servers:site_servers"


@pytest.mark.parametrize("kind", [VoterKind.STRANDS, VoterKind.AUTO])
def test_agents_vote_if_they_can_be_had(kind: VoterKind) -> None:
    runner = controller_runner(kind, SERVERS)
    assert getattr(runner, "func", None) is runtime.run_controller


@pytest.mark.parametrize(
    ("kind", "tools"), [(VoterKind.LIBRARY, SERVERS), (VoterKind.AUTO, "absent_package.servers:servers")]
)
def test_the_library_votes_if_it_is_asked_to_or_if_something_is_missing(kind: VoterKind, tools: str) -> None:
    assert controller_runner(kind, tools) is process.run_controller


def test_what_is_missing_is_said_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "agents.runtime", None)
    with pytest.raises(ConfigurationError, match=r"edgemind-mec\[agents\]"):
        controller_runner(VoterKind.STRANDS, SERVERS)


def test_tools_that_cannot_be_found_are_a_wrong_flag() -> None:
    with pytest.raises(ConfigurationError, match=r"absent_package\.servers:servers"):
        controller_runner(VoterKind.STRANDS, "absent_package.servers:servers")

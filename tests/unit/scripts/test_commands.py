from pathlib import Path

import pytest

from scripts.commands import COMMANDS, dispatch, groups_for_edgemind, help_text, peers_apart, side_by_side
from scripts.groups import AGENTS, AWS, CERTS, CORE, DEMO, ENGINES, LITELLM, PEERS, SGLANG_ROUTER, Group


@pytest.mark.parametrize(
    ("arguments", "groups"),
    [
        (["demo"], (DEMO, AGENTS, *ENGINES)),
        (["demo", "--duration", "20"], (DEMO, AGENTS, *ENGINES)),
        (["demo", "--backend", "llama"], (DEMO, AGENTS, *ENGINES)),
        (["demo", "--backend", "simulated"], (DEMO, AGENTS)),
        (["demo", "--backend=simulated", "--seed", "1"], (DEMO, AGENTS)),
        (["model-server", "--site", "a"], (CORE, *ENGINES)),
        (["mcp", "telemetry"], (AGENTS,)),
        (["gateway"], (CORE,)),
        (["keys", "list"], (CORE,)),
        (["certs", "create"], (CERTS,)),
        (["advice", "run"], (AGENTS,)),
        (["advice", "list"], (CORE,)),
        (["bedrock-proxy"], (AWS,)),
        ([], (CORE,)),
    ],
)
def test_a_command_gets_what_it_needs_and_no_more(arguments: list[str], groups: tuple[Group, ...]) -> None:
    assert groups_for_edgemind(arguments, {}) == groups


def test_a_store_on_aws_brings_what_speaks_to_it() -> None:
    on_aws = {"EDGEMIND_STATE__STORE": "dynamodb"}
    assert groups_for_edgemind(["gateway"], on_aws) == (AWS,)
    assert groups_for_edgemind(["dashboard"], on_aws) == (DEMO,)
    assert groups_for_edgemind(["gateway"], {"EDGEMIND_STATE__STORE": "json"}) == (CORE,)


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert dispatch(Path(), []) == 0
    assert capsys.readouterr().out.strip() == help_text()
    assert all(f"./run {name} " in help_text() for name in COMMANDS)


def test_an_unknown_command_shows_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert dispatch(Path(), ["dmeo"]) == 2
    assert "there is no command dmeo" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "peers"),
    [
        (["gateway"], ()),
        (["gateway", "--peers", "all", "--report", "r.json"], PEERS),
        (["gateway", "--peers=edgemind,litellm"], (LITELLM,)),
        (["gateway", "--peers", "sglang"], (SGLANG_ROUTER,)),
        (["gateway", "--report", "all"], ()),
    ],
)
def test_peers_with_an_environment_of_their_own_come_on_demand(arguments: list[str], peers: tuple[Group, ...]) -> None:
    assert peers_apart(arguments) == peers


@pytest.mark.parametrize(
    ("arguments", "several"),
    [
        ([], True),
        (["--no-skips"], True),
        (["-x", "--durations=5"], True),
        (["tests/unit/test_house.py"], False),
        (["-k", "house"], False),
        (["--pdb"], False),
    ],
)
def test_the_whole_suite_runs_side_by_side_and_a_part_of_it_does_not(arguments: list[str], several: bool) -> None:
    assert bool(side_by_side(arguments)) is several

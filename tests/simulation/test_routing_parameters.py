"""The parameters file: checked in, the gateway's own defaults, and clear about what is wrong with another one."""

from dataclasses import fields
from importlib.resources import files
from pathlib import Path

import pytest

from edgemind.domain.routing.policy_settings import RoutingPolicy
from edgemind.errors import ConfigurationError
from edgemind.simulation.parameters import read_parameters

CHECKED_IN = files("edgemind.simulation").joinpath("parameters.toml").read_text(encoding="utf-8")


def test_the_simulated_gateways_run_with_the_defaults_of_real_ones() -> None:
    assert read_parameters().routing == RoutingPolicy()


def test_every_value_says_what_it_is() -> None:
    for line in CHECKED_IN.splitlines():
        assert not line or line.startswith(("#", "[", "  ")) or " # " in line, line


def test_another_file_of_the_same_shape_is_read(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(CHECKED_IN.replace("peak_utilisation = 0.85", "peak_utilisation = 1"))
    mine, ours = read_parameters(file), read_parameters()
    assert mine.load.peak_utilisation == 1.0
    assert all(getattr(mine, part.name) == getattr(ours, part.name) for part in fields(ours) if part.name != "load")


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("[fleet]", "[fleets]", "[fleets] is unknown; there are fleet, work"),
        ("[fleet]", "[fleets]", "[fleet] is missing"),
        ("sigma = 0.3", "", "[work] sigma is missing"),
        ("sigma = 0.3", "sigma = 0.3\nsgima = 1", "[work] sgima is unknown; there are service_ms"),
        ("sigma = 0.3", 'sigma = "0.3"', "[work] sigma must be a number, not '0.3'"),
        ("sigma = 0.3", "sigma = true", "[work] sigma must be a number, not True"),
        ("sigma = 0.3", "sigma = nan", "[work] sigma is nan; it must be from 0 to 5"),
        ("neighbours = 10", "neighbours = 1.5", "[fleet] neighbours must be a whole number, not 1.5"),
        ('distribution = "lognormal"', "distribution = 3", "[work] distribution must be text, not 3"),
        ('= "lognormal"', '= "normal"', "[work] distribution is 'normal'; take lognormal or exponential"),
        ("[4, 6, 8]", "[4, 0]", "[fleet] slots is [4, 0]; it must list numbers of at least 1"),
        ("[4, 6, 8]", "[]", "[fleet] slots is []"),
        ("[4, 6, 8]", "[true]", "[fleet] slots must be a list of whole numbers"),
        ("rtt_min_ms = 5.0", "rtt_min_ms = 31.0", "[fleet] 31 is more than rtt_max_ms (30)"),
        ("warm_up_s = 2.0", "warm_up_s = 30.0", "[load] warm_up_s (30) leaves nothing of duration_s"),
        ("start_ratio = 0.3", "start_ratio = 0.7", "[flash_crowd] 0.7 is more than end_ratio (0.6)"),
        ("start_ratio = 0.45", "start_ratio = 0.9", "[brownout] 0.9 is more than end_ratio (0.8)"),
        ("[routing]", '[routing]\npolicy = "hybrid"', "[routing] policy is unknown"),
        ("fill_ratio = 0.85", "fill_ratio = 2", "[routing] fill_ratio is 2.0; it must be from 0.01 to 1"),
        ("[work]", "[work", "is not valid TOML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    assert old in CHECKED_IN
    file = tmp_path / "mine.toml"
    file.write_text(CHECKED_IN.replace(old, new, 1))
    with pytest.raises(ConfigurationError) as caught:
        read_parameters(file)
    assert complaint in str(caught.value)
    assert str(file) in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"cannot read .*absent\.toml: No such file"):
        read_parameters(tmp_path / "absent.toml")


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "binary.toml"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigurationError, match="is not valid TOML"):
        read_parameters(file)

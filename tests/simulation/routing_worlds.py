"""Small worlds for the tests of the routing simulator."""

from dataclasses import replace
from typing import Any

from edgemind.simulation.outcomes import Outcomes
from edgemind.simulation.parameters import Parameters, read_parameters
from edgemind.simulation.world import World, set_scene


def world_with(**groups: dict[str, Any]) -> Parameters:
    """The checked-in parameters with some values changed: world_with(load={"duration_s": 5.0})."""
    parameters = read_parameters()
    changed: dict[str, Any] = {name: replace(getattr(parameters, name), **values) for name, values in groups.items()}
    return replace(parameters, **changed)


def calm(**groups: dict[str, Any]) -> Parameters:
    """A world in which nothing goes wrong."""
    faults = {"flash_crowd": {"ingress_ratio": 0.0}, "brownout": {"site_ratio": 0.0}}
    return world_with(**{**faults, **groups})


def run(parameters: Parameters, policy: str, *, sites: int, seed: int = 0, staleness_ms: float = 100.0) -> Outcomes:
    return World(set_scene(parameters, sites, seed), policy, staleness_ms).run()

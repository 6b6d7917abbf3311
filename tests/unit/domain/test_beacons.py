import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgemind.domain.beacons import Beacon, ModelLoad, beacon_document, parse_beacon
from edgemind.domain.routing.overlay import Shift
from edgemind.domain.suspicion import Rumours
from edgemind.domain.swarm.records import Fence
from edgemind.domain.wire import DocumentInvalid

shifts = st.builds(
    Shift, st.text(min_size=1, max_size=40), st.text(min_size=1, max_size=40), st.integers(0, 100),
    st.builds(Fence, st.integers(0, 2**53), st.integers(0, 2**53)),
)  # fmt: skip
numbers = st.floats(min_value=0, max_value=1e9)
loads = st.builds(
    ModelLoad, st.integers(0, 10_000), st.integers(0, 10_000), numbers, st.booleans(), numbers,
    st.integers(0, 100), st.integers(0, 100),
)  # fmt: skip
names = st.text(min_size=1, max_size=40)
said = st.dictionaries(names, st.integers(0, 2**53 - 2), max_size=4)
beacons = st.builds(
    Beacon, names, st.integers(0, 2**53), st.integers(0, 2**53), st.booleans(),
    st.dictionaries(names, loads, max_size=4), st.dictionaries(names, numbers, max_size=4),
    st.builds(Rumours, st.integers(0, 2**53 - 1), said, said), shifts=st.tuples(shifts),
)  # fmt: skip


def document(**changes: Any) -> dict[str, Any]:
    return {
        "v": 1, "site": "site-a", "incarnation": 3, "seq": 7, "draining": False,
        "models": {"m": {"in_flight": 2, "slots": 4, "service_ms": 15.5, "ready": True, "arrivals_per_s": 1.5}},
        **changes,
    }  # fmt: skip


@given(beacons)
def test_a_beacon_survives_the_wire(beacon: Beacon) -> None:
    assert parse_beacon(json.loads(json.dumps(beacon_document(beacon)))) == beacon


def test_unknown_fields_of_a_newer_sender_are_ignored() -> None:
    newer = document(v=2, tint="blue")
    newer["models"]["m"]["temperature"] = 40

    assert parse_beacon(newer) == parse_beacon(document())


def test_what_an_older_sender_leaves_out_has_a_sensible_value() -> None:
    older = {"v": 1, "site": "site-a", "incarnation": 1, "seq": 1}

    assert parse_beacon(older) == Beacon("site-a", 1, 1)
    load = parse_beacon(document()).models["m"]
    assert (load.replicas, load.max_replicas) == (1, 1), "who knows no replicas has one, and cannot be scaled"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"v": 0}, "beacon.v"),
        ({"v": True}, "beacon.v"),
        ({"site": ""}, "beacon.site"),
        ({"site": 5}, "beacon.site"),
        ({"site": "x" * 300}, "beacon.site"),
        ({"seq": -1}, "beacon.seq"),
        ({"incarnation": 1.5}, "beacon.incarnation"),
        ({"draining": "no"}, "beacon.draining"),
        ({"models": []}, "beacon.models"),
        ({"shifts": [{"model": "m", "to": "b", "percent": 1, "epoch": 1}]}, "beacon.shifts[0].round"),
        ({"shifts": {}}, "beacon.shifts"),
        ({"models": {"m": None}}, "beacon.models.m"),
        ({"models": {"m": {"in_flight": 1, "slots": 1}}}, "beacon.models.m.service_ms"),
        ({"models": {"m": {"in_flight": 1, "slots": 1, "service_ms": float("nan")}}}, "beacon.models.m.service_ms"),
        ({"suspects": {"site-b": 1.5}}, "beacon.suspects.site-b"),
        ({"refuted": []}, "beacon.refuted"),
        ({"rtt_ms": {"site-b": -1}}, "beacon.rtt_ms.site-b"),
        ({"models": {str(k): {} for k in range(5000)}}, "beacon.models"),
    ],
)
def test_a_wrong_field_is_named(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(DocumentInvalid) as refused:
        parse_beacon(document(**changes))
    assert field in str(refused.value)


@pytest.mark.parametrize("nonsense", [None, 1, "beacon", [], [document()]])
def test_anything_else_than_an_object_is_refused(nonsense: object) -> None:
    with pytest.raises(DocumentInvalid):
        parse_beacon(nonsense)


def test_a_later_beacon_supersedes_whatever_order_they_arrive_in() -> None:
    assert Beacon("a", 1, 2).supersedes(Beacon("a", 1, 1))
    assert not Beacon("a", 1, 1).supersedes(Beacon("a", 1, 2))
    assert Beacon("a", 2, 1).supersedes(Beacon("a", 1, 900))
    assert Beacon("a", 1, 1).supersedes(None)


def test_a_sender_is_suspected_under_its_start_or_what_it_raised_that_to() -> None:
    assert Beacon("a", 5, 1).number == 5
    assert Beacon("a", 5, 1, rumours=Rumours(9)).number == 9


@pytest.mark.parametrize(
    ("load", "has_capacity"),
    [
        (ModelLoad(0, 4, 10.0), True),
        (ModelLoad(0, 4, 10.0, ready=False), False),
        (ModelLoad(0, 0, 10.0), False),
        (ModelLoad(0, 4, 0.0), False),
    ],
)
def test_capacity_needs_a_ready_model_with_slots_and_a_known_service_time(load: ModelLoad, has_capacity: bool) -> None:
    assert load.has_capacity is has_capacity

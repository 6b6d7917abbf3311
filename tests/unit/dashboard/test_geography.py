"""The map: sites inside it, land where land is, and names only where there is room."""

import json

import pytest

from dashboard.geography import TALL, WIDE, labelled, land_path, window_of
from dashboard.views.site_map import map_data
from edgemind.domain.fleet import Position
from edgemind.domain.kpi import Level
from edgemind.domain.membership import SiteState
from tests.unit.dashboard.fleets import many_sites, site

COLOGNE, MUNICH, SYDNEY, SUVA = (6.96, 50.94), (11.58, 48.14), (151.2, -33.9), (178.4, -18.1)


@pytest.mark.parametrize(
    "places", [[COLOGNE], [COLOGNE, MUNICH], [COLOGNE, SYDNEY], [SUVA], [(-180.0, 90.0), (180.0, -90.0)]]
)
def test_every_site_lies_inside_the_window(places: list[tuple[float, float]]) -> None:
    window = window_of(places)
    for place in places:
        across, down = window.place(*place)
        assert 0 <= across <= WIDE
        assert 0 <= down <= TALL


def test_one_town_is_shown_in_its_country_and_north_is_up() -> None:
    window = window_of([COLOGNE, MUNICH])
    assert window.east - window.west >= 10.0
    assert window.place(*MUNICH)[1] > window.place(*COLOGNE)[1]
    assert window.place(*MUNICH)[0] > window.place(*COLOGNE)[0]


def test_land_is_drawn_inside_the_picture_and_small_enough_to_be_sent_often() -> None:
    path = land_path(window_of([COLOGNE, MUNICH]))
    numbers = [float(one) for one in path.replace("M", " ").replace("L", " ").replace("Z", " ").split()]
    assert path.count("M") > 5
    assert min(numbers) >= 0
    assert max(numbers[::2]) <= WIDE
    assert max(numbers[1::2]) <= TALL
    assert len(path) < 6000
    assert len(land_path(window_of([(-120.0, 40.0), (140.0, -30.0)]))) < 70_000


def test_at_sea_there_is_no_land() -> None:
    assert land_path(window_of([(-140.0, -48.0)])) == ""


def test_names_lie_neither_on_each_other_nor_on_a_sign() -> None:
    assert labelled([("a", (10.0, 10.0)), ("b", (14.0, 12.0)), ("c", (10.0, 60.0))]) == {"b", "c"}
    assert labelled([("a", (10.0, 10.0)), ("b", (10.0, 10.0))]) == {"a"}


def test_the_map_tells_states_as_shapes_and_the_troubled_in_words() -> None:
    here = Position(50.0, 8.0)
    sites = [site("site-a", position=here), site("site-b", SiteState.GONE, position=Position(51.0, 8.0))]
    data = map_data(sites, [])
    assert [(one["level"], one["label"]) for one in data["sites"]] == [("ok", "site-a"), ("critical", "site-b")]
    assert data["said"] == "Map of 2 sites; in trouble: site-b"
    assert data["sites"][0]["title"] == "site-a: in service; 5 requests/s"


def test_fifty_sites_make_a_small_message() -> None:
    data = map_data(many_sites(50, 25), [])
    assert len(json.dumps(data)) < 20_000
    assert {one["level"] for one in data["sites"]} == {Level.OK.value, Level.CRITICAL.value}

"""Declarations of sites that join: checked like edgemind.yaml, and laid over it without keys."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from edgemind.errors import ConfigurationError
from edgemind.settings import (
    Settings,
    declaration_text,
    load_settings,
    newcomers_config,
    read_declaration,
    with_joined_sites,
)
from tests.unit.settings_example import FLEET_SECRET, SECRETS, write_example


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(write_example(tmp_path), SECRETS)


def declaration(**changes: Any) -> dict[str, Any]:
    model = {"name": "llama", "base_url": "http://gpu9:8000/v1", "slots": 8, "service_ms": 300, "key": "env:GPU9"}
    made = {
        "name": "site-n", "zones": ["eu", "de"], "gateway": "http://n:8100", "controller": "http://n:8200",
        "rtt_ms": {"site-a": 4}, "models": [model], **changes,
    }  # fmt: skip
    return {name: value for name, value in made.items() if value is not None}


def test_a_declaration_becomes_a_site_like_any_other_without_its_keys(settings: Settings) -> None:
    site = read_declaration(declaration(), settings)
    text = declaration_text(site)
    assert "GPU9" not in text
    assert json.loads(text)["zones"] == ["de", "eu"]
    merged, refused = with_joined_sites(settings, [text])
    assert refused == ()
    assert merged.site("site-n") == site.site()
    assert merged.fleet().models() == tuple(sorted({*settings.fleet().models(), "llama"}))


@pytest.mark.parametrize(
    ("changes", "complaints"),
    [
        ({"gateway": None, "controller": None}, ["gateway: is missing", "controller: is missing"]),
        ({"models": []}, ["models"]),
        ({"color": "blue"}, ["color"]),
        ({"name": "Site N"}, ["name", "lower-case letters"]),
        ({"name": "site-b"}, ["name: is declared in edgemind.yaml, without a controller"]),
        ({"rtt_ms": {"site-q": 3}}, ["rtt_ms.site-q: no site has this name"]),
        ({"controller": "http://127.0.0.1:8200"}, ["controller: is the address of sites[0].controller too"]),
        ({"models": [{"name": "x", "base_url": "nowhere", "slots": 0, "service_ms": 1}]}, ["base_url", "slots"]),
        ({"models": "many"}, ["models"]),
    ],
)
def test_everything_that_is_wrong_is_told_at_once(
    settings: Settings, changes: dict[str, Any], complaints: list[str]
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        read_declaration(declaration(**changes), settings)
    for complaint in complaints:
        assert complaint in str(refused.value)


@pytest.mark.parametrize("nonsense", [None, [], "site", 3])
def test_what_is_no_mapping_is_refused(settings: Settings, nonsense: object) -> None:
    with pytest.raises(ConfigurationError, match="not a mapping"):
        read_declaration(nonsense, settings)


def test_ones_own_yaml_wins_and_what_does_not_fit_is_left_out_and_said(settings: Settings) -> None:
    known = json.dumps(declaration(name="site-a"))
    clashing = json.dumps(declaration(name="site-m", controller="http://127.0.0.1:8200"))
    far = json.dumps(declaration(rtt_ms={"site-a": 4, "unheard-of": 9}))
    merged, refused = with_joined_sites(settings, [known, clashing, "no JSON", "[]", far])
    assert [site.name for site in merged.sites] == ["site-a", "site-b", "site-n"]
    assert merged.site("site-a") == settings.site("site-a")
    assert merged.site("site-n").rtt_ms == {"site-a": 4}
    assert len(refused) == 3
    assert "is the address of sites[0].controller too" in refused[0]


def test_a_newcomers_configuration_loads_on_its_host_and_holds_no_secret(settings: Settings, tmp_path: Path) -> None:
    site = read_declaration(declaration(), settings)
    text = yaml.safe_dump(newcomers_config(settings, site))
    assert not [secret for secret in (FLEET_SECRET, *SECRETS.values(), "GPU1_KEY", "VIEWER") if secret in text]
    host = tmp_path / "newcomer"
    host.mkdir()
    (host / "edgemind.yaml").write_text(text, encoding="utf-8")
    (host / "fleet.secret").write_text("whatever", encoding="utf-8")
    loaded = load_settings(host / "edgemind.yaml", {})
    assert [one.name for one in loaded.sites] == ["site-a", "site-b", "site-n"]
    assert (loaded.metro, loaded.routing, loaded.limits) == (settings.metro, settings.routing, settings.limits)
    assert loaded.site("site-a") == settings.site("site-a")

from pathlib import Path

import pytest

from edgemind.domain.fleet import Engine, ServiceTime
from edgemind.entrypoints.model_server.assignment import assignment_of
from edgemind.errors import ConfigurationError
from edgemind.settings import Settings, load_settings

YAML = """
version: 1
auth: "off"
sites:
  - name: site-a
    models:
      - {name: smollm2-135m, base_url: "http://127.0.0.1:8401/v1", slots: 2, service_ms: 400, engine: llama_cpp}
      - {name: simulated-llm, base_url: "http://127.0.0.1:8400/v1", slots: 3, service_ms: 40, engine: simulated}
      - {name: simulated-detector, base_url: "http://127.0.0.1:8400", slots: 4, service_ms: 15, engine: simulated,
         simulated: {distribution: constant}}
      - {name: theirs, base_url: "https://gpu:8000/v1", slots: 9, service_ms: 9, key: env:NOT_SET_HERE}
  - name: site-b
    models:
      - {name: smollm2-135m, base_url: "http://127.0.0.1:8403/v1", slots: 2, service_ms: 400, engine: llama_cpp}
  - name: site-c
    models:
      - {name: simulated-tls, base_url: "https://127.0.0.1:8404/v1", slots: 2, service_ms: 4, engine: simulated}
      - {name: simulated-nested, base_url: "http://127.0.0.1:8404/a/v1", slots: 2, service_ms: 4, engine: simulated}
cloud:
  name: simulated-cloud
  rtt_ms: 40
  models:
    - {name: simulated-llm, base_url: "http://127.0.0.1:8500/v1", slots: 8, service_ms: 30, engine: simulated}
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    file = tmp_path / "edgemind.yaml"
    file.write_text(YAML)
    return load_settings(file, {}, resolve_secrets=False)


def test_without_a_name_all_simulated_models_of_the_site(settings: Settings) -> None:
    assigned = assignment_of(settings, "site-a", None)
    assert [endpoint.model for endpoint in assigned.endpoints] == ["simulated-llm", "simulated-detector"]
    assert [endpoint.simulated for endpoint in assigned.endpoints] == [ServiceTime(), ServiceTime("constant")]
    assert assigned.addresses == (("127.0.0.1", 8400),)
    assert (assigned.engine, assigned.wan_ms) == (Engine.SIMULATED, 0.0)


def test_one_model_by_name_and_the_cloud_with_its_distance(settings: Settings) -> None:
    assigned = assignment_of(settings, "site-a", "smollm2-135m")
    assert (assigned.engine, assigned.addresses) == (Engine.LLAMA_CPP, (("127.0.0.1", 8401),))
    cloud = assignment_of(settings, "simulated-cloud", None)
    assert (cloud.addresses, cloud.wan_ms) == ((("127.0.0.1", 8500),), 40.0)


@pytest.mark.parametrize(
    ("site", "model", "words"),
    [
        ("nowhere", None, "no site is called 'nowhere'; declared are site-a, site-b, site-c, simulated-cloud"),
        ("site-a", "absent", "site-a has no model 'absent'; it has smollm2-135m"),
        ("site-a", "theirs", "somebody else's server"),
        ("site-b", None, "site-b has no simulated model; start smollm2-135m by --model smollm2-135m"),
        ("site-c", "simulated-tls", "simulated-tls is served in plain http"),
        ("site-c", "simulated-nested", "may have no path but /v1, not /a/v1"),
    ],
)
def test_what_cannot_be_served_is_told_with_what_to_do(
    settings: Settings, site: str, model: str | None, words: str
) -> None:
    with pytest.raises(ConfigurationError, match=words):
        assignment_of(settings, site, model)

"""A valid edgemind.yaml becomes domain objects; environment and secrets find their way in, secrets never out."""

import copy
import pickle
from pathlib import Path

import pytest

from edgemind.domain.fleet import DeviceClass, Engine, ServiceTime, Tenant, Tier
from edgemind.domain.limits import Limits
from edgemind.domain.routing.policy_settings import PolicyName, RoutingPolicy
from edgemind.domain.thresholds import Thresholds
from edgemind.errors import ConfigurationError
from edgemind.settings import AuthMode, Settings, Store, effective_config, load_client_settings, load_settings
from tests.unit.settings_example import EXAMPLE, FLEET_SECRET, SECRETS, write_example


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(write_example(tmp_path), SECRETS)


def test_the_fleet_is_what_the_file_declares(settings: Settings) -> None:
    fleet = settings.fleet()
    first, second = fleet.sites
    assert fleet.metro == "demo"
    assert fleet.models() == ("other", "simulated-detector", "simulated-llm", "smollm2-135m")
    assert (first.name, first.zones, first.tier) == ("site-a", frozenset({"local", "de"}), Tier.EDGE)
    assert (first.gateway_url, first.admin_url) == ("http://127.0.0.1:8100", "http://127.0.0.1:8300")
    assert first.controller_url == "http://127.0.0.1:8200", "a trailing slash is dropped"
    assert first.device_classes == {DeviceClass.MOBILE, DeviceClass.XR}
    assert first.rtt_ms == {"site-b": 5.0}
    assert [endpoint.engine for endpoint in first.endpoints] == [Engine.LLAMA_CPP, Engine.SIMULATED]
    assert [endpoint.simulated for endpoint in first.endpoints] == [None, ServiceTime("lognormal", 0.3)]
    assert (second.gateway_url, second.endpoints[0].key) == (None, "gpu-key")
    assert fleet.tenants == (Tenant("demo", ("*",), frozenset({"de"}), 500, 1000),)


def test_the_cloud_is_one_more_site_that_is_equally_far_from_everywhere(settings: Settings) -> None:
    cloud = settings.fleet().cloud
    assert cloud is not None
    assert (cloud.tier, cloud.rtt_ms) == (Tier.CLOUD, {"*": 40.0})
    assert cloud.endpoints[0].simulated == ServiceTime()


def test_groups_are_domain_objects_with_defaults_filled_in(settings: Settings, tmp_path: Path) -> None:
    assert settings.limits == Limits(max_body_bytes=1_048_576, drain_s=2.5)
    assert settings.thresholds == Thresholds(cpu_ratio=0.7)
    assert settings.routing == RoutingPolicy(PolicyName.LOCAL_FIRST, beacon_hz=20)
    assert settings.auth is AuthMode.KEYS
    assert (settings.state.store, settings.state.directory) == (Store.JSON, tmp_path / "state")


def test_a_minimal_file_is_enough(tmp_path: Path) -> None:
    text = """
version: 1
auth: off
sites: [{name: a, models: [{name: m, base_url: "http://h:1", slots: 1, service_ms: 1}]}]
limits:
cloud: null
"""
    settings = load_settings(write_example(tmp_path, text), {})
    assert settings.limits == Limits()
    assert settings.cloud is None
    assert settings.state.directory == tmp_path / ".edgemind/state"


def test_addresses_may_be_ipv6(tmp_path: Path) -> None:
    text = EXAMPLE.replace("http://127.0.0.1:8100", "http://[::1]:8100")
    assert load_settings(write_example(tmp_path, text), SECRETS).site("site-a").gateway_url == "http://[::1]:8100"


def test_a_site_is_found_by_name_or_the_error_names_it(settings: Settings) -> None:
    assert settings.site("site-b").name == "site-b"
    with pytest.raises(ConfigurationError, match="did you mean 'site-a'"):
        settings.site("site-aa")


def test_the_environment_replaces_single_values(tmp_path: Path) -> None:
    environ = SECRETS | {
        "EDGEMIND_LIMITS__MAX_BODY_BYTES": "2048",
        "EDGEMIND_THRESHOLDS__LATENCY_MS": "12.5",
        "EDGEMIND_ROUTING__POLICY": "least_request",
        "EDGEMIND_STATE__STORE": "memory",
        "EDGEMIND_LIMITS__DRAIN_S": "",
        "EDGEMIND_FLEET_URL": "http://elsewhere",
    }
    settings = load_settings(write_example(tmp_path), environ)
    assert settings.limits == Limits(max_body_bytes=2048, drain_s=2.5), "an empty variable counts as not set"
    assert settings.thresholds == Thresholds(latency_ms=12.5, cpu_ratio=0.7)
    assert settings.routing.policy is PolicyName.LEAST_REQUEST
    assert settings.state.store is Store.MEMORY


def test_a_wrong_override_is_named_by_its_variable(tmp_path: Path) -> None:
    environ = SECRETS | {
        "EDGEMIND_LIMITS__MAX_BODY_BYTES": "-4",
        "EDGEMIND_LIMITS__MAX_BODDY_BYTES": "4",
        "EDGEMIND_ROUTING__POLICY": "a\nb",
        "EDGEMIND_SITES__NAME": "x",
    }
    with pytest.raises(ConfigurationError) as caught:
        load_settings(write_example(tmp_path), environ)
    lines = str(caught.value).split("\n")
    assert len(lines) == 4
    assert any(
        "environment EDGEMIND_LIMITS__MAX_BODY_BYTES: limits.max_body_bytes: is -4; write" in line for line in lines
    )
    assert any("did you mean EDGEMIND_LIMITS__MAX_BODY_BYTES?" in line for line in lines)


def test_client_settings_come_from_the_environment() -> None:
    client = load_client_settings(
        {"EDGEMIND_FLEET_URL": "http://f", "EDGEMIND_FLEET_TOKEN": "t0k", "EDGEMIND_CONFIG": "c"}
    )
    assert (client.fleet_url, client.config) == ("http://f", Path("c"))
    assert client.fleet_token is not None
    assert client.fleet_token.reveal() == "t0k"
    assert "t0k" not in repr(client)
    assert load_client_settings({"EDGEMIND_FLEET_URL": ""}).fleet_url is None


def test_secrets_are_read_but_never_printed(settings: Settings) -> None:
    secret = settings.access.secret
    assert secret is not None
    assert secret.reveal() == FLEET_SECRET
    printed = " ".join(
        [repr(settings), str(settings), settings.model_dump_json(), repr(settings.model_dump()), repr(settings.fleet())]
    )
    printed += repr(effective_config(settings))
    for value in (FLEET_SECRET, *SECRETS.values()):
        assert value not in printed


PREVIOUS = "  previous_secrets: [file:old.secret, env:NEXT]\n"


def with_previous(folder: Path, previous: str = PREVIOUS) -> Path:
    (folder / "old.secret").write_text("the-old-one", encoding="utf-8")
    return write_example(folder, EXAMPLE.replace("fleet:\n", f"fleet:\n{previous}"))


def test_previous_secrets_are_accepted_beside_the_one_that_is_sent(tmp_path: Path) -> None:
    settings = load_settings(with_previous(tmp_path), {**SECRETS, "NEXT": "the-next-one"})
    tokens = settings.access.site_tokens()
    assert tokens.secrets == (FLEET_SECRET, "the-old-one", "the-next-one")
    assert tmp_path / "old.secret" in settings.secret_files()
    assert "the-old-one" not in repr(settings) + settings.model_dump_json() + repr(effective_config(settings))


@pytest.mark.parametrize(
    ("previous", "words"),
    [
        (PREVIOUS.replace("env:NEXT", "env:ADMIN"), "is the same as fleet.previous_secrets[1]"),
        (PREVIOUS.replace("env:NEXT", "file:fleet.secret"), "is the same as fleet.secret"),
        (PREVIOUS.replace("env:NEXT", "plain"), "is not a reference to a secret"),
        (f"  previous_secrets: [{', '.join(['file:old.secret'] * 5)}]\n", "at most 4"),
    ],
)
def test_previous_secrets_are_checked_as_the_secret_is(tmp_path: Path, previous: str, words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(with_previous(tmp_path, previous), SECRETS)
    assert words in str(caught.value)


def test_settings_can_be_sent_to_a_worker_process(settings: Settings) -> None:
    again = pickle.loads(pickle.dumps(settings))
    assert again == settings == copy.deepcopy(settings)
    assert again.fleet() == settings.fleet()


def test_without_secrets_only_their_form_is_checked(tmp_path: Path) -> None:
    path = write_example(tmp_path)
    (tmp_path / "fleet.secret").unlink()
    settings = load_settings(path, {}, resolve_secrets=False)
    with pytest.raises(ConfigurationError, match="was not read"):
        settings.fleet()


@pytest.mark.parametrize(
    ("reference", "content", "words"),
    [
        ("env:ABSENT", None, "environment variable ABSENT is not set; export"),
        ("sk-plain-text-secret", None, "is not a reference to a secret; write env:NAME or file:PATH"),
        ("env:sk-plain-text-secret", None, "is not a reference to a secret"),
        ("12345678", None, "is not a reference to a secret"),
        ("file:nowhere", None, "does not exist"),
        ("file:.", None, "does not exist or is not a file"),
        ("file:own", b"", "is empty"),
        ("file:own", b"\xff\xfe", "is not text"),
        ("file:own", b"two words", "holds spaces"),
        ("file:own", b"x" * 9000, "holds more than 8192 bytes"),
        ("env:ADMIN", None, "is the same as fleet.secret"),
    ],
)
def test_a_secret_that_cannot_be_used_is_a_finding_without_its_value(
    tmp_path: Path, reference: str, content: bytes | None, words: str
) -> None:
    path = write_example(tmp_path, EXAMPLE.replace("file:fleet.secret", reference))
    if content is not None:
        (tmp_path / "own").write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        load_settings(path, SECRETS)
    (line,) = str(caught.value).split("\n")
    assert line.startswith(f"{path}:{6 if 'same' in words else 5}: fleet.")
    assert words in line
    assert "plain-text" not in line
    assert "12345678" not in line

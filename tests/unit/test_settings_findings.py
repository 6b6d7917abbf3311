"""Everything that can be wrong with a file is found in one run, each finding with its line and with what to do."""

from pathlib import Path

import pytest

from edgemind.errors import ConfigurationError
from edgemind.settings import load_settings
from tests.unit.settings_example import EXAMPLE, SECRETS, line_of, write_example


def findings(folder: Path, text: str) -> list[str]:
    """The finding lines of a text, without the folder."""
    path = write_example(folder, text)
    with pytest.raises(ConfigurationError) as caught:
        load_settings(path, SECRETS)
    return [line.removeprefix(f"{folder}/") for line in str(caught.value).split("\n")]


# What to replace in the example, by what, and the one finding it must lead to (LINE: the line of the replacement).
CASES = [
    ("version: 1", "version: 2", "version: is 2, newer than this edgemind reads (1); upgrade edgemind"),
    ("version: 1", "version: 0", "version: is 0, which never existed; write version: 1"),
    ("version: 1\n", "", "version: is missing; add version: 1"),
    ("metro: demo", "metro: My City", "metro: 'My City' cannot be used; use lower-case"),
    ("store: json", "store: jsn", "state.store: is 'jsn', not one of json, memory, dynamodb; did you mean 'json'?"),
    ("store: json", "store: dynamodb", "state.table: is missing, and store: dynamodb needs it; add table: NAME, or"),
    (
        "auth: keys",
        "auth: keys\nmodel_store: {store: s3}",
        "model_store.bucket: is missing, and store: s3 needs it; add bucket: NAME, or aws: {environment",
    ),
    (
        "auth: keys",
        "auth: keys\nmodel_store: {store: s3}\naws: {environment: staging}",
        "aws.region: is missing, and the bucket is looked up there; add region: eu-central-1 or model_store.bucket",
    ),
    (
        "auth: keys",
        "auth: keys\nmodel_store: {store: s3, bucket: Our_Models}",
        "model_store.bucket: 'Our_Models' cannot be used; use 3 to 63 lower-case letters",
    ),
    ("directory: state", "directory: [a]", "state.directory: is not a path; write the path as text"),
    ("auth: keys", "auth: key", "auth: is 'key', not one of keys, off; did you mean 'keys'?"),
    ("auth: keys", "auth: keys\nhue: blue", "hue: unknown key; known here: version, metro,"),
    ("auth: keys", "auth: keys\nrouting_:", "routing_: unknown key; did you mean 'routing'?"),
    ("metro: demo", "metro: demo\nmetro: demo", "metro: stands here a second time (first in line 2); keep one"),
    ("name: simulated-cloud", "name: site-b", "cloud.name: another site is called 'site-b' already"),
    ("rtt_ms: {site-b: 5.0}", "rtt_ms: {site-bb: 5}", "sites[0].rtt_ms.site-bb: no site has this name; did you"),
    ("rtt_ms: {site-b: 5.0}", "rtt_ms: {site-a: 5}", "sites[0].rtt_ms.site-a: is the site itself; remove it"),
    ("rtt_ms: {site-b: 5.0}", "rtt_ms: {site-b: -5}", "sites[0].rtt_ms.site-b: is -5; write a value from 0 to 60000"),
    ("rtt_ms: {site-b: 5.0}", "rtt_ms: 5", "sites[0].rtt_ms: is 5; write a mapping"),
    ("[mobile, xr]", "[mobile, xxr]", "sites[0].device_classes[1]: is 'xxr', not one of mobile, iot, xr, vehicle"),
    ("zones: [eu]", "zones: [~]", "sites[1].zones[0]: is empty; write text, in quotes if it looks"),
    ("zones: [eu]", "zones: [[eu]]", "sites[1].zones[0]: is a list; write text, in quotes if it looks"),
    ("zones: [eu]", "zones: eu", "sites[1].zones: is 'eu'; write a list, such as [a, b]"),
    ("zones: [eu]", "zones: [EU]", "sites[1].zones[0]: 'EU' cannot be used; use lower-case letters"),
    ("http://127.0.0.1:8100", "http://127.0.0.1:81000", "sites[0].gateway: has no valid host and port; a port"),
    ("http://127.0.0.1:8100", "http://127.0.0.1:0", "sites[0].gateway: has no valid port; a port"),
    ("http://127.0.0.1:8100", "127.0.0.1:8100", "sites[0].gateway: is not an http address; start"),
    ("http://127.0.0.1:8100", "http://", "sites[0].gateway: has no valid host; write http://HOST:PORT"),
    ("http://127.0.0.1:8100", "http://h:8100/v1", "sites[0].gateway: holds the path '/v1'; write only"),
    ("http://127.0.0.1:8100", "http://127.0.0.1:8200", "sites[0].controller: is the address of sites[0].gateway too"),
    ('"https://gpu1:8000/v1"', '"https://me:pw@gpu1/v1"', "sites[1].models[0].base_url: holds a user name"),
    ('"https://gpu1:8000/v1"', '"https://gpu1/v1?k=1"', "sites[1].models[0].base_url: holds a query or fragment;"),
    ('"https://gpu1:8000/v1"', '"https://gp u1"', "sites[1].models[0].base_url: is not a URL; write plain ASCII"),
    ('"https://gpu1:8000/v1"', '"https://[::1"', "sites[1].models[0].base_url: has no valid host and port"),
    ('"https://gpu1:8000/v1"', '"https://[::zz]"', "sites[1].models[0].base_url: has no valid host"),
    ('"https://gpu1:8000/v1"', "http://127.0.0.1:8100", "sites[1].models[0].base_url: is the address of sites[0]"),
    ('base_url: "https://gpu1:8000/v1", ', "", "sites[1].models[0].base_url: is missing; add base_url: http://"),
    ("slots: 4", "slots: 0", "sites[0].models[1].slots: is 0; write a value from 1 to 65536"),
    ("slots: 4", "slots: true", "sites[0].models[1].slots: is true; write a whole number, such as 10"),
    ("slots: 4", "slots: 4.5", "sites[0].models[1].slots: is 4.5; write a whole number, such as 10"),
    ("slots: 4", "slots:", "sites[0].models[1].slots: is missing; add slots: 8"),
    ("slots: 4", "slots: !many 4", "sites[0].models[1].slots: has the tag '!many'"),
    ("service_ms: 15", 'service_ms: "15"', "sites[0].models[1].service_ms: is '15'; write a number, such as 0.5"),
    ("service_ms: 15", "service_ms: .nan", "sites[0].models[1].service_ms: is nan; write a finite number"),
    ("service_ms: 15", "service_ms: 9e999", "sites[0].models[1].service_ms: is inf; write a finite number"),
    ("service_ms: 15", "service_ms: -15", "sites[0].models[1].service_ms: is -15; write a value from 0.01"),
    ("engine: llama_cpp", "engine: llama", "sites[0].models[0].engine: is 'llama', not one of external, llama_cpp"),
    ("name: simulated-detector", "name: detector", "sites[0].models[1].name: a simulated model says so; call it"),
    ("engine: llama_cpp", "simulated: {}", "sites[0].models[0].simulated: has no effect without engine: simulated"),
    (
        "key: env:GPU1_KEY}",
        "max_replicas: 3}\n      - {name: other, base_url: http://gpu2, slots: 1, service_ms: 9}",
        "sites[1].models[0].max_replicas: has no effect while this site declares the model twice",
    ),
    (
        "engine: llama_cpp",
        "engine: llama_cpp, max_replicas: 2",
        "sites[0].models[0].max_replicas: has no effect: swarm.scaler: local scales simulated models only",
    ),
    ("scaler: local", "scaler: docker", "swarm.scaler: is 'docker', not one of none, local, kubernetes"),
    ("sigma: 0.3", "sigma: 30", "sites[0].models[1].simulated.sigma: is 30; write a value from 0 to 3"),
    ("key: env:GPU1_KEY", "key: env:NO_SUCH", "sites[1].models[0].key: environment variable NO_SUCH is not set"),
    ("key: env:GPU1_KEY", "api_key: env:X", "sites[1].models[0].api_key: unknown key; did you mean 'key'?"),
    ("  rtt_ms: 40\n", "", "cloud.rtt_ms: is missing; add rtt_ms: 40"),
    ('models: ["*"], ', "", 'tenants[0].models: is missing; add models: ["*"]'),
    ('models: ["*"]', "models: []", "tenants[0].models: is empty; declare at least"),
    ('models: ["*"]', "models: [smolm2-135m]", "tenants[0].models[0]: matches no model of any site; did you mean"),
    ("residency: [de]", "residency: [dee]", "tenants[0].residency[0]: no site lies in this zone; did you mean 'de'?"),
    ("rate_per_s: 500", "rate_per_s: 0", "tenants[0].rate_per_s: is 0; write a value from 0.001 to 1000000 requests/s"),
    ("drain_s: 2.5", "drain_s: -1", "limits.drain_s: is -1; write a value from 0 to 600 s"),
    ("drain_s: 2.5", "drain_sec: 1", "limits.drain_sec: unknown key; did you mean 'drain_s'?"),
    ("drain_s: 2.5", "max_deadline_ms: 10", "limits.default_deadline_ms: 30000 is more than max_deadline_ms"),
    ("cpu_ratio: 0.7", "cpu_ratio: 80", "thresholds.cpu_ratio: is 80, but it is a ratio from 0 to 1; write 0.8"),
    ("cpu_ratio: 0.7", "cpu_ratio: -1", "thresholds.cpu_ratio: is -1; write a value from 0 to 1"),
    ("cpu_ratio: 0.7", "breaches: 6", "thresholds.breaches: 6 is more than samples (5); lower it or raise samples"),
    ("tier: staging", "tier: stage", "operations.tier: is 'stage', not one of local, staging, production"),
    ("name: aws", "name: pager", "operations.topics[0].name: 'pager' is taken already; choose another one"),
    ("name: pager", "name: console", "operations.webhooks[0].name: 'console' is taken already; choose another one"),
    ('"env:PAGER_URL"', '"env:VIEWER"', "operations.webhooks[0].url: is no http:// or https:// address of a host;"),
    ("site_report_age_ms: 20", "site_down: 20", "operations.dwell_s: there is no alert 'site_down'; there are added_"),
    ("site_report_age_ms: 20", "site_report_age_ms: 9999", "operations.dwell_s.site_report_age_ms: is 9999; write a"),
    ("sns:eu-central-1", "sqs:eu-central-1", "operations.topics[0].topic_arn: "),
    ("policy: local_first", "policy: locl_first", "routing.policy: is 'locl_first', not one of hybrid, local_first"),
    ("policy: local_first", "fresh_ms: 2000", "routing.fresh_ms: 2000 is more than stale_site_ms (1000); lower it"),
    ("policy: local_first", "<<: {}", "routing.<<: merge keys are not supported; write the fields out"),
    ("policy: local_first", "[a]: 1", "routing: has a key that is no plain word; write one"),
    ("policy: local_first", '"a\\nb": 1', "routing.a\\nb: unknown key; known here: policy,"),
    ("secret: file:fleet.secret", "secret:", "fleet.secret: is missing, and sites know one another by it; add secret:"),
    ("env:OPERATOR", "env:VIEWER", "fleet.tokens.operator: is the same as fleet.tokens.viewer; make one of its own"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "expected"), CASES, ids=[case[2][:60] for case in CASES])
def test_a_mistake_is_one_finding_with_its_place(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert old in EXAMPLE
    (line,) = findings(tmp_path, EXAMPLE.replace(old, new, 1))
    place, _, rest = line.partition(": ")
    assert place.startswith("edgemind.yaml:")
    assert rest.startswith(expected)
    assert "; " in rest, "it says what to do"


def test_a_name_that_is_used_twice(tmp_path: Path) -> None:
    text = EXAMPLE.replace("rtt_ms: {site-b: 5.0}", "rtt_ms: {}").replace("name: site-b", "name: site-a")
    (line,) = findings(tmp_path, text)
    place = f"edgemind.yaml:{line_of(text, 'zones: [eu]') - 1}: sites[1].name"
    assert line == f"{place}: another site is called 'site-a' already; rename one of them"


def test_without_tenants_nobody_could_send_a_request(tmp_path: Path) -> None:
    start = EXAMPLE.index("tenants:")
    text = EXAMPLE[:start] + EXAMPLE[EXAMPLE.index("limits:") :]
    (line,) = findings(tmp_path, text)
    assert "tenants: is missing, and auth: keys lets in only tenants" in line
    load_settings(write_example(tmp_path, text.replace("auth: keys", "auth: off")), SECRETS)


def test_all_findings_come_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = EXAMPLE
    for old, new in (
        ("metro: demo", "metro: MY"),
        ("store: json", "stroe: json"),
        ("name: site-b", "name: site-a"),
        ("slots: 4", "slots: none"),
        ("rtt_ms: 40", "rtt_ms: far"),
        ("burst: 1000", "burst: -1"),
        ("cpu_ratio: 0.7", "cpu_ratio: 70"),
        ("policy: local_first", "policy: magic"),
    ):
        text = text.replace(old, new, 1)
    lines = findings(tmp_path, text)
    numbers = [int(line.split(":")[1]) for line in lines]
    fragments = ("metro: MY", "stroe", "{site-b:", "slots: none", "far", "burst: -1", "cpu_ratio", "magic")
    assert numbers == sorted(numbers)
    assert {line_of(text, fragment) for fragment in fragments} <= set(numbers)
    assert len(lines) == 9, "the round trip to the renamed site is a finding of its own"


def test_more_sites_than_a_metro_may_have(tmp_path: Path) -> None:
    site = '  - {name: s%d, models: [{name: m, base_url: "http://h:1", slots: 1, service_ms: 1}]}\n'
    text = "version: 1\nauth: off\nsites:\n" + "".join(site % number for number in range(1001))
    (line,) = findings(tmp_path, text)
    assert line == "edgemind.yaml:3: sites: has 1001 entries; at most 1000 are read"


def test_very_many_findings_are_cut(tmp_path: Path) -> None:
    lines = findings(tmp_path, EXAMPLE + "".join(f"  key{number}: 1\n" for number in range(300)))
    assert len(lines) == 101
    assert lines[-1] == "... and 200 more; correct these first"

"""One edgemind.yaml with every group in it, for the tests of the settings."""

from pathlib import Path

SECRETS = {
    "VIEWER": "viewer-token",
    "OPERATOR": "operator-token",
    "ADMIN": "admin-token",
    "GPU1_KEY": "gpu-key",
    "PAGER_URL": "http://pager:8000/in",
    "PAGER_SECRET": "pager-secret",
}
FLEET_SECRET = "the-fleet-secret"

EXAMPLE = """\
version: 1
metro: demo
state: {store: json, directory: state}
fleet:
  secret: file:fleet.secret
  tokens: {viewer: env:VIEWER, operator: env:OPERATOR, admin: env:ADMIN}
auth: keys
sites:
  - name: site-a
    zones: [local, de]
    gateway: http://127.0.0.1:8100
    admin: http://127.0.0.1:8300
    controller: http://127.0.0.1:8200/
    device_classes: [mobile, xr]
    rtt_ms: {site-b: 5.0}
    models:
      - {name: smollm2-135m, base_url: "http://127.0.0.1:8401/v1", slots: 2, service_ms: 400, engine: llama_cpp}
      - name: simulated-detector
        base_url: http://127.0.0.1:8400
        slots: 4
        service_ms: 15
        engine: simulated
        simulated: {distribution: lognormal, sigma: 0.3}
  - name: site-b
    zones: [eu]
    models:
      - {name: other, base_url: "https://gpu1:8000/v1", slots: 16, service_ms: 900, key: env:GPU1_KEY}
cloud:
  name: simulated-cloud
  zones: [cloud]
  rtt_ms: 40
  models:
    - {name: simulated-llm, base_url: "http://127.0.0.1:8500/v1", slots: 64, service_ms: 300, engine: simulated}
bedrock:
  region: eu-central-1
  key: env:GPU1_KEY
  models:
    - {name: claude-haiku, model_id: "eu.anthropic.claude-haiku-4-5-20251001-v1:0", slots: 8}
tenants:
  - {name: demo, models: ["*"], residency: [de], rate_per_s: 500, burst: 1000}
limits:
  max_body_bytes: 1048576
  drain_s: 2.5
thresholds: {cpu_ratio: 0.7}
swarm: {scaler: local}
operations:
  tier: staging
  webhooks: [{name: pager, url: "env:PAGER_URL", secret: "env:PAGER_SECRET"}]
  topics: [{name: aws, topic_arn: "arn:aws:sns:eu-central-1:123456789012:our-alerts", levels: {warning: false}}]
  dwell_s: {site_report_age_ms: 20}
routing:
  policy: local_first
  beacon_hz: 20
"""


def write_example(folder: Path, text: str = EXAMPLE) -> Path:
    """Write the yaml and the secret file it names; returns the yaml's path."""
    (folder / "fleet.secret").write_text(FLEET_SECRET + "\n", encoding="utf-8")
    path = folder / "edgemind.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def line_of(text: str, fragment: str) -> int:
    """The first line, counted from 1, that holds the fragment."""
    return next(number for number, line in enumerate(text.split("\n"), 1) if fragment in line)

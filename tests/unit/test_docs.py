"""What the documents say about the tree, the commands and the code's numbers is true."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from edgemind.adapters.fleet_tls import LOOK_EVERY_S
from edgemind.adapters.peers.http import TELL_TIMEOUT_S
from edgemind.domain.certificates import EXPIRY_WARNING_DAYS
from edgemind.domain.limits import KIB, MIB, Limits
from edgemind.domain.membership import MembershipRule
from edgemind.domain.routing.cost import WAITING_WEIGHT
from edgemind.domain.routing.health import EjectionRule
from edgemind.domain.routing.policy_settings import RoutingPolicy
from edgemind.domain.swarm.documents import MESSAGE_LIMIT_BYTES
from edgemind.domain.swarm.envelopes import WINDOW
from edgemind.domain.swarm.pace import DESIGNED as ROUND
from edgemind.domain.swarm.repetition import COPIES_LIMIT
from edgemind.domain.swarm.round import DEPUTIES_WOKEN
from edgemind.entrypoints.certs_commands import RENEW_WITHIN_DAYS
from edgemind.entrypoints.cli import COMMANDS
from edgemind.entrypoints.gateway.heads import SEEN_HEAD_BYTES, SEEN_HEADS_LIMIT
from edgemind.entrypoints.gateway.reading import CHECK_BEFORE_BODY_BYTES
from edgemind.services.neighbourhood import BEACON_PEERS_LIMIT
from edgemind.services.probe_models import PROBE_INTERVAL_S
from edgemind.services.register_site import TTL_S
from edgemind.services.sync_gateway import SUSPICION_KEPT_S
from edgemind.settings import load_settings
from scripts.checks import project_files
from scripts.commands import COMMANDS as RUN_COMMANDS

ROOT = Path(__file__).resolve().parents[2]
FILES = {str(path.relative_to(ROOT)) for path in project_files(ROOT) if path.is_file()}
PAGES = sorted(page for page in FILES if page.endswith(".md") and not page.startswith("tests/"))
ILLUSTRATIONS = {"edgemind.yaml", "fleet.json"}
"""Files that a user has."""

LIMITS, ROUTING, EJECTION, PEER = Limits(), RoutingPolicy(), EjectionRule(), MembershipRule()


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def prose_of(page: str) -> str:
    """Without fenced blocks: output and files of other projects stand there."""
    return re.sub(r"^```.*?^```", "", text_of(page), flags=re.DOTALL | re.MULTILINE)


def anchors_of(page: str) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.+)$", prose_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES)
def test_links_into_pages_find_their_heading(page: str) -> None:
    for target, anchor in re.findall(r"\]\((?![a-z]+:)([^)#\s]*)#([^)\s]+)\)", prose_of(page)):
        other = str((ROOT / page).parent.joinpath(target).resolve().relative_to(ROOT)) if target else page
        assert anchor in anchors_of(other), f"{page} links to {other}#{anchor}"


@pytest.mark.parametrize("page", PAGES)
def test_files_and_folders_that_are_named_exist(page: str) -> None:
    """`heads.py`, `domain/routing/table.py` and `edgemind/domain/`: a file is enough that ends so."""
    # What begins with a dot is made at run time.
    named = set(re.findall(r"`(\w[\w./-]*\.(?:py|md|toml|yaml|svg|json|lock))`", prose_of(page)))
    known = [f"/{file}" for file in FILES]
    missing = {name for name in named - ILLUSTRATIONS if not any(file.endswith(f"/{name}") for file in known)}
    folders = set(re.findall(r"`([a-z][\w-]*(?:/[\w-]+)*/)`", prose_of(page)))
    missing |= {folder for folder in folders if not any(f"/{folder}" in file for file in known)}
    assert missing == set()


@pytest.mark.parametrize("page", PAGES)
def test_commands_that_are_named_exist(page: str) -> None:
    commands = set(re.findall(r"(?:`|\./run |^)edgemind ([a-z][a-z-]*)", text_of(page), re.MULTILINE))
    assert commands <= COMMANDS.keys()
    assert set(re.findall(r"\./run ([a-z]+)", text_of(page))) <= RUN_COMMANDS.keys() | {"help"}


@pytest.mark.parametrize("picture", sorted(file for file in FILES if re.match(r"docs/.*\.svg", file)))
def test_pictures_are_whole_and_say_what_they_show(picture: str) -> None:
    drawing = ElementTree.parse(ROOT / picture).getroot()
    title = drawing.find("{http://www.w3.org/2000/svg}title")
    assert title is not None
    assert title.text


@pytest.mark.parametrize("config", sorted(file for file in FILES if re.match(r"examples/.*edgemind\.yaml", file)))
def test_the_examples_configurations_are_valid(config: str) -> None:
    load_settings(ROOT / config, resolve_secrets=False)


def test_the_readme_shows_the_example_as_it_is() -> None:
    config = text_of("examples/02-your-own-servers/edgemind.yaml")
    assert f"```yaml\n{config}```" in text_of("README.md")


def measured(page: str, gateway: str) -> list[str]:
    """The cells behind a gateway's name in the first table of results: the widest row that begins with it."""
    rows = re.findall(rf"^\| \**{re.escape(gateway)}\** \|(.*)\|$", text_of(page), re.MULTILINE)
    return max(([cell.strip(" *") for cell in row.split("|")] for row in rows), key=len)


@pytest.mark.parametrize("gateway", ["edgemind", "envoy", "vllm-router"])
def test_the_readme_repeats_the_benchmarks_as_they_are(gateway: str) -> None:
    names = measured("benchmarks/README.md", "gateway")
    assert names[:8] == ["saturated", "x", "2000/s", "x", "200/s", "x", "SSE", "x"]
    assert names[8:11] == ["added p50", "added p99", "first byte"]
    row = measured("benchmarks/README.md", gateway)
    assert measured("README.md", gateway) == [row[5], row[3], row[1], row[7], *row[8:11]]


@pytest.mark.parametrize(
    ("page", "said", "value"),
    [
        ("docs/limitations.md", "`limits.max_connections` (2048 a worker)", LIMITS.max_connections == 2048),
        ("docs/limitations.md", "for bodies up to 256 KiB", LIMITS.replay_bytes_per_request == 256 * KIB),
        ("docs/limitations.md", "one body of at most 10 MiB", LIMITS.max_body_bytes == 10 * MIB),
        ("docs/limitations.md", "`limits.max_json_values` (500,000)", LIMITS.max_json_values == 500_000),
        ("docs/limitations.md", "`limits.body_bytes_total` (512 MiB a worker", LIMITS.body_bytes_total == 512 * MIB),
        ("docs/limitations.md", "can send more than 64 KiB", CHECK_BEFORE_BODY_BYTES == 64 * KIB),
        ("docs/limitations.md", "and the ten nearest", BEACON_PEERS_LIMIT == 10),
        ("docs/limitations.md", "The margin is 2 ms", ROUTING.session_margin_ms == 2),
        ("docs/limitations.md", "a heartbeat older than 5 s", TTL_S == 5),
        ("docs/architecture.md", "within 2 ms of the best", ROUTING.session_margin_ms == 2),
        ("docs/architecture.md", "more than 2 ms cheaper", ROUTING.override_margin_ms == 2),
        ("docs/architecture.md", "Waiting counts three times", WAITING_WEIGHT == 3),
        ("docs/architecture.md", "computed every 250 ms", ROUTING.tick_ms == 250),
        ("docs/architecture.md", "up to 85 %", ROUTING.fill_ratio == 0.85),
        ("docs/architecture.md", "3 failures in a row", EJECTION.consecutive == 3),
        ("docs/architecture.md", "after 1 s, then 2, 4, ... up to 30 s", (EJECTION.base_s, EJECTION.max_s) == (1, 30)),
        ("docs/architecture.md", "2 refused beacons (0.2 s), 5 failed ones", (PEER.refusals, PEER.failures) == (2, 5)),
        ("docs/architecture.md", "or 1 s of silence", ROUTING.stale_site_ms == 1000),
        ("docs/architecture.md", "checks, 2/s", PROBE_INTERVAL_S == 0.5),
        ("docs/swarm.md", "wake      4 deputies", DEPUTIES_WOKEN == 4),
        ("docs/swarm.md", "or 40 ms after the", ROUND.soft == 40),
        ("docs/swarm.md", "after 90 ms it writes KEEP", ROUND.hard == 90),
        ("docs/swarm.md", "act 35, 47, 59 ... ms", (ROUND.takeover, ROUND.takeover_step) == (35, 12)),
        ("docs/swarm.md", "after 12 ms, then every 8", (ROUND.hedge, ROUND.hedge_again) == (12, 8)),
        ("docs/swarm.md", "six copies at most", COPIES_LIMIT == 6),
        ("docs/security.md", "once, within 200 ms", TELL_TIMEOUT_S == 0.2),
        ("docs/security.md", "or 1024 behind the newest", WINDOW == 1024),
        ("docs/security.md", "more than 256 KiB", MESSAGE_LIMIT_BYTES == 256 * KIB),
        ("docs/security.md", "1 ends within 14 days", EXPIRY_WARNING_DAYS == 14),
        ("docs/security.md", "all that end within 30 days", RENEW_WITHIN_DAYS == 30),
        ("docs/security.md", "look every 5 seconds", LOOK_EVERY_S == 5),
        ("docs/upgrade.md", "`limits.drain_s` (5 s)", LIMITS.drain_s == 5),
        ("docs/adr/0004-the-gateway-serves-inside-the-read-callback.md", "4 KiB each", SEEN_HEAD_BYTES == 4 * KIB),
        ("docs/adr/0004-the-gateway-serves-inside-the-read-callback.md", "512 of them", SEEN_HEADS_LIMIT == 512),
        ("docs/adr/0007-gateway-workers-ask-their-controller.md", "After 5 s without a", SUSPICION_KEPT_S == 5),
        ("docs/adr/0008-late-answers-are-delivered.md", "of 60 s by default", LIMITS.first_byte_timeout_s == 60),
        ("docs/adr/0008-late-answers-are-delivered.md", "of 60 s by default", LIMITS.idle_timeout_s == 60),
    ],
)  # fmt: skip
def test_numbers_in_the_documents_are_those_of_the_code(page: str, said: str, value: bool) -> None:
    assert said in text_of(page), f"{page} does not say this any more: take the line out of this test, too"
    assert value, f"{page} says {said!r}"


def test_decisions_are_numbered_once_and_have_their_parts() -> None:
    records = sorted(file for file in FILES if re.match(r"docs/adr/\d{4}-", file))
    chosen = [Path(record).name[:4] for record in records]
    assert len(set(chosen)) == len(chosen)
    for record in records:
        text = text_of(record)
        assert text.startswith(f"# {int(Path(record).name[:4])}. "), record
        assert re.search(r"^Status: (accepted|superseded by \d{4})$", text, re.MULTILINE), record
        assert all(f"## {part}" in text for part in ("Context", "Choice", "What we gave up")), record

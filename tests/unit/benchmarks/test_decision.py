import json

from click.testing import CliRunner

from benchmarks.__main__ import benchmarks
from benchmarks.decision import full_scan, measure_decisions
from edgemind.domain.fleet import Site
from edgemind.domain.requests import Constraints
from edgemind.domain.routing.candidates import Candidate, compile_candidates


def test_the_naive_scan_finds_what_the_compiled_costs_say():
    zones = frozenset({"eu"})
    sites = [Site(f"site-{k}", zones, ()) for k in range(3)]
    members = [Candidate(s.name, s, "m", 2, 20.0, rtt_ms) for s, rtt_ms in zip(sites, (9.0, 4.0, 6.0), strict=True)]
    members[1].sent()
    members[1].sent()
    compiled = compile_candidates(members, Constraints("m", zones), "site-0", {})
    assert full_scan(compiled, 0.0, 2.0)[0] is members[2]
    assert compiled.costs_ms.index(min(compiled.costs_ms)) == 2


def test_every_policy_is_timed_beside_the_naive_scan():
    rows = measure_decisions(50, 1, lambda _: None, sites=(3,))
    assert {"hybrid", "local_first", "least_request", "full scan (naive)"} < {row.policy for row in rows}
    assert all(row.us_per_decision > 0 for row in rows)


def test_the_command_writes_its_report(tmp_path):
    file = tmp_path / "decision.json"
    result = CliRunner().invoke(benchmarks, ["decision", "--decisions", "100", "--repeats", "1", "--report", str(file)])
    assert result.exit_code == 0, result.output
    assert "500 sites" in result.output
    assert {row["sites"] for row in json.loads(file.read_text())["rows"]} == {3, 10, 50, 500}

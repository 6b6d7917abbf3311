"""Advice over the fleet API: who may do what, what is refused with which words, and that all of it is journaled."""

import pytest

from edgemind.entrypoints.controller.advice_shapes import AdvicePage, ChangeShape
from tests.support.advice import CHURN, AdvisedController, judged_rounds

GOOD = {"swarm.hysteresis_ratio": 0.12}
BETTER = {"swarm.hysteresis_ratio": 0.11}


@pytest.fixture
def site_a() -> AdvisedController:
    return AdvisedController(judged_rounds(6))


@pytest.fixture(scope="module")
def shared() -> AdvisedController:
    """For who may ask, which no state changes."""
    return AdvisedController(judged_rounds(6))


def test_an_advisor_proposes_an_operator_accepts_and_rolls_back(site_a: AdvisedController) -> None:
    proposed = site_a.propose(GOOD)
    assert proposed.status == 201
    document = proposed.json()
    assert ChangeShape.model_validate(document).model_extra == {}
    assert (document["id"], document["state"], document["proposed_by"]) == ("adv-1", "proposed", "advisor")
    assert document["replay"]["harmless"] is True
    accepted = site_a.ask("POST", "/adv-1/accept").json()
    assert (accepted["state"], accepted["decided_by"]) == ("accepted", "operator")
    page = site_a.ask("GET", token="look").json()
    assert AdvicePage.model_validate(page).model_extra == {}
    row = next(one for one in page["settings"] if one["field"] == "swarm.hysteresis_ratio")
    assert (page["in_force"], row["standing"], row["value"]) == ("adv-1", 0.1, 0.12)
    assert site_a.ask("POST", "/adv-1/rollback").json()["state"] == "rolled_back"
    assert site_a.ask("GET").json()["in_force"] is None
    assert site_a.audit.told == [("proposed", "advisor"), ("accepted", "operator"), ("rolled_back", "operator")]
    assert {entry.kind.value for entry in site_a.audit.entries} == {"policy_change"}


def test_what_is_accepted_is_told_in_words_without_the_proposers(site_a: AdvisedController) -> None:
    told: list[str] = []
    site_a.advice.accepted = told.append
    site_a.propose(GOOD)
    assert told == []
    site_a.ask("POST", "/adv-1/accept")
    (text,) = told
    assert text.startswith("adv-1 accepted by operator: swarm.hysteresis_ratio 0.1 -> 0.12. The replay: ")
    site_a.ask("POST", "/adv-1/rollback")
    assert told == [text]


@pytest.mark.parametrize(
    ("method", "path", "may"),
    [
        ("GET", "", {"look", "advise", "act", "rule"}),
        ("GET", "/adv-1", {"look", "advise", "act", "rule"}),
        ("POST", "", {"advise", "act", "rule"}),
        ("POST", "/adv-1/accept", {"act", "rule"}),
        ("POST", "/adv-1/reject", {"act", "rule"}),
        ("POST", "/adv-1/rollback", {"act", "rule"}),
        ("POST", "/pause", {"act", "rule"}),
        ("POST", "/resume", {"act", "rule"}),
    ],
)
def test_each_role_may_do_its_part_and_no_more(
    shared: AdvisedController, method: str, path: str, may: set[str]
) -> None:
    body = {"changes": [], "reason": ""} if (method, path) == ("POST", "") else None
    for token in ("look", "advise", "act", "rule", "wrong"):
        answer = shared.ask(method, path, token, body)
        expected = {"wrong": {401}}.get(token, {200, 400, 404, 409} if token in may else {403})
        assert answer.status in expected
        if token == "advise" and token not in may:
            assert "this needs the operator role and you are advisor" in answer.error()["message"]


def test_an_advisor_may_change_nothing_else_of_the_fleet(site_a: AdvisedController) -> None:
    document = site_a.ask("GET", "/../openapi.json", "advise").json()
    writes = [
        path.replace("{name}", "site-a").replace("{change_id}", "adv-1")
        for path, operations in document["paths"].items()
        if "post" in operations and path not in ("/edgemind/v1/advice", "/edgemind/v1/join")
    ]
    assert len(writes) > 5
    for path in writes:
        answer = site_a.ask("POST", f"/../{path.removeprefix('/edgemind/v1/')}", "advise", {"model": "llm"})
        assert answer.status == 403, path


def test_guard_rails_refuse_with_a_reason_for_each_field_and_the_journal_keeps_it(site_a: AdvisedController) -> None:
    refused = site_a.propose({"fleet.tokens.admin": 1.0, "swarm.cooldown_ms": 0.0})
    error = refused.error()
    assert (refused.status, error["code"]) == (400, "guard_rails")
    assert "fleet.tokens.admin: advice may not change it" in error["message"]
    assert "swarm.cooldown_ms: is 0; advice may set it from 500 to 600000 ms" in error["message"]
    assert site_a.ask("GET").json()["changes"] == []
    assert site_a.audit.told == [("refused", "advisor")]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"changes": [{"field": "swarm.cooldown_ms", "to": "soon"}], "reason": "x"}, "invalid_parameter"),
        ({"changes": [{"field": "x" * 300, "to": 1}], "reason": "x"}, "invalid_parameter"),
        ({"changes": [{"field": "swarm.cooldown_ms", "to": n} for n in (1, 2)], "reason": "x"}, "guard_rails"),
        ({"changes": [{"field": "swarm.cooldown_ms", "to": 4000}], "reason": "x" * 601}, "guard_rails"),
        ({"changes": [{"field": "swarm.cooldown_ms", "to": 4000}], "reason": "x", "for_s": 10**6}, "guard_rails"),
        ({"reason": "x"}, "invalid_parameter"),
    ],
)
def test_a_malformed_proposal_is_a_clear_error(site_a: AdvisedController, body: object, code: str) -> None:
    answer = site_a.ask("POST", token="advise", body=body)
    assert (answer.status, answer.error()["code"]) == (400, code)


def test_what_the_replay_finds_harmful_is_kept_as_rejected(site_a: AdvisedController) -> None:
    churning = AdvisedController(judged_rounds(6, since_change_ms=3000.0))
    document = churning.propose(CHURN).json()
    assert (document["state"], document["decided_by"]) == ("rejected", "replay")
    assert "changes within the cooldown grow" in document["replay"]["reason"]
    assert churning.ask("POST", "/adv-1/accept").status == 409
    without = AdvisedController(judged_rounds(2)).propose(GOOD).json()
    assert without["replay"]["reason"] == "no evidence: 2 recorded rounds can be judged, and it takes 5"


def test_a_second_change_hears_which_one_is_in_force(site_a: AdvisedController) -> None:
    site_a.propose(GOOD)
    site_a.propose(BETTER)
    site_a.ask("POST", "/adv-1/accept")
    refused = site_a.ask("POST", "/adv-2/accept")
    assert (refused.status, refused.error()["code"]) == (409, "advice_unchanged")
    assert "adv-1 is in force, and one change is at a time" in refused.error()["message"]


def test_accepting_looks_again_at_rounds_and_file(site_a: AdvisedController) -> None:
    site_a.propose(GOOD)
    site_a.standing = site_a.standing.changed({"swarm.hysteresis_ratio": 0.15})
    refused = site_a.ask("POST", "/adv-1/accept")
    assert (
        "it was made when swarm.hysteresis_ratio was 0.1, and the configuration says 0.15" in refused.error()["message"]
    )
    assert refused.status == 409


def test_harmless_changes_are_accepted_without_an_operator_where_that_is_configured() -> None:
    trusting = AdvisedController(judged_rounds(6), auto_accept=True)
    assert trusting.propose(GOOD).json()["decided_by"] == "replay"
    assert trusting.ask("GET").json()["in_force"] == "adv-1"
    assert trusting.propose(BETTER).json()["state"] == "proposed", "one at a time, whoever accepts"


def test_paused_advice_takes_nothing_and_follows_nothing(site_a: AdvisedController) -> None:
    site_a.propose(GOOD)
    site_a.ask("POST", "/adv-1/accept")
    assert site_a.ask("POST", "/pause").json()["paused"] is True
    assert site_a.ask("GET").json()["in_force"] is None
    assert "advice is paused" in site_a.propose(BETTER).error()["message"]
    assert site_a.ask("POST", "/resume").json()["paused"] is False
    assert site_a.ask("GET").json()["in_force"] == "adv-1"


def test_pages_go_back_to_the_first_change(site_a: AdvisedController) -> None:
    for _ in range(3):
        site_a.propose(GOOD)
    first = site_a.ask("GET", "?limit=2", "look").json()
    assert [one["id"] for one in first["changes"]] == ["adv-3", "adv-2"]
    rest = site_a.ask("GET", f"?limit=2&cursor={first['next_cursor']}", "look").json()
    assert ([one["id"] for one in rest["changes"]], rest["next_cursor"]) == (["adv-1"], None)
    assert site_a.ask("GET", "?cursor=x").error()["code"] == "invalid_cursor"
    assert site_a.ask("GET", "/adv-9").error()["code"] == "change_not_found"


def test_a_flood_of_proposals_is_held_off(site_a: AdvisedController) -> None:
    answers = []
    for _ in range(8):
        answers.append(site_a.propose({"nothing": 1.0}).status)
        site_a.clock.advance(-10)
    assert answers == [400] * 5 + [429] * 3
    assert len(site_a.audit.entries) == 5

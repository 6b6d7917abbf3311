"""The pages about AWS name what is there."""

import re

import pytest

from stacks.cost_table import DOCS, page_of
from tests.stacks.conftest import Synthesized
from tests.stacks.test_permissions import ACCOUNT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_a_page_names_every_stack_and_no_other(synthesized: Synthesized, tier: str) -> None:
    named = re.findall(rf"`({tier}-[a-z0-9-]+)`", page_of(tier).read_text(encoding="utf-8"))
    assert sorted(named) == sorted(synthesized(tier).stacks)


def test_a_page_says_how_many_stacks_there_are(synthesized: Synthesized, tier: str) -> None:
    assert f"no differences in {len(synthesized(tier).stacks)} stacks" in page_of(tier).read_text(encoding="utf-8")


def test_the_permissions_of_the_preflight_are_those_of_its_code() -> None:
    [told] = re.findall(r"The credentials need\n(.*?)\.\n", (DOCS / "aws.md").read_text(encoding="utf-8"), re.DOTALL)
    asked = {action for adapter in ACCOUNT for action in adapter.all_actions()}
    assert set(re.findall(r"`([a-z0-9-]+:\w+)`", told)) == asked

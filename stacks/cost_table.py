"""The table of monthly costs in a page of the docs: `python -m stacks.cost_table ENVIRONMENT [--write]`.

It needs what `cdk synth -c env=ENVIRONMENT` made; where that is, `--assembly` says.
"""

import argparse
import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stacks.cost import Line, Template, load_prices, monthly
from stacks.environments import ENVIRONMENTS
from stacks.plans import Environment

BEGIN, END = "<!-- cost: begin -->", "<!-- cost: end -->"
DOCS = Path(__file__).resolve().parents[1] / "docs"


def page_of(environment: str) -> Path:
    return DOCS / f"aws-{environment}.md"


def read_templates(assembly: Path) -> dict[str, tuple[str, Template]]:
    """Region and template of each stack of a cloud assembly."""
    manifest = json.loads((assembly / "manifest.json").read_text(encoding="utf-8"))
    return {
        name: (
            entry["environment"].rpartition("/")[2],
            json.loads((assembly / entry["properties"]["templateFile"]).read_text(encoding="utf-8")),
        )
        for name, entry in manifest["artifacts"].items()
        if entry["type"] == "aws:cloudformation:stack"
    }


def table(plan: Environment, lines: Sequence[Line], prices: Mapping[str, Any]) -> str:
    """Markdown: a row per line, dearest first, then the sum beside the budget."""
    total = sum(line.usd for line in lines)
    rows = [
        f"| {line.region} | {line.what} | {line.quantity:,.10g} | {line.each_usd:,.2f} | {line.usd:,.0f} |"
        for line in sorted(lines, key=lambda line: (-line.usd, line.region, line.what))
    ]
    origin = f"Estimated, with prices written down on {prices['as_of']} ({prices['source']}; `stacks/prices.toml`)."
    return "\n".join(
        [
            f"{origin} No tax, no discount, and use as assumed there.",
            "",
            "| region | what | quantity | USD each | USD a month |",
            "|---|---|---:|---:|---:|",
            *rows,
            f"| | **sum** | | | **{total:,.0f}** |",
            f"| | budget (`monthly_usd`) | | | {plan.budget.monthly_usd:,} |",
        ]
    )


def with_table(page: str, made: str) -> str:
    """The page with the block between its marks replaced."""
    return re.sub(
        f"{re.escape(BEGIN)}.*{re.escape(END)}", lambda _: f"{BEGIN}\n{made}\n{END}", page, count=1, flags=re.DOTALL
    )


def made_from(environment: str, assembly: Path) -> str:
    plan, prices = ENVIRONMENTS[environment], load_prices()
    return table(plan, monthly(plan, read_templates(assembly), prices), prices)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m stacks.cost_table", description=__doc__)
    parser.add_argument("environment", choices=list(ENVIRONMENTS))
    parser.add_argument("--assembly", type=Path, default=Path("build/cdk.out"))
    parser.add_argument("--write", action="store_true", help="renew the table in the environment's page of the docs")
    given = parser.parse_args(arguments)
    made = made_from(given.environment, given.assembly)
    if not given.write:
        print(made)
        return 0
    page = page_of(given.environment)
    page.write_text(with_table(page.read_text(encoding="utf-8"), made), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""`edgemind check`: a running fleet; `check aws|store|bedrock`: what a deploy needs, the swarm's store, the models.

Exit codes: 0 nothing is missing; 1 something is missing or could not be looked at; 2 wrong usage, or an environment
that the CDK app refuses; 3 AWS cannot be reached.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from edgemind.bootstrap import cloud_account
from edgemind.domain.checkup import well
from edgemind.domain.deployment_needs import DeploymentNeeds, Finding, gaps, ready
from edgemind.entrypoints.check_bedrock import check_bedrock
from edgemind.entrypoints.check_store import check_store
from edgemind.entrypoints.configuration_file import configuration_file
from edgemind.entrypoints.exit_codes import Refused, WrongUsage, exit_codes
from edgemind.entrypoints.text_tables import text_table
from edgemind.errors import TemporaryError
from edgemind.services.check_deployment import check_deployment

NEEDS_MODULE = "stacks.needs"
"""The library knows no stacks: the CDK app, in whose folder the command runs, tells what it needs as JSON."""
EXIT_CODES = (
    "Exit codes: 0 nothing is missing; 1 something is missing or could not be looked at; 2 wrong usage, or the CDK app "
    "refuses the environment; 3 AWS cannot be reached."
)


class AwsUnreachable(Refused):
    """Not a word about the account: it could not be asked."""

    exit_code = 3


@click.group(invoke_without_command=True, epilog=EXIT_CODES)
@click.option(
    "--config", type=click.Path(path_type=Path),
    help="The fleet's configuration. Default: $EDGEMIND_CONFIG, edgemind.yaml, or a demo's in this folder.",
)  # fmt: skip
@click.option("--site", help="Ask this site's processes only.")
@click.option("-o", "--output", type=click.Choice(["text", "json"]), help="Form of the answer.  [default: text]")
@click.pass_context
def check(ctx: click.Context, config: Path | None, site: str | None, output: str | None) -> None:
    """Look at a running fleet: configuration, stores, controllers and their clocks, gateways, model servers,
    certificates, disks, journals. Each finding comes with its mend.

    It changes nothing: in the folder of a json store it writes a file of its own and takes it away. What does not
    answer is a finding; all of it takes 15 seconds at most.
    """
    if ctx.invoked_subcommand is not None:
        return
    # Imported here: the other checks need none of it.
    from edgemind.entrypoints.doctor.examine import document, examine, text

    as_json = (output or ctx.find_root().params.get("output")) == "json"
    with exit_codes():
        found = examine(configuration_file(config), site)
    click.echo(json.dumps(document(found), indent=2) if as_json else text(found))
    if not well(found):
        raise click.exceptions.Exit(1)


check.add_command(check_store)
check.add_command(check_bedrock)


@check.command("aws", epilog=EXIT_CODES)
@click.option(
    "-c", "--context", multiple=True, metavar="KEY=VALUE", required=True,
    help="As for `cdk deploy`: env=staging, account=123456789012.",
)  # fmt: skip
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
def check_aws(context: Sequence[str], output: str) -> None:
    """List what the account lacks for an environment: bootstrap, quotas, zones opted in, access to models.

    Run it in the folder of the CDK app (cdk.json), with the credentials that will deploy.
    """
    needs = _needs(Path.cwd(), context)
    try:
        findings = check_deployment(needs, cloud_account())
    except TemporaryError as exc:
        raise AwsUnreachable(str(exc)) from exc
    click.echo(json.dumps(_document(needs, findings), indent=2) if output == "json" else _text(needs, findings))
    if not ready(findings):
        raise click.exceptions.Exit(1)


def _needs(folder: Path, context: Sequence[str]) -> DeploymentNeeds:
    if not (folder / "cdk.json").exists():
        raise WrongUsage(f"{folder} has no cdk.json: run this in the folder of the CDK app, a clone of EdgeMind")
    flags = [flag for pair in context for flag in ("-c", pair)]
    command = [sys.executable, "-m", NEEDS_MODULE, *flags]
    told = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if told.returncode != 0:
        raise WrongUsage(told.stderr.strip() or f"{NEEDS_MODULE} ended with exit code {told.returncode}")
    return DeploymentNeeds.read(json.loads(told.stdout))


def _document(needs: DeploymentNeeds, findings: tuple[Finding, ...]) -> dict[str, Any]:
    return {
        "environment": needs.environment,
        "account": needs.account,
        "ready": ready(findings),
        "findings": [
            {
                "place": finding.place,
                "subject": finding.subject,
                "verdict": finding.verdict.value,
                "found": finding.found,
                "mend": finding.mend or None,
            }
            for finding in findings
        ],
    }


def _text(needs: DeploymentNeeds, findings: tuple[Finding, ...]) -> str:
    rows = [[finding.verdict.value, finding.place, finding.subject, finding.found] for finding in findings]
    table = text_table(["VERDICT", "PLACE", "WHAT", "FOUND"], rows)
    lacking = list(gaps(findings))
    if not lacking:
        return f"{table}\n\n{needs.environment} can be deployed: cdk deploy --all -c env={needs.environment}"
    mends = [f"  {finding.place}, {finding.subject}:\n    {finding.mend}" for finding in lacking]
    return "\n".join([table, "", f"{len(lacking)} to mend before {needs.environment} is deployed:", *mends])

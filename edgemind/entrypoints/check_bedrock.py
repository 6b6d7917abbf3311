"""`edgemind check bedrock`: asks every configured model for one token, and says what is in the way."""

import asyncio
import json
import time
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

import click

from edgemind.bootstrap.bedrock import BedrockLink, open_bedrock
from edgemind.entrypoints.configuration_file import configuration_file
from edgemind.entrypoints.exit_codes import exit_codes
from edgemind.entrypoints.text_tables import text_table
from edgemind.ports.converse import CallFailed, CallFault
from edgemind.settings import load_settings
from edgemind.settings.bedrock import BedrockModelSettings

ONE_TOKEN = {
    "messages": [{"role": "user", "content": [{"text": "Say yes."}]}],
    "inferenceConfig": {"maxTokens": 1},
}
EXIT_CODES = (
    "Exit codes: 0 every model answers; 1 one does not, and what to do is said; 2 wrong usage or configuration, or no "
    "region."
)


@dataclass(frozen=True, slots=True)
class Tried:
    """`fault` is None for a model that answered."""

    model: BedrockModelSettings
    took_ms: float
    fault: CallFault | None
    said: str


@click.command("bedrock", epilog=EXIT_CODES)
@click.option(
    "--config", type=click.Path(path_type=Path),
    help="The fleet's configuration. Default: $EDGEMIND_CONFIG, edgemind.yaml, or a demo's in this folder.",
)  # fmt: skip
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
def check_bedrock(config: Path | None, output: str) -> None:
    """Ask each model of the group `bedrock` for one token, as the proxy would: region, credentials, access to models.

    Run it where the proxy runs, with its credentials. It costs what a one-token answer of each model costs.
    """
    with exit_codes():
        settings = load_settings(configuration_file(config), resolve_secrets=False)
        link = open_bedrock(settings)
    tried = asyncio.run(_try_all(link))
    click.echo(json.dumps(_document(link, tried), indent=2) if output == "json" else _text(link, tried))
    if any(one.fault for one in tried):
        raise click.exceptions.Exit(1)


async def _try_all(link: BedrockLink) -> list[Tried]:
    sweeping = asyncio.create_task(link.pools.run())
    try:
        return [await _try(link, model) for model in link.settings.models]
    finally:
        sweeping.cancel()
        await link.pools.close()


async def _try(link: BedrockLink, model: BedrockModelSettings) -> Tried:
    began_s = time.monotonic()
    fault, said = None, "answers"
    try:
        async with aclosing(link.models.converse(model.model_id, ONE_TOKEN, streaming=model.streaming)) as events:
            async for _ in events:
                pass
    except CallFailed as exc:
        fault, said = exc.fault, exc.for_operators
    return Tried(model, (time.monotonic() - began_s) * 1000.0, fault, said)


def _document(link: BedrockLink, tried: Sequence[Tried]) -> dict[str, object]:
    return {
        "region": link.region,
        "endpoint": link.where,
        "models": [
            {
                "name": one.model.name,
                "model_id": one.model.model_id,
                "answers": one.fault is None,
                "fault": one.fault.name.lower() if one.fault else None,
                "said": one.said,
                "took_ms": round(one.took_ms, 1),
            }
            for one in tried
        ],
    }


def _text(link: BedrockLink, tried: Sequence[Tried]) -> str:
    rows = [
        [
            "ok" if one.fault is None else one.fault.name.lower(),
            one.model.name,
            one.model.model_id,
            f"{one.took_ms:.0f} ms",
        ]
        for one in tried
    ]
    table = text_table(["VERDICT", "MODEL", "AT BEDROCK", "TOOK"], rows)
    mends = [f"  {one.model.name}: {one.said}" for one in tried if one.fault]
    heading = f"Bedrock in {link.region}, at {link.where}:"
    return "\n".join([heading, "", table, *(["", "To mend:", *mends] if mends else [])])

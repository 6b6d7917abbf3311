"""`edgemind model-server`: real processes that answer for the models a site declares."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import click

from edgemind.domain.fleet import Engine
from edgemind.entrypoints.exit_codes import exit_codes
from edgemind.entrypoints.log_setup import set_up_logging
from edgemind.entrypoints.model_server.assignment import Assignment, assignment_of
from edgemind.entrypoints.model_server.serving import Address, reserve, serve
from edgemind.entrypoints.model_server.slots import Slots
from edgemind.entrypoints.model_server.tracing import traced
from edgemind.settings import Settings, load_settings, with_telemetry_secrets

WAITING_PER_SLOT = 64
"""Requests that may wait behind each slot; the next one is answered 503."""


@click.command("model-server")
@click.option("--config", "config", type=click.Path(path_type=Path), required=True, help="edgemind.yaml.")
@click.option("--site", required=True, help="A site, or the cloud tier's name.")
@click.option("--model", help="Serve this one. Without it: all simulated models of the site.")
@click.option("--bind", help="Listen here instead of the host of base_url; 0.0.0.0 in a container.")
@click.option("--seed", default=0, show_default=True, help="Simulated models: seed of the service times.")
@click.option("--gguf", type=click.Path(path_type=Path), help="llama.cpp: weights; smollm2-135m brings its own.")
@click.option("--threads", type=click.IntRange(1, 256), default=1, show_default=True,
              help="llama.cpp: CPU threads. They wait for each other spinning, so count only cores this server has "
              "to itself; on a laptop several sites share them.")  # fmt: skip
@click.option("--context-tokens", type=click.IntRange(128, 131_072), default=1024, show_default=True,
              help="llama.cpp: prompt and answer of one request together; memory grows with it.")  # fmt: skip
@click.option("--verbose", is_flag=True, help="llama.cpp: its own log on stderr.")
def model_server(  # noqa: PLR0913, PLR0917 - click passes each option as an argument
    config: Path, site: str, model: str | None, bind: str | None, seed: int, gguf: Path | None, threads: int,
    context_tokens: int, verbose: bool,
) -> None:  # fmt: skip
    """Serve models of a site: all simulated ones in one process, or one model by llama.cpp.

    Exit codes: 0 stopped by SIGTERM or SIGINT; 2 wrong usage or configuration, a port that is taken or weights that
    cannot be loaded.
    """
    with exit_codes():
        settings = with_telemetry_secrets(load_settings(config, resolve_secrets=False), config)
        set_up_logging(settings.telemetry.logs, site, "model-server")
        assigned = assignment_of(settings, site, model)
        if assigned.engine is Engine.SIMULATED:
            serve_simulated(assigned, bind, seed, settings)
        else:
            serve_llama(assigned, bind, gguf, threads, context_tokens, verbose, settings)


def serve_simulated(assigned: Assignment, bind: str | None, seed: int, settings: Settings) -> None:
    """Blocks until SIGTERM. How far it was scaled is kept beside the state. Raises ConfigurationError."""
    from edgemind.adapters.inference.simulated import SimulatedModel
    from edgemind.adapters.scaler.replica_file import ReplicaFile
    from edgemind.entrypoints.model_server.scaling import Scaling
    from edgemind.entrypoints.model_server.service import Station, Stations
    from edgemind.entrypoints.model_server.simulated_app import simulated_app

    # One generator a model: how busy one model is must not change what another one draws.
    models = [
        SimulatedModel(endpoint, Random(f"{seed}/{assigned.site}/{endpoint.model}")) for endpoint in assigned.endpoints
    ]
    stations = Stations([Station(model, WAITING_PER_SLOT, assigned.wan_ms) for model in models])
    scaling = Scaling(stations, ReplicaFile(settings.state.directory, assigned.site))
    scaling.restore()
    places = _places(assigned, bind)
    sockets = reserve(places)
    with traced(simulated_app(stations, scaling), assigned, settings) as app:
        serve(app, sockets, lambda: _announce(assigned, places))


def serve_llama(
    assigned: Assignment, bind: str | None, gguf: Path | None, threads: int, context_tokens: int, verbose: bool,
    settings: Settings,
) -> None:  # fmt: skip
    """Blocks until SIGTERM. Raises ConfigurationError."""
    from edgemind.adapters.inference.llama_cpp import LlamaOptions, llama_engine
    from edgemind.adapters.inference.llama_wheels import check_engine, weights_for
    from edgemind.entrypoints.model_server.llama_app import llama_app

    endpoint = assigned.endpoints[0]
    check_engine()
    weights = weights_for(endpoint.model, gguf)
    options = LlamaOptions(endpoint.model, weights, endpoint.slots, context_tokens, threads, verbose=verbose)
    places = _places(assigned, bind)
    sockets = reserve(places)
    slots = Slots(endpoint.slots, WAITING_PER_SLOT, endpoint.service_ms)
    with (
        llama_engine(options) as engine,
        ThreadPoolExecutor(endpoint.slots, "llama") as executor,
        traced(llama_app(endpoint.model, engine, slots, executor), assigned, settings) as app,
    ):
        serve(app, sockets, lambda: _announce(assigned, places))


def _places(assigned: Assignment, bind: str | None) -> list[Address]:
    """Where to listen: at the addresses of base_url, or at their ports on another interface."""
    return list(dict.fromkeys((bind or host, port) for host, port in assigned.addresses))


def _announce(assigned: Assignment, places: Sequence[Address]) -> None:
    """One line on stdout: whoever started this process can wait for it."""
    models = ", ".join(endpoint.model for endpoint in assigned.endpoints)
    listening = ", ".join(f"{host}:{port}" for host, port in places)
    wan = f" behind a simulated WAN of {assigned.wan_ms:g} ms" if assigned.wan_ms else ""
    click.echo(f"{assigned.site}: {models} ({assigned.engine.value}) on {listening}{wan}")

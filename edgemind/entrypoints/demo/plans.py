"""Which processes a demo consists of: their command lines, and where each says that it is ready."""

from importlib.util import find_spec
from pathlib import Path

import edgemind
from edgemind.domain.device_mixes import REAL_LLM
from edgemind.entrypoints.demo.layout import CLOUD, DemoFleet, DemoSite, url
from edgemind.entrypoints.demo.processes import ProcessPlan
from edgemind.entrypoints.demo.status_page import status_page_arguments

_EDGEMIND = "edgemind"
GIVES_WAY = 10
"""The niceness of what computes for seconds: a laptop's few cores are a whole fleet's, whose sites vote in 100 ms."""


def fleet_plans(fleet: DemoFleet, config: Path, seed: int) -> list[ProcessPlan]:
    """Every process of the fleet; those that take longest to start come first."""
    plans = []
    if fleet.llama:
        plans += [_llama(site, config) for site in fleet.sites]
    plans += [_controller(site, config) for site in fleet.sites]
    plans += [_gateway(site, config) for site in fleet.sites]
    plans += [_simulated(site.name, site.name, site.simulated_port, config, seed) for site in fleet.sites]
    plans.append(_simulated(CLOUD, None, fleet.cloud_port, config, seed))
    return plans


def page_plan(fleet: DemoFleet, viewer_token: str) -> ProcessPlan | str:
    """The dashboard, or why there is none (one line for people)."""
    # Beside this package, as it is installed: a folder of that name where the user stands may be anything.
    page = Path(edgemind.__file__).parents[1] / "dashboard" / "main.py"
    if not page.exists():
        return "the dashboard is not part of this installation"
    if find_spec("streamlit") is None:
        return 'the dashboard needs streamlit: pip install "edgemind-mec[demo]"'
    # This fleet, whatever other one the user's shell points to.
    asked = {"EDGEMIND_FLEET_URL": fleet.sites[0].controller_url, "EDGEMIND_FLEET_TOKEN": viewer_token}
    ready_url = f"{url(fleet.page_port)}/_stcore/health"
    arguments = status_page_arguments(page, fleet.page_port)
    return ProcessPlan("status-page", "streamlit", arguments, ready_url, environment=asked, niceness=GIVES_WAY)


def _llama(site: DemoSite, config: Path) -> ProcessPlan:
    arguments = ("model-server", *_for_site(site.name, config), "--model", REAL_LLM)
    return ProcessPlan(
        f"{site.name}-llama", _EDGEMIND, arguments, f"{url(site.llama_port)}/health", site.name, niceness=GIVES_WAY
    )


def _simulated(name: str, site: str | None, port: int, config: Path, seed: int) -> ProcessPlan:
    arguments = ("model-server", *_for_site(name, config), "--seed", str(seed))
    process = f"{name}-simulated" if site else name
    return ProcessPlan(process, _EDGEMIND, arguments, f"{url(port)}/health", site)


def _gateway(site: DemoSite, config: Path) -> ProcessPlan:
    arguments = ("gateway", *_for_site(site.name, config))
    return ProcessPlan(f"{site.name}-gateway", _EDGEMIND, arguments, f"{url(site.admin_port)}/readyz", site.name)


def _controller(site: DemoSite, config: Path) -> ProcessPlan:
    # Agents vote where their packages are installed.
    arguments = ("controller", *_for_site(site.name, config), "--voter", "auto")
    return ProcessPlan(f"{site.name}-controller", _EDGEMIND, arguments, f"{site.controller_url}/healthz", site.name)


def _for_site(site: str, config: Path) -> tuple[str, ...]:
    return "--config", str(config), "--site", site

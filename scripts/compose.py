"""`./run compose`: the fleet in containers, what started and where it is, a site's network cut and joined again."""

from collections.abc import Callable, Sequence

from scripts.containers import Container, Fleet
from scripts.trouble import Trouble

GATEWAY, CONTROLLER = "-gateway", "-controller"
GATEWAY_PORT, FLEET_API_PORT, PAGE_PORT = 8100, 8200, 8600
KEY, TOKEN = "/var/lib/edgemind/key", "/var/lib/edgemind/viewer.token"
METRO = "metro"
QUESTION = '{"model": "simulated-llm", "max_tokens": 24, "messages": [{"role": "user", "content": "Say hello."}]}'
USAGE = """\
./run compose [up [flags]]   start all, wait until it is healthy, tell where it is (--build after a change)
./run compose status         what there is and how it is
./run compose cut SITE       take a site off the metro's network: it serves its devices by itself
./run compose rejoin SITE    put it back
./run compose down           stop and remove all: containers, networks, volumes
./run compose ...            anything else is for `docker compose -f deploy/compose.yaml`
"""


def run(fleet: Fleet, arguments: Sequence[str]) -> int:
    """One verb; its exit code. Raises Trouble."""
    verb, *rest = arguments or ["up"]
    if verb in ("help", "-h", "--help"):
        print(USAGE, end="")
        return 0
    fleet.check()
    known: dict[str, Callable[[Fleet, Sequence[str]], int]] = {
        "up": up, "status": status, "cut": cut, "rejoin": rejoin, "down": down
    }  # fmt: skip
    if verb in known:
        return known[verb](fleet, rest)
    return fleet.compose(*arguments)


def up(fleet: Fleet, flags: Sequence[str]) -> int:
    code = fleet.compose("up", "--detach", "--wait", *flags)
    containers = fleet.containers()
    ill = [container for container in containers if not container.well]
    if code != 0 or ill:
        print("\n".join(["", *_rows(ill)]), flush=True)
        raise Trouble(
            "not everything came up: `./run compose logs SERVICE` says why; ports that are taken are changed by the "
            "variables in deploy/compose.yaml; `./run compose down` removes what there is"
        )
    print("\n".join(["", *_rows(containers), "", *_welcome(fleet, containers)]), flush=True)
    return 0


def status(fleet: Fleet, rest: Sequence[str]) -> int:
    """Exit code 0 if all is well, 1 if not."""
    _takes(rest, "status")
    containers = fleet.containers()
    if not containers:
        print("nothing is there; `./run compose up` starts it")
        return 1
    print("\n".join(_rows(containers)))
    return 0 if all(container.well for container in containers) else 1


def down(fleet: Fleet, flags: Sequence[str]) -> int:
    code = fleet.compose("down", "--volumes", "--remove-orphans", *flags)
    if code == 0:
        print("compose: nothing is left but the images")
    return code


def cut(fleet: Fleet, rest: Sequence[str]) -> int:
    network, members = fleet.network(METRO), _members(fleet, _site(rest, "cut"))
    for container in members:
        fleet.detach(network, container)
    print(f"compose: {rest[0]} is off the metro; its devices still reach it. `./run compose rejoin {rest[0]}`")
    return 0


def rejoin(fleet: Fleet, rest: Sequence[str]) -> int:
    network, members = fleet.network(METRO), _members(fleet, _site(rest, "rejoin"))
    for container in members:
        fleet.attach(network, container)
    print(f"compose: {rest[0]} is on the metro again")
    return 0


def _members(fleet: Fleet, site: str) -> list[Container]:
    """What joins a site to the metro. Trouble if there is no such site, or it does not run."""
    containers = fleet.containers()
    sites = _sites(containers)
    if site not in sites:
        raise Trouble(f"no site is called {site}; running are {', '.join(sites) or 'none'}")
    wanted = (site + GATEWAY, site + CONTROLLER)
    return [container for container in containers if container.service in wanted]


def _site(rest: Sequence[str], verb: str) -> str:
    if len(rest) != 1:
        raise Trouble(f"./run compose {verb} takes one site, such as site-a")
    return rest[0]


def _sites(containers: Sequence[Container]) -> list[str]:
    return [one.service.removesuffix(GATEWAY) for one in containers if one.service.endswith(GATEWAY)]


def _rows(containers: Sequence[Container]) -> list[str]:
    return [f"{container.service:<20} {container.condition}" for container in containers]


def _welcome(fleet: Fleet, containers: Sequence[Container]) -> list[str]:
    """Where everything is, and a request to paste."""
    by_service = {container.service: container for container in containers}
    sites = _sites(containers)
    lines = [
        f"{site:<13} {_url(by_service[site + GATEWAY], GATEWAY_PORT)}   "
        f"fleet API {_url(by_service[site + CONTROLLER], FLEET_API_PORT)}"
        for site in sites
    ]
    first = sites[0] + CONTROLLER
    key, token = fleet.read(first, KEY), fleet.read(first, TOKEN)
    return [
        *lines,
        f"status page   {_url(by_service['status-page'], PAGE_PORT)}",
        f"demo key      {key}",
        f"viewer token  {token}",
        "",
        "Ask it something:",
        f"  curl {_url(by_service[sites[0] + GATEWAY], GATEWAY_PORT)}/v1/chat/completions \\",
        f'    -H "authorization: Bearer {key}" -H "content-type: application/json" \\',
        f"    -d '{QUESTION}'",
        "",
        "`./run compose down` removes all of it.",
    ]


def _url(container: Container, port: int) -> str:
    return f"http://127.0.0.1:{container.ports.get(port, 0)}"


def _takes(rest: Sequence[str], verb: str) -> None:
    if rest:
        raise Trouble(f"./run compose {verb} does not know {' '.join(rest)}; see ./run compose help")

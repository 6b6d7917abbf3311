"""`./run compose` with a docker of our own: what it says without one, what it asks for, what it tells."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from scripts.compose import run
from scripts.containers import Fleet, documents
from scripts.trouble import Trouble

STUB = """\
#!/bin/sh
here=$(dirname "$0")
echo "$*" >> "$here/asked"
case "$*" in
  "compose version --short") {plugin} ;;
  "version --format"*) {engine} ;;
  *" ps "*) cat "$here/ps" ;;
  *" config "*) echo '{{"networks": {{"metro": {{"name": "other_metro"}}}}}}' ;;
  *" exec "*) echo "text of $(echo "$*" | sed 's/.* //')" ;;
  *" up "*) exit {up} ;;
esac
"""


def container(service: str, **values: object) -> dict[str, object]:
    ports = {"gateway": (8100, 18101), "controller": (8200, 18201), "page": (8600, 18600)}
    target, published = ports.get(service.rpartition("-")[2], (0, 0))
    publishers = [{"TargetPort": target, "PublishedPort": published}] if published else None
    document = {"Name": f"x-{service}-1", "Service": service, "State": "running", "Health": "healthy", "ExitCode": 0}
    return {**document, "Publishers": publishers, **values}


FLEET = [
    container("site-a-gateway"), container("site-a-controller"), container("status-page"),
    container("prepare", State="exited", Health=""),
]  # fmt: skip


class Stub:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def fleet(
        self,
        containers: Sequence[dict[str, object]] = (),
        plugin: str = "echo 2.26.1",
        engine: str = "echo 28",
        up: int = 0,
    ) -> Fleet:
        script = self._folder / "docker"
        script.write_text(STUB.format(plugin=plugin, engine=engine, up=up))
        script.chmod(0o755)
        (self._folder / "ps").write_text("\n".join(json.dumps(one) for one in containers))
        return Fleet(Path("/tree"), str(script))

    def asked(self) -> list[str]:
        return (self._folder / "asked").read_text().splitlines()


@pytest.fixture
def stub(tmp_path: Path) -> Stub:
    return Stub(tmp_path)


def test_without_docker_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match=r"no Docker on this machine.*`\./run demo`"):
        run(Fleet(tmp_path, str(tmp_path / "docker")), [])


@pytest.mark.parametrize(
    ("plugin", "engine", "words"),
    [
        ("exit 1", "echo 28", "no compose plugin"),
        ("echo 1.29.2", "echo 28", "compose 1.29.2 is too old"),
        ("echo v2.26", "echo Cannot connect to the engine >&2; exit 1", r"\(Cannot connect to the engine\): start it"),
    ],
)
def test_what_is_missing_is_named(stub: Stub, plugin: str, engine: str, words: str) -> None:
    with pytest.raises(Trouble, match=words):
        run(stub.fleet(plugin=plugin, engine=engine), ["up"])


def test_up_tells_what_started_and_where(stub: Stub, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(stub.fleet(FLEET), []) == 0
    told = capsys.readouterr().out
    for words in ("site-a-gateway       healthy", "prepare              done", "http://127.0.0.1:18101",
                  "fleet API http://127.0.0.1:18201", "status page   http://127.0.0.1:18600",
                  "demo key      text of /var/lib/edgemind/key"):  # fmt: skip
        assert words in told
    assert "compose --file /tree/deploy/compose.yaml up --detach --wait" in stub.asked()


@pytest.mark.parametrize(("health", "up"), [("unhealthy", 0), ("healthy", 1)])
def test_what_does_not_come_up_is_named(stub: Stub, capsys: pytest.CaptureFixture[str], health: str, up: int) -> None:
    fleet = stub.fleet([*FLEET, container("valkey", Health=health)], up=up)
    with pytest.raises(Trouble, match="not everything came up"):
        run(fleet, ["up"])
    assert ("valkey               unhealthy" in capsys.readouterr().out) is (health == "unhealthy")


def test_status_is_an_exit_code_too(stub: Stub, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(stub.fleet(FLEET), ["status"]) == 0
    failed = container("prepare", State="exited", Health="", ExitCode=3)
    assert run(stub.fleet([failed]), ["status"]) == 1
    assert "ended with exit code 3" in capsys.readouterr().out
    assert run(stub.fleet(), ["status"]) == 1


def test_a_site_is_cut_off_and_put_back_under_its_name(stub: Stub) -> None:
    fleet = stub.fleet(FLEET)
    assert run(fleet, ["cut", "site-a"]) == run(fleet, ["rejoin", "site-a"]) == 0
    moved = [line for line in stub.asked() if line.startswith("network ")]
    assert moved == [
        "network disconnect other_metro x-site-a-controller-1",
        "network disconnect other_metro x-site-a-gateway-1",
        "network connect --alias site-a-controller other_metro x-site-a-controller-1",
        "network connect --alias site-a-gateway other_metro x-site-a-gateway-1",
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["cut"], "takes one site"), (["cut", "site-z"], "running are site-a"), (["status", "x"], "does not know x")],
)
def test_wrong_words_are_refused(stub: Stub, arguments: list[str], words: str) -> None:
    with pytest.raises(Trouble, match=words):
        run(stub.fleet(FLEET), arguments)


def test_down_removes_volumes_and_other_words_go_to_compose(stub: Stub) -> None:
    fleet = stub.fleet()
    assert run(fleet, ["down"]) == run(fleet, ["logs", "--tail", "5", "valkey"]) == 0
    file = "compose --file /tree/deploy/compose.yaml"
    assert f"{file} down --volumes --remove-orphans" in stub.asked()
    assert f"{file} logs --tail 5 valkey" in stub.asked()


def test_help_needs_no_docker(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(Fleet(tmp_path, str(tmp_path / "docker")), ["help"]) == 0
    assert "./run compose cut SITE" in capsys.readouterr().out


def test_older_compose_answers_with_one_list() -> None:
    assert documents('[{"Name": "a"}, {"Name": "b"}]') == documents('{"Name": "a"}\n{"Name": "b"}\n')
    assert documents("") == []

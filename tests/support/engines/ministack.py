"""ministack: many AWS services on this machine, CloudFormation among them."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from scripts.groups import MINISTACK
from tests.support.engines.aws import ACCOUNT, LocalAws
from tests.support.engines.process import ROOT, listening
from tests.support.serving import free_port

PYTHON = ROOT / ".venvs" / MINISTACK.name / "bin" / "python"


def why_not() -> str | None:
    """Why it cannot be started here; None if it can."""
    return None if PYTHON.exists() else "no ministack: `./run test` installs it"


@dataclass(frozen=True, slots=True)
class Stub:
    """A stand-in for a resource type that ministack's CloudFormation does not know: it is only remembered.

    `prefix` is that of the physical ids; GetAtt of anything but `attributes` fails, as on AWS. With `only_with`, it
    stands in for resources that have that property alone: ministack knows the type, and not this of it.
    """

    prefix: str
    attributes: tuple[str, ...] = ()
    only_with: str = ""


@contextmanager
def running(folder: Path, stubs: Mapping[str, Stub] | None = None, images: Sequence[str] = ()) -> Iterator[LocalAws]:
    """One of its own, empty, with its log in `folder`.

    `stubs` by resource type: one that ministack knows is refused. `images` names public parameters of machine images.
    """
    port = free_port()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment = {
        **kept,
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
    }
    command = [str(PYTHON), "-m", "ministack"]
    if stubs is not None:
        table = json.dumps({"types": {name: asdict(stub) for name, stub in stubs.items()}, "images": list(images)})
        # -P: beside that file lies one called ministack.py.
        command = [str(PYTHON), "-P", str(Path(__file__).with_name("ministack_stubs.py")), table]
    with listening(command, port, folder / "ministack.log", environment, folder):
        yield LocalAws("ministack", f"http://127.0.0.1:{port}")

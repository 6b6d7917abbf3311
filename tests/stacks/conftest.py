"""One synthesis of each environment for all tests of this folder: it takes seconds, look-ups afterwards nothing."""

from collections.abc import Callable

import pytest

from tests.support.assemblies import Assembly, node, synthesize

Synthesized = Callable[[str], Assembly]


@pytest.fixture(scope="session")
def needed() -> None:
    """Skips what cannot be synthesized on this machine."""
    pytest.importorskip("aws_cdk", reason="the CDK is not installed: ./run test installs it where it can be had")
    if node() is None:
        pytest.skip("there is no Node.js, which the CDK runs on")


@pytest.fixture(scope="session")
def synthesized(needed: None, tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    """`synthesized("staging")` is the cloud assembly of that environment: `.path`, `.templates`, `.stacks`."""
    made: dict[str, Assembly] = {}

    def assembly(environment: str) -> Assembly:
        if environment not in made:
            made[environment] = synthesize(environment, tmp_path_factory.mktemp(environment) / "cdk.out")
        return made[environment]

    return assembly


@pytest.fixture(scope="session", params=["staging", "production"])
def tier(request: pytest.FixtureRequest) -> str:
    """Each environment in turn."""
    name: str = request.param
    return name

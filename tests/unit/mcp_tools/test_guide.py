"""docs/mcp.md has the tools and the numbers that the code has."""

import re
from pathlib import Path

import pytest

from mcp_tools import arguments, chat, container_ops, http_server, inference, tools
from mcp_tools.catalogue import SERVERS

GUIDE = (Path(__file__).parents[3] / "docs" / "mcp.md").read_text(encoding="utf-8")


def test_its_table_has_every_tool_and_resource() -> None:
    rows = re.findall(r"^\| `(\w+)` \|([^|]*)\|([^|]*)\|$", GUIDE, re.MULTILINE)
    listed = {name: (re.findall(r"`(\w+)`", named), re.findall(r"`([^`]+)`", uris)) for name, named, uris in rows}
    assert listed == {
        name: ([tool.run.__name__ for tool in spec.tools], [one.uri for one in spec.resources])
        for name, spec in SERVERS.items()
    }


@pytest.mark.parametrize(
    "written",
    [
        (
            f"| a tool's answer from the fleet | {tools.TIMEOUT_S:g} s; `drain_site` "
            f"{container_ops.SERVER.tools[-1].timeout_s:g} s, "
            f"`run_inference` {inference.SERVER.tools[-1].timeout_s:g} s |"
        ),
        f"| a result | {tools.RESULT_LIMIT_BYTES // 1024} KiB;",
        f"| a request's body over HTTP | {http_server.BODY_LIMIT_BYTES // 1024} KiB |",
        (
            f"| a prompt, and its answer | {inference.PROMPT_LIMIT:,} characters; {inference.TOKENS_LIMIT} tokens, "
            f"{chat.ANSWER_LIMIT_BYTES // 1024**2} MiB |"
        ),
        f"| sites, models or decisions on a page | {arguments.PAGE_LIMIT}; rounds {arguments.ROUNDS_LIMIT} |",
    ],
)
def test_its_limits_are_those_in_force(written: str) -> None:
    assert written in GUIDE

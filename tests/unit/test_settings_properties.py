"""Properties: a finding always names the line of the mistake, and no text whatever leads to any other error."""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from edgemind.errors import ConfigurationError
from edgemind.settings import effective_config, load_settings
from tests.unit.settings_example import EXAMPLE, SECRETS, write_example

LINES = EXAMPLE.rstrip("\n").split("\n")
FILLERS = st.lists(st.sampled_from(["", "# a comment", "   # indented: [", "\r"]), max_size=3)
PIECES = (
    *("version", "sites", "name", "models", "limits", "1", "-1", "1e999", "null", "é", "\\ud800"),
    *(":", "-", "[", "]", "{", "}", ",", "&a ", "*a", "!!int ", "<<", "|", ">", "'", '"', "#", "~", "%", "@"),
    *("\n", "\n  ", ": ", "- ", " ", "\t", "\u2028"),
)
WORDS = st.sampled_from(PIECES)


def load(text: str) -> str | None:
    """None if the text is accepted, else the refusal; any other exception is a failure."""
    with tempfile.TemporaryDirectory() as folder:
        path = write_example(Path(folder), text)
        try:
            effective_config(load_settings(path, SECRETS))
        except ConfigurationError as exc:
            return str(exc).replace(str(path), "F")
        return None


@given(
    site_fillers=st.lists(FILLERS, min_size=1, max_size=6),
    model_counts=st.lists(st.integers(1, 4), min_size=1, max_size=6),
    data=st.data(),
)
@settings(max_examples=40, deadline=None)
def test_a_mistake_is_reported_on_its_own_line(
    site_fillers: list[list[str]], model_counts: list[int], data: st.DataObject
) -> None:
    lines = ["version: 1", "auth: off", "sites:"]
    targets: list[tuple[int, str]] = []
    for site, (fillers, count) in enumerate(zip(site_fillers, model_counts, strict=False)):
        lines += [f"  - name: site-{site}", *fillers, "    models:"]
        for model in range(count):
            lines += [f"      - name: m{model}", f"        base_url: http://h{site}:1", "        slots: 1"]
            targets.append((len(lines), f"sites[{site}].models[{model}]."))
            lines += ["        service_ms: 5", *fillers]
    index, prefix = data.draw(st.sampled_from(targets))
    wrong, field = data.draw(st.sampled_from([("slot: 1", "slot"), ("service_ms: -5", "service_ms")]))
    if field == "service_ms":
        lines[index] = f"        {wrong}"
    else:
        lines.insert(index, f"        {wrong}")
    number = "\n".join(lines[: index + 1]).count("\n") + 1
    refusal = load("\n".join(lines) + "\n")
    assert refusal is not None
    assert refusal.startswith(f"F:{number}: {prefix}{field}: ")
    assert "\n" not in refusal


@given(position=st.integers(0, len(LINES)), data=st.data())
@settings(max_examples=60, deadline=None)
def test_comments_and_blank_lines_change_no_meaning(position: int, data: st.DataObject) -> None:
    lines = [*LINES[:position], *data.draw(FILLERS), *LINES[position:]]
    assert load("\n".join(lines)) is None


@given(text=st.text(max_size=200))
@settings(max_examples=150, deadline=None)
def test_any_text_is_refused_or_accepted_and_nothing_else(text: str) -> None:
    load(text.encode("utf-8", "ignore").decode())


@given(text=st.lists(WORDS, max_size=40).map("".join))
@settings(max_examples=200, deadline=None)
def test_any_yaml_like_text_is_refused_or_accepted_and_nothing_else(text: str) -> None:
    refusal = load(text)
    assert refusal is None or all(line.startswith(("F:", "...")) for line in refusal.split("\n"))


@given(line=st.integers(0, len(LINES) - 1), column=st.integers(0, 120), junk=st.lists(WORDS, max_size=4).map("".join))
@settings(max_examples=200, deadline=None)
def test_a_damaged_example_is_refused_or_accepted_and_nothing_else(line: int, column: int, junk: str) -> None:
    damaged = LINES[line][:column] + junk + LINES[line][column + len(junk) :]
    refusal = load("\n".join([*LINES[:line], damaged, *LINES[line + 1 :]]))
    assert refusal is None or all(text.startswith("F:") for text in refusal.split("\n"))

"""Files that are no configuration at all: one clear line each, quickly."""

import errno
import os
from pathlib import Path

import pytest
import yaml

from edgemind.errors import ConfigurationError
from edgemind.settings import document as document_module
from edgemind.settings import load_settings
from edgemind.settings.document import parse_document, plain_value
from tests.unit.settings_example import EXAMPLE, SECRETS, write_example

BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))


def refused(path: Path) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(path, SECRETS)
    (line,) = str(caught.value).split("\n")
    return line.removeprefix(str(path))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", ":1: is empty; start with version: 1"),
        (b"# nothing\n", ":1: is empty"),
        (b"- a\n- b\n", ":1: is not a mapping at its top level"),
        (b"just words", ":1: is not a mapping at its top level"),
        (b"version: 1\nmetro: \xff\xfe", ":2: is not UTF-8 text; save the file as UTF-8"),
        (EXAMPLE.encode("utf-16"), ":1: is not UTF-8 text"),
        (b"version: 1\n\x00", ":2: holds the control character '\\x00'; remove it"),
        (b"version: 1\nsites: [a, b\nlimits: {}\n", ":3: is not valid YAML: while parsing a flow sequence"),
        (b"version: 1\n\tmetro: x\n", ":2: is not valid YAML"),
        (b"version: 1\nmetro: *nobody\n", ":2: is not valid YAML: found undefined alias"),
        (b"version: 1\n---\nversion: 1\n", ":2: starts a second document"),
        (b"version: " + b"[" * 100_000, ":1: is nested more than 24 deep"),
        (b"a: &a [*a]\n", ":1: repeats itself through aliases"),
        (BOMB.encode(), "repeats itself through aliases"),
        ("a: 1 # \u2028 b\n".encode(), ":1: holds the control character '\\u2028'; remove it"),
        (b"x" * (1 << 20) + b"x", ": is over 1048576 bytes"),
        (b"a: [" + b"1," * 300_000 + b"]", ":1: holds more than 100000 values"),
    ],
    ids=range(17),
)
def test_a_file_that_is_no_configuration(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "edgemind.yaml"
    path.write_bytes(content)
    assert words in refused(path)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    assert "no such file; create it or name another with --config" in refused(tmp_path / "absent.yaml")
    assert f"is a directory; name the file in it, such as {tmp_path}/edgemind.yaml" in refused(tmp_path)
    assert "cannot be read (file name too long)" in refused(tmp_path / ("x" * 300))
    assert "is not a path; name the file with --config" in refused(tmp_path / "nul\0")
    os.mkfifo(tmp_path / "pipe")
    assert "is not a regular file" in refused(tmp_path / "pipe")


def test_a_file_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_example(tmp_path)

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    # Not chmod: root, which containers run tests as, may read everything.
    monkeypatch.setattr(Path, "open", refuse)
    assert "cannot be read (permission denied); correct its path or permissions" in refused(path)


def test_a_byte_order_mark_and_windows_line_ends_are_fine(tmp_path: Path) -> None:
    path = write_example(tmp_path)
    path.write_bytes(b"\xef\xbb\xbf" + EXAMPLE.replace("\n", "\r\n").encode())
    assert load_settings(path, SECRETS).metro == "demo"


def test_anchors_and_aliases_work(tmp_path: Path) -> None:
    text = EXAMPLE.replace("zones: [local, de]", "zones: &z [local, de]").replace("zones: [eu]", "zones: *z")
    assert load_settings(write_example(tmp_path, text), SECRETS).site("site-b").zones == {"local", "de"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("off", "off"), ("yes", "yes"), ("12:30", "12:30"), ("2026-01-01", "2026-01-01"), ("1_000", "1_000"),
        ("true", True), ("False", False), ("~", None), ("", None), ("NULL", None), ("10", 10), ("-3", -3), ("007", 7),
        ("0.8", 0.8), (".5", 0.5), ("1e3", 1000.0), ("5.", 5.0), ("9" * 80, "9" * 80),
    ],
)  # fmt: skip
def test_unquoted_words_mean_what_json_would_have_them_mean(text: str, value: object) -> None:
    result = plain_value(text)
    assert (type(result), result) == (type(value), value)


@pytest.mark.parametrize(
    "text", [EXAMPLE, BOMB, "a: [1\nb", "\ta", "a: *b", "--- 1\n--- 2", "[" * 30, "a: !b {c: [d]}", "é: 1"]
)
def test_the_parser_in_python_says_the_same_as_the_one_in_c(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def outcome() -> object:
        try:
            return parse_document(text, "f")
        except ConfigurationError as exc:
            return str(exc).split("YAML:")[0]

    usual = outcome()
    monkeypatch.setattr(document_module, "_Loader", yaml.SafeLoader)
    assert outcome() == usual


def test_half_a_surrogate_pair_is_refused_by_either_parser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = EXAMPLE.replace("metro: demo", r'metro: "\ud800"').replace("drain_s: 2.5", r'"\ud800": 2.5')
    path = write_example(tmp_path, text)
    assert ":2: is not valid YAML" in refused(path)
    monkeypatch.setattr(document_module, "_Loader", yaml.SafeLoader)
    with pytest.raises(ConfigurationError) as caught:
        load_settings(path, SECRETS)
    messages = [line.removeprefix(f"{path}:").partition(": ")[2] for line in str(caught.value).split("\n")]
    assert messages == [
        "metro: holds half of a surrogate pair; write the character itself",
        "limits: has a key that is no plain word; write one",
    ]


def test_every_value_has_its_line() -> None:
    document = parse_document("# one\na: 1\r\nb: [1,\n  2]\n", "f")
    assert document.lines[("a",)] == 2
    assert document.lines[("b",)] == 3
    assert document.lines[("b", 1)] == 4

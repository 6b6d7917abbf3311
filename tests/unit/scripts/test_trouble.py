import errno
from pathlib import Path

import pytest

from scripts.trouble import FULL_DISK, NO_BUILD, NO_NETWORK, explain_os_error, explain_pip

PLACE = Path(".venv")


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", FULL_DISK),
        (
            "WARNING: Retrying after NameResolutionError\nERROR: No matching distribution found for click==8.1.8",
            NO_NETWORK,
        ),
        ("ERROR: No matching distribution found for xllamacpp==2026.10", f"xllamacpp {NO_BUILD}"),
    ],
)
def test_pip_failures_say_what_to_do(output: str, expected: str) -> None:
    assert explain_pip(output, PLACE) == expected


def test_a_changed_package_is_not_installed_quietly() -> None:
    message = explain_pip("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", PLACE)
    assert "do not use it" in message


def test_a_folder_that_cannot_be_written_is_named() -> None:
    assert ".venv" in explain_pip("error: [Errno 30] Read-only file system: 'x'", PLACE)


def test_unknown_failures_show_the_last_error() -> None:
    assert explain_pip("Collecting x\nERROR: something new\nbye", PLACE) == "pip failed: ERROR: something new"
    assert explain_pip("", PLACE) == "pip failed: no output"


def test_file_system_errors_say_what_to_do() -> None:
    assert explain_os_error(OSError(errno.ENOSPC, "No space left on device"), PLACE) == FULL_DISK
    assert "no permission to write .venv" in explain_os_error(PermissionError(errno.EACCES, "denied", ".venv"), PLACE)
    assert explain_os_error(OSError(errno.EIO, "I/O error"), PLACE) == ".venv: I/O error"

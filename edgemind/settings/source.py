"""Reading the configuration file itself: every way it can fail is one clear line."""

import re
import stat
from pathlib import Path

from edgemind.errors import ConfigurationError

MAX_BYTES = 1 << 20
# What YAML refuses, and the separators that YAML takes for line ends and editors do not: a comment would end there.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def read_text(path: Path) -> str:
    """The file's text without a byte order mark; ConfigurationError if it is unreadable, no text or over 1 MiB."""
    content = _read_bytes(path)
    if len(content) > MAX_BYTES:
        raise ConfigurationError(f"{path}: is over {MAX_BYTES} bytes; this is not a configuration file, name another")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = content.count(b"\n", 0, exc.start) + 1
        raise ConfigurationError(f"{path}:{line}: is not UTF-8 text; save the file as UTF-8") from None
    if bad := _FORBIDDEN.search(text):
        line = text.count("\n", 0, bad.start()) + 1
        raise ConfigurationError(f"{path}:{line}: holds the control character {bad[0]!r}; remove it")
    return text


def _read_bytes(path: Path) -> bytes:
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise ConfigurationError(f"{path}: is a directory; name the file in it, such as {path / 'edgemind.yaml'}")
        # Looked at before opening: opening a pipe by mistake would wait for ever.
        if not stat.S_ISREG(mode):
            raise ConfigurationError(f"{path}: is not a regular file; copy the configuration into one")
        with path.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise ConfigurationError(f"{path}: no such file; create it or name another with --config") from None
    except OSError as exc:
        reason = (exc.strerror or "input/output error").lower()
        raise ConfigurationError(f"{path}: cannot be read ({reason}); correct its path or permissions") from exc
    except ValueError:
        raise ConfigurationError(f"{str(path)!r}: is not a path; name the file with --config") from None

"""Amazon's event-stream encoding, written from its specification: botocore only decodes it."""

import json
import struct
from collections.abc import Mapping
from zlib import crc32

_STRING = 7


def frame(headers: Mapping[str, str], payload: bytes) -> bytes:
    """Total length, length of the headers, CRC of these two; headers, payload; CRC of everything before it."""
    encoded = b"".join(_header(name, value) for name, value in headers.items())
    prelude = struct.pack("!II", 16 + len(encoded) + len(payload), len(encoded))
    checked = prelude + struct.pack("!I", crc32(prelude)) + encoded + payload
    return checked + struct.pack("!I", crc32(checked))


def event(kind: str, body: Mapping[str, object]) -> bytes:
    headers = {":event-type": kind, ":content-type": "application/json", ":message-type": "event"}
    return frame(headers, json.dumps(body).encode())


def exception(kind: str, message: str) -> bytes:
    headers = {":exception-type": kind, ":content-type": "application/json", ":message-type": "exception"}
    return frame(headers, json.dumps({"message": message}).encode())


def error(code: str, message: str) -> bytes:
    return frame({":message-type": "error", ":error-code": code, ":error-message": message}, b"")


def damaged(whole: bytes) -> bytes:
    """The same frame with one bit of its payload turned over on its way."""
    return whole[:-5] + bytes([whole[-5] ^ 1]) + whole[-4:]


def _header(name: str, value: str) -> bytes:
    key, text = name.encode(), value.encode()
    return struct.pack("!B", len(key)) + key + struct.pack("!BH", _STRING, len(text)) + text

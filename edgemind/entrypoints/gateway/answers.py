"""Whole answers that the gateway gives by itself."""

import orjson

from edgemind.entrypoints.gateway.exchange import Exchange, header_block
from edgemind.entrypoints.gateway.refusals import Refusal, refusal_body, refusal_headers


def answer_refusal(exchange: Exchange, refusal: Refusal, extra: bytes = b"") -> None:
    """Answer with an error of our own; `extra` are further serialized header lines. Nothing if the answer has begun."""
    if exchange.started:
        return
    body = refusal_body(refusal)
    lines = header_block(pair for pair in refusal_headers(refusal, body) if pair[0] != b"content-length")
    chunk = b"" if exchange.head.method == b"HEAD" else body
    exchange.start(refusal.status, lines + extra, chunk, length=len(body), complete=True)


def answer_json(exchange: Exchange, status: int, value: object) -> None:
    body = orjson.dumps(value)
    chunk = b"" if exchange.head.method == b"HEAD" else body
    exchange.start(status, b"content-type: application/json\r\n", chunk, length=len(body), complete=True)

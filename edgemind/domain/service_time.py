"""How long a model itself takes: drawing it for simulated models, and reading it off any model server's answer.

Added latency is what a client waited minus what the model took, so the model's part has to come with the answer.
"""

import json
import math
from collections.abc import Iterable, Mapping
from random import Random

from edgemind.domain.fleet import ServiceTime
from edgemind.errors import ConfigurationError

SERVICE_MS_HEADER = b"x-simulated-service-ms"
FIRST_CHUNK_MS_HEADER = b"x-simulated-first-chunk-ms"
WAN_MS_HEADER = b"x-simulated-wan-ms"
MEASURED_MS_HEADER = b"x-edgemind-service-ms"
"""What a real model took until its answer's first body byte, which of an unstreamed answer is all of its time."""

_SSE_DATA = b"data:"


def draw_ms(declared: ServiceTime, mean_ms: float, rng: Random) -> float:
    """One service time in milliseconds; over many draws their mean is `mean_ms` for every distribution.

    Raises ConfigurationError for a distribution there is not.
    """
    if declared.distribution == "constant":
        return mean_ms
    if declared.distribution == "lognormal":
        # The mean of a lognormal is exp(mu + sigma^2 / 2): uncorrected, a wider sigma would be a slower model.
        return rng.lognormvariate(math.log(mean_ms) - declared.sigma**2 / 2, declared.sigma)
    if declared.distribution == "exponential":
        return rng.expovariate(1 / mean_ms)
    raise ConfigurationError(
        f"there is no distribution {declared.distribution!r}; use lognormal, exponential or constant"
    )


def service_ms_of(headers: Iterable[tuple[bytes, bytes]], body: bytes | None) -> float | None:
    """The model's own time for a whole answer, without queueing and network, or None if the answer does not say.

    Simulated models say it in a header, as the Bedrock proxy does unless it streams, llama.cpp in the `timings` of its
    body (JSON, or the last event of a stream). `headers` have lower-case names. Never raises: an answer that cannot be
    read does not say.
    """
    by_name = dict(headers)
    declared = _number(by_name.get(SERVICE_MS_HEADER))
    if declared is None and not _streams(by_name):
        declared = _number(by_name.get(MEASURED_MS_HEADER))
    if declared is not None:
        return declared
    timings = _timings(body)
    prompt_ms, predicted_ms = _positive(timings.get("prompt_ms")), _positive(timings.get("predicted_ms"))
    return None if prompt_ms is None or predicted_ms is None else prompt_ms + predicted_ms


def first_chunk_ms_of(headers: Iterable[tuple[bytes, bytes]], body: bytes | None) -> float | None:
    """The part of the model's own time that lies before the first body byte: what to subtract from time to first byte.

    The same as `service_ms_of`, except for streams, whose first chunk leaves before the model is done.
    """
    by_name = dict(headers)
    for header in (FIRST_CHUNK_MS_HEADER, MEASURED_MS_HEADER):
        declared = _number(by_name.get(header))
        if declared is not None:
            return declared
    if _streams(by_name):
        # llama.cpp counts the first token into the prompt's time: it comes out of the prompt's last evaluation.
        streamed = _positive(_timings(body).get("prompt_ms"))
        if streamed is not None:
            return streamed
    return service_ms_of(by_name.items(), body)


def _streams(by_name: Mapping[bytes, bytes]) -> bool:
    return by_name.get(b"content-type", b"").startswith(b"text/event-stream")


def _timings(body: bytes | None) -> Mapping[str, object]:
    # Most answers have none: looking for the word is far cheaper than parsing the body to find that out.
    if body is None or b'"timings"' not in body:
        return {}
    for document in _documents(body):
        timings = document.get("timings")
        if isinstance(timings, Mapping):
            return timings
    return {}


def _documents(body: bytes) -> Iterable[Mapping[str, object]]:
    """The JSON objects of a body or of an event stream, last first: the sums come at the end of a stream."""
    lines = [line[len(_SSE_DATA) :] for line in body.splitlines() if line.startswith(_SSE_DATA)] or [body]
    for line in reversed(lines):
        try:
            document = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(document, Mapping):
            yield document


def _number(text: bytes | None) -> float | None:
    if text is None:
        return None
    try:
        return _positive(float(text))
    except ValueError:
        return None


def _positive(value: object) -> float | None:
    """A finite time >= 0, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) and value >= 0 else None

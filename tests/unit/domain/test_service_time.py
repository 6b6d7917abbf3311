from random import Random
from statistics import fmean, pstdev

import pytest

from edgemind.domain.fleet import ServiceTime
from edgemind.domain.service_time import draw_ms, first_chunk_ms_of, service_ms_of
from edgemind.errors import ConfigurationError

DRAWS = 40_000


def drawn(declared: ServiceTime, mean_ms: float, seed: int = 7) -> list[float]:
    rng = Random(seed)
    return [draw_ms(declared, mean_ms, rng) for _ in range(DRAWS)]


@pytest.mark.parametrize(
    "declared",
    [ServiceTime("lognormal", 0.2), ServiceTime("lognormal", 1.0), ServiceTime("exponential"), ServiceTime("constant")],
    ids=str,
)
@pytest.mark.parametrize("mean_ms", [8.0, 400.0])
def test_the_mean_is_the_declared_one_for_every_shape(declared: ServiceTime, mean_ms: float) -> None:
    assert fmean(drawn(declared, mean_ms)) == pytest.approx(mean_ms, rel=0.02)


def test_the_spread_is_that_of_the_distribution() -> None:
    assert pstdev(drawn(ServiceTime("exponential"), 10.0)) == pytest.approx(10.0, rel=0.03)
    # The coefficient of variation of a lognormal is sqrt(exp(sigma^2) - 1).
    assert pstdev(drawn(ServiceTime("lognormal", 0.5), 10.0)) == pytest.approx(5.33, rel=0.03)
    assert set(drawn(ServiceTime("constant"), 10.0)) == {10.0}


def test_equal_seeds_draw_equally_and_times_are_positive() -> None:
    declared = ServiceTime("lognormal", 2.0)
    assert drawn(declared, 5.0, seed=1) == drawn(declared, 5.0, seed=1)
    assert drawn(declared, 5.0, seed=1) != drawn(declared, 5.0, seed=2)
    assert min(drawn(declared, 5.0)) > 0


def test_an_unknown_distribution_names_the_known() -> None:
    with pytest.raises(ConfigurationError, match="use lognormal, exponential or constant"):
        draw_ms(ServiceTime("pareto"), 1.0, Random(0))


LLAMA_JSON = b'{"choices":[],"timings":{"prompt_ms":213.0,"predicted_ms":599.5,"predicted_n":32}}'
LLAMA_STREAM = (
    b'data: {"choices":[{"delta":{"content":"\\"timings\\" is a word"}}]}\n\n'
    b'data: {"choices":[],"timings":{"prompt_ms":20.0,"predicted_ms":56.0}}\n\n'
    b"data: [DONE]\n\n"
)
EVENTS = (b"content-type", b"text/event-stream")
DECLARED = (b"x-simulated-service-ms", b"331.295")


def test_simulated_models_say_it_in_a_header() -> None:
    assert service_ms_of([DECLARED], None) == 331.295
    assert first_chunk_ms_of([DECLARED], None) == 331.295
    assert first_chunk_ms_of([DECLARED, (b"x-simulated-first-chunk-ms", b"110.4"), EVENTS], b"") == 110.4


def test_llama_cpp_says_it_in_its_timings() -> None:
    assert service_ms_of([], LLAMA_JSON) == 812.5
    assert first_chunk_ms_of([], LLAMA_JSON) == 812.5
    assert service_ms_of([EVENTS], LLAMA_STREAM) == 76.0
    assert first_chunk_ms_of([EVENTS], LLAMA_STREAM) == 20.0


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ([], None),
        ([], b'{"choices":[]}'),
        ([], b'{"timings": null}'),
        ([], b'{"timings": {"prompt_ms": 1}}'),
        ([], b'{"timings": {"prompt_ms": "1", "predicted_ms": true}}'),
        ([], b'{"timings": {"prompt_ms": NaN, "predicted_ms": 1}}'),
        ([], b'{"timings": '),
        ([], b"[" * 100_000 + b'"timings"'),
        ([], b'\xff\xfe "timings"'),
        ([], b'["timings"]'),
        ([(b"x-simulated-service-ms", b"soon")], b""),
        ([(b"x-simulated-service-ms", b"inf")], b""),
        ([(b"x-simulated-service-ms", b"-1")], b""),
        ([EVENTS], b'data: {"timings": 5}\n\ndata: "timings"\n\n'),
    ],
)
def test_an_answer_that_does_not_say_is_none_never_an_error(
    headers: list[tuple[bytes, bytes]], body: bytes | None
) -> None:
    assert service_ms_of(headers, body) is None
    assert first_chunk_ms_of(headers, body) is None


def test_a_measured_time_is_that_of_a_whole_answer_or_of_a_streams_first_chunk() -> None:
    measured = (b"x-edgemind-service-ms", b"123.5")
    assert service_ms_of([measured], None) == first_chunk_ms_of([measured], None) == 123.5
    assert service_ms_of([measured, EVENTS], None) is None
    assert first_chunk_ms_of([measured, EVENTS], None) == 123.5

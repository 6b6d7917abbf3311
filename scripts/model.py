"""`./run model`: the formal model of the swarm's round (docs/model/), checked by SPIN, with each of its mutants.

A mutant lacks one thing on which safety rests; the search must find that the invariant named in variants.toml breaks.
"""

import os
import re
import shutil
import subprocess
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from scripts.trouble import Trouble

FOLDER = Path("docs") / "model"
INSTALL = "Debian, Ubuntu: sudo apt-get install spin gcc; macOS: brew install spin gcc"
COMPILE = ("gcc", "-O2", "-w", "-DSAFETY", "-DMEMLIM=4000", "-o", "pan", "pan.c")
SEARCH = ("./pan", "-E", "-m100000")
"""-E: where processes end says nothing here; NO_HANG is asserted."""
TIMEOUT_S = 900.0
_LISTED = re.compile(r"^#define ([A-Z_]+) (\d+)\b", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Variant:
    """`breaks`: the invariant that must be found broken, "" if all must hold. `sampled`: not every state is seen."""

    name: str
    flags: tuple[str, ...]
    breaks: str
    sampled: bool
    why: str

    def defines(self, invariants: dict[str, int]) -> list[str]:
        """What SPIN's preprocessor is told: of a mutant only the one invariant is looked at."""
        mutant = [f"MUTANT={self.name}"] if self.name.startswith("without_") else []
        checked = [f"CHECKED={invariants[self.breaks]}"] if self.breaks else []
        return [f"-D{flag}" for flag in (*mutant, *self.flags, *checked)]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`broken`: an invariant was. `whole`: the search came to its end."""

    variant: Variant
    broken: bool
    whole: bool
    states: int
    took_s: float

    @property
    def as_expected(self) -> bool:
        return self.broken if self.variant.breaks else self.whole and not self.broken

    @property
    def found(self) -> str:
        if self.broken:
            return f"{self.variant.breaks or 'an invariant'} broken"
        return ("nothing, by samples" if self.variant.sampled else "nothing") if self.whole else "not finished"


def variants(root: Path) -> list[Variant]:
    document = tomllib.loads((root / FOLDER / "variants.toml").read_text(encoding="utf-8"))
    return [
        Variant(
            row["name"],
            tuple(row.get("flags", "").split()),
            row.get("breaks", ""),
            row.get("sampled", False),
            row["why"],
        )
        for row in document["variant"]
    ]


def invariants(root: Path) -> dict[str, int]:
    """Bits by name, as the model defines them."""
    text = (root / FOLDER / "parameters.pml").read_text(encoding="utf-8")
    section = text.partition("/* The invariants")[2].partition("#ifndef")[0]
    return {name: int(bit) for name, bit in _LISTED.findall(section)}


def read_search(output: str) -> tuple[int, int, bool]:
    """Errors, states, and whether the search came to its end, of what a verifier printed."""
    errors = re.search(r"errors: (\d+)", output)
    states = re.search(r"([\d.e+]+) states, stored", output)
    if errors is None or states is None:
        last = output.strip().splitlines()[-1:] or ["nothing"]
        raise Trouble(f"model: the verifier stopped before its end: {last[0]}")
    cut = re.search(r"Search not completed|max search depth too small|out of memory|memory limit", output)
    return int(errors[1]), int(float(states[1])), cut is None


def check(root: Path, variant: Variant, folder: Path) -> Verdict:
    """Build the verifier in `folder`, and run it. Raises Trouble."""
    started_s = time.monotonic()
    for source in (root / FOLDER).glob("*.pml"):
        shutil.copy(source, folder)
    _run(folder, "spin", "-a", *variant.defines(invariants(root)), "round.pml")
    _run(folder, *COMPILE, "-DBITSTATE" if variant.sampled else "-DCOLLAPSE")
    output = _run(folder, *SEARCH, *(("-w24", "-k2") if variant.sampled else ()))
    errors, states, whole = read_search(output)
    return Verdict(variant, errors > 0, whole, states, time.monotonic() - started_s)


def story(root: Path, variant: Variant, folder: Path) -> str:
    """The writes and effects of the run that breaks a variant's invariant, one a line, in their order."""
    told = _run(folder, "spin", "-t", *variant.defines(invariants(root)), "round.pml")
    return "\n".join(line.strip() for line in told.partition("spin:")[0].splitlines() if line.strip())


def run(root: Path, arguments: Sequence[str]) -> int:
    """All variants, or those named; with one name, a broken invariant's story too. 1 if one is not as expected."""
    for tool in ("spin", "gcc"):
        if shutil.which(tool) is None:
            raise Trouble(f"there is no {tool}, which the model needs: install it ({INSTALL})")
    every = variants(root)
    unknown = [name for name in arguments if name not in {variant.name for variant in every}]
    if unknown:
        names = ", ".join(variant.name for variant in every)
        raise Trouble(f"there is no variant {unknown[0]!r}; there are: {names}")
    asked = [variant for variant in every if not arguments or variant.name in arguments]
    with tempfile.TemporaryDirectory() as temporary:
        verdicts = list(_checked(root, asked, Path(temporary)))
        if len(verdicts) == 1 and verdicts[0].broken:
            print(f"\n{story(root, verdicts[0].variant, Path(temporary) / '0')}")
    failed = [verdict.variant.name for verdict in verdicts if not verdict.as_expected]
    print(f"model: {'NOT as expected: ' + ', '.join(failed) if failed else 'all as expected'}")
    return 1 if failed else 0


def _checked(root: Path, asked: Sequence[Variant], temporary: Path) -> Iterator[Verdict]:
    print(f"{'variant':<25}{'must find':<17}{'found':<24}{'states':>11}{'seconds':>9}", flush=True)
    folders = [temporary / str(number) for number in range(len(asked))]
    for folder in folders:
        folder.mkdir()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for verdict in pool.map(check, [root] * len(asked), asked, folders):
            name, wanted = verdict.variant.name, verdict.variant.breaks or "nothing"
            mark = "" if verdict.as_expected else "  <- not as expected"
            row = f"{name:<25}{wanted:<17}{verdict.found:<24}{verdict.states:>11,}{verdict.took_s:>9.1f}{mark}"
            print(row, flush=True)
            yield verdict


def _run(folder: Path, *command: str) -> str:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired as exc:
        raise Trouble(f"model: {command[0]} was not done within {TIMEOUT_S:g} s") from exc
    output = done.stdout + done.stderr
    # spin ends with 1 after a story that ends in a broken assertion.
    if done.returncode != 0 and command[0] != "./pan" and "-t" not in command:
        raise Trouble(f"model: {command[0]} failed: {(output.strip() or 'no output').splitlines()[0]}")
    return output

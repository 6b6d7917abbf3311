import io

from scripts.progress import PipReader, Progress


class Watch:
    """A clock that stands where the test puts it."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_log_gets_a_line_every_ten_seconds() -> None:
    stream, watch = io.StringIO(), Watch()
    progress = Progress(stream, watch)
    progress.start("installing dev")
    for watch.now_s in (3.0, 9.0, 12.0, 13.0, 25.0):
        progress.tick("collecting click")
    progress.finish()
    assert stream.getvalue().splitlines() == [
        "installing dev ...",
        "installing dev: collecting click (12 s)",
        "installing dev: collecting click (25 s)",
        "installing dev: done (25 s)",
    ]


def test_a_terminal_gets_one_line_rewritten() -> None:
    stream, watch = Terminal(), Watch()
    progress = Progress(stream, watch)
    progress.start("installing dev")
    progress.tick("collecting click")
    watch.now_s = 0.5
    progress.tick()
    watch.now_s = 2.0
    progress.tick()
    progress.finish()
    assert stream.getvalue().count("\n") == 1
    assert stream.getvalue().count("collecting click") == 2


def test_pip_lines_become_details() -> None:
    reader = PipReader(packages=60)
    assert reader.detail("Collecting click==8.5.1 (from -r dev.lock (line 3))") == "collecting click (1 of about 60)"
    assert reader.detail("  Downloading click-8.5.1-py3-none-any.whl (98 kB)") == "downloading click (1 of about 60)"
    assert reader.detail("  Using cached pydantic_core-2.50-cp311.whl") == "downloading pydantic-core (2 of about 60)"
    assert (
        reader.detail("Processing /wheels/h11-0.16.0-py3-none-any.whl (from -r x)") == "collecting h11 (3 of about 60)"
    )
    assert reader.detail("Installing collected packages: click, pydantic-core, h11") == "unpacking 3 packages"
    assert reader.detail("Looking in links: somewhere") is None

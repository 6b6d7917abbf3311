"""House rules of the suite: `--no-skips` for CI, and property tests that do not depend on how busy the machine is."""

from collections.abc import Generator

import pytest
from hypothesis import settings

from tests.support.engines.fixtures import aws_credentials, converse, dynamodb_local, ministack

__all__ = ["aws_credentials", "converse", "dynamodb_local", "ministack"]

# Nothing that one could install would make such a test run: it is about another kind of machine.
ALLOWED_SKIP = "platform: "

settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--no-skips",
        action="store_true",
        help=f"a skipped test is a failure, unless its reason starts with {ALLOWED_SKIP!r}",
    )


def pytest_configure(config: pytest.Config) -> None:
    # Without a random seed of its own, a failure in CI is one that everybody can repeat.
    settings.load_profile("ci" if config.getoption("--no-skips") else "local")


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if not report.skipped or hasattr(report, "wasxfail"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    reason = reason.removeprefix("Skipped: ")
    if not reason.startswith(ALLOWED_SKIP):
        report.outcome = "failed"
        report.longrepr = f"skipped under --no-skips: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if item.config.getoption("--no-skips"):
        _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if collector.config.getoption("--no-skips"):
        _refuse_skip(report)
    return report

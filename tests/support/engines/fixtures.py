"""Engines that the whole suite shares: each is started when the first test asks for it, and ended with the last.

A test takes an engine as an argument (`ministack: LocalAws`), is marked `engine`, and makes tables and buckets of its
own; one that needs an empty engine starts one with `running()`.
"""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.support.engines import dynamodb_local as dynamodb_local_engine
from tests.support.engines import ministack as ministack_engine
from tests.support.engines.aws import CREDENTIALS, QUIET, LocalAws

if TYPE_CHECKING:
    from tests.support.engines.converse import ConverseServer


@pytest.fixture(scope="session")
def aws_credentials() -> Iterator[None]:
    """In the environment, as a pod's role is: adapters leave it to boto3 to find them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        for name, value in {**CREDENTIALS, **QUIET}.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="session")
def dynamodb_local(tmp_path_factory: pytest.TempPathFactory, aws_credentials: None) -> Iterator[LocalAws]:
    if reason := dynamodb_local_engine.why_not():
        pytest.skip(reason)
    with dynamodb_local_engine.running(tmp_path_factory.mktemp("dynamodb-local")) as engine:
        yield engine


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory, aws_credentials: None) -> Iterator[LocalAws]:
    if reason := ministack_engine.why_not():
        pytest.skip(reason)
    with ministack_engine.running(tmp_path_factory.mktemp("ministack")) as engine:
        yield engine


@pytest.fixture(scope="session")
def converse(aws_credentials: None) -> Iterator["ConverseServer"]:
    # Imported here: botocore, with which it checks signatures, takes a third of a second.
    from tests.support.engines.converse import converse_server

    with converse_server() as running:
        yield running

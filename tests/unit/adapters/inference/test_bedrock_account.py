"""What stands in the way of signing a call: said to operators, and to callers only as much as they may know."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from botocore import exceptions as sdk

from edgemind.adapters.inference.bedrock_account import BedrockAccount
from edgemind.ports.converse import CallFailed, CallFault

REFUSED: Any = {"Error": {"Code": "AccessDenied", "Message": "arn:aws:iam::1:role/edge may not assume this role"}}
TROUBLE = [
    sdk.ClientError(REFUSED, "AssumeRoleWithWebIdentity"),
    sdk.CredentialRetrievalError(provider="custom-process", error_msg="arn:aws:iam::1:role/edge is locked"),
    RuntimeError("refreshed credentials of arn:aws:iam::1:role/edge are still expired"),
    FileNotFoundError("no such file: arn:aws:iam::1:role/edge"),
    ValueError("Expecting value: arn:aws:iam::1:role/edge"),
]


@pytest.fixture(autouse=True)
def _no_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_BEARER_TOKEN_BEDROCK", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def account() -> BedrockAccount:
    return BedrockAccount("eu-central-1", "http://127.0.0.1:9")


@pytest.mark.parametrize("trouble", TROUBLE, ids=lambda error: type(error).__name__)
def test_credentials_that_cannot_be_had_are_denied_and_only_operators_hear_why(
    monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    found = account()

    def refuse() -> None:
        raise trouble

    monkeypatch.setattr(found._session, "get_credentials", refuse)
    for call in (found.available, lambda: found.head("m", "converse", b"{}")):
        with pytest.raises(CallFailed, match="give this process a role") as failed:
            asyncio.run(call())
        assert failed.value.fault is CallFault.DENIED
        assert "role/edge" not in str(failed.value)
        assert "role/edge" in failed.value.for_operators


def test_a_program_for_credentials_that_is_not_there_is_no_matter_of_the_region(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("[default]\ncredential_process = /nowhere/at/all\n")
    with pytest.raises(CallFailed, match="give this process a role") as failed:
        asyncio.run(account().available())
    assert "/nowhere/at/all" in failed.value.for_operators


def test_without_any_credentials_there_is_nothing_to_add() -> None:
    with pytest.raises(CallFailed) as failed:
        asyncio.run(account().available())
    assert failed.value.for_operators == str(failed.value)

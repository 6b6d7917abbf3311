"""Processes of their own that work on one state store. Run: python -m tests.support.store_processes ROLE STORE ..."""

import itertools
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from random import Random

from edgemind.adapters.state_store.dynamodb import DynamoDbStateStore
from edgemind.adapters.state_store.dynamodb_table import DynamoDbTable, TableAddress
from edgemind.adapters.state_store.json_file import JsonFileStateStore
from edgemind.errors import PermanentError
from edgemind.ports.state_store import ApiKey, SiteRegistration, StateStore

ROOT = Path(__file__).parents[2]


def start(*arguments: str, environment: Mapping[str, str] | None = None) -> "subprocess.Popen[bytes]":
    """One such process; its stdout is a pipe."""
    command = [sys.executable, "-m", "tests.support.store_processes", *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, env=environment)


def opened(store: str) -> StateStore:
    """`table:NAME` is on the AWS of the environment; anything else is the directory of a JSON store."""
    kind, _, table = store.partition(":")
    if kind != "table":
        return JsonFileStateStore(Path(store), lock_timeout_s=30.0)
    return DynamoDbStateStore(DynamoDbTable(TableAddress(lambda: table), timeout_s=30.0, patience_s=60.0), "test")


def renew(where: str, site: str) -> None:
    """Heartbeats 1, 2, 3 ... without end; each is written to stdout once the store has taken it."""
    store = opened(where)
    for heartbeat_ms in itertools.count(1):
        store.put_registration(SiteRegistration(site, 1, f"http://{site}:8200", None, heartbeat_ms, "0.1.0"))
        os.write(1, b"%d\n" % heartbeat_ms)


def contend(where: str, name: str, rounds: str) -> None:
    """Adds and revokes keys of one tenant; prints a line "start end kind argument result" for each call."""
    store = opened(where)
    random = Random(name)
    mine: list[str] = []

    def record(kind: str, argument: str, call: Callable[[], str]) -> str:
        start_ns = time.monotonic_ns()
        result = call()
        print(start_ns, time.monotonic_ns(), kind, argument, result)
        return result

    def add(key_id: str) -> str:
        try:
            store.add_key(ApiKey(key_id, "demo", sha256(key_id.encode()).hexdigest(), created_ms=1), live_limit=2)
        except PermanentError:
            return "refused"
        return "added"

    def revoke(key_id: str) -> str:
        store.revoke_key(key_id, revoked_ms=2)
        return "revoked"

    for number in range(int(rounds)):
        if mine and random.random() < 0.7:
            key_id = mine.pop()
            record("revoke", key_id, lambda key_id=key_id: revoke(key_id))  # type: ignore[misc]
        else:
            key_id = f"{name}-{number}"
            if record("add", key_id, lambda key_id=key_id: add(key_id)) == "added":  # type: ignore[misc]
                mine.append(key_id)
        record("live", "-", lambda: ",".join(["live", *(key.key_id for key in store.list_keys() if key.live)]))


ROLES: dict[str, Callable[..., None]] = {"renew": renew, "contend": contend}

if __name__ == "__main__":
    ROLES[sys.argv[1]](*sys.argv[2:])

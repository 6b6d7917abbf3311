"""Runs once before the fleet of compose.yaml: makes its secrets, its state table with the first round, and a key.

`prepare.py TABLE`; what is there already stays. The table has the keys of the one that the AWS stacks make.
"""

import json
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

FOLDER = Path("/var/lib/edgemind")
SECRETS = ("fleet.secret", "viewer.token", "operator.token", "admin.token")
KEY = FOLDER / "key"
TENANT = "demo"


def write_once(path: Path, text: str) -> None:
    """Readable by this user only, which all containers run as, and whole or not at all."""
    unfinished = path.with_name(f"{path.name}.new")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600)
    unfinished.write_text(text, encoding="utf-8")
    unfinished.rename(path)


def make_secrets() -> None:
    for name in SECRETS:
        if not (FOLDER / name).exists():
            write_once(FOLDER / name, secrets.token_urlsafe(32) + "\n")


def make_table(table: str) -> None:
    import boto3

    from edgemind.domain.deployment import PARTITION_KEY, SORT_KEY

    keys: dict[str, Literal["HASH", "RANGE"]] = {PARTITION_KEY: "HASH", SORT_KEY: "RANGE"}
    client = boto3.client("dynamodb")
    try:
        client.create_table(
            TableName=table,
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys.items()],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in keys],
            BillingMode="PAY_PER_REQUEST",
        )
    except client.exceptions.ResourceInUseException:
        print(f"the table {table} is there already", flush=True)
    client.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 1, "MaxAttempts": 30})


def edgemind_keys(*arguments: str) -> Any:
    """What `edgemind keys ...` answers, from JSON."""
    answer = subprocess.run(["edgemind", "keys", *arguments, "-o", "json"], stdout=subprocess.PIPE, check=True)
    return json.loads(answer.stdout)


def provision_rounds() -> None:
    """Without it the sites decide nothing together. What is there stays."""
    subprocess.run(["edgemind", "swarm", "provision"], check=True)


def make_key() -> None:
    """One key that is in force, in a file. A store that lost its records gets a new one."""
    live = {key["id"] for key in edgemind_keys("list") if key["state"] == "live" and key["tenant"] == TENANT}
    known = FOLDER / "key.id"
    if KEY.exists() and known.exists() and known.read_text(encoding="utf-8").strip() in live:
        return
    for lost in live:
        # Nobody has it any more, and a tenant may have two.
        edgemind_keys("revoke", lost)
    made = edgemind_keys("create", "--tenant", TENANT)
    write_once(KEY, made["key"] + "\n")
    write_once(known, made["id"] + "\n")


def main() -> None:
    make_secrets()
    make_table(sys.argv[1])
    provision_rounds()
    make_key()
    print(f"key of tenant {TENANT}: {KEY.read_text(encoding='utf-8').strip()}", flush=True)


if __name__ == "__main__":
    main()

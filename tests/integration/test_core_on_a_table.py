"""Controllers and gateways whose state is in a table that the environment names, and what they do without it."""

from functools import partial
from pathlib import Path

import pytest

from tests.support.deployed_core import METRO, DeployedCore, model_server
from tests.support.dynamodb_stores import dynamodb_store
from tests.support.engines.aws import LocalAws
from tests.support.gateway_process import eventually
from tests.support.serving import served

SITES = ("site-a", "site-b", "site-c")


@pytest.mark.slow
@pytest.mark.engine
@pytest.mark.timeout(180)
def test_a_fleet_registers_and_routes_and_goes_on_when_its_table_is_gone(
    dynamodb_local: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = dynamodb_local.new_table()
    # Named, so that nobody looks for a stack: DynamoDB Local has none.
    monkeypatch.setenv("EDGEMIND_STATE__TABLE", table)
    store = dynamodb_store(dynamodb_local, table, METRO)
    with served(model_server) as url:
        core = DeployedCore.plan(dynamodb_local, "test", tmp_path / "fleet", SITES, url)
        kept, revoked = core.new_key(), core.new_key()
        with core.running():

            def status(site: str, key: str) -> int:
                return core.chat(site, key).status

            eventually("all sites register", lambda: {entry.site for entry in store.list_registrations()} == set(SITES))
            for site in SITES:
                for key in (kept, revoked):
                    eventually(f"{site} answers", partial(lambda site, key: status(site, key) == 200, site, key), 0.1)

            store.revoke_key(revoked.split("_")[1], revoked_ms=1)
            eventually("the revocation arrives", lambda: all(status(site, revoked) == 401 for site in SITES), 0.1)

            dynamodb_local.dynamodb.delete_table(TableName=table)
            eventually(
                "the controllers say that it is gone",
                lambda: all(f"there is no table {table}" in core.log("controller", site) for site in SITES),
            )
            assert [status(site, kept) for site in SITES] == [200, 200, 200]
            assert [status(site, revoked) for site in SITES] == [401, 401, 401]

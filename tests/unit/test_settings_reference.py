"""What is published about the configuration is what the code does, and the commands say so."""

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from edgemind.entrypoints.config_commands import config_group
from edgemind.settings import changes, config_schema, load_settings
from edgemind.settings.reference import with_field_tables
from edgemind.settings.schema import known_keys
from tests.unit.settings_example import EXAMPLE, FLEET_SECRET, SECRETS, write_example

DOCS = Path(__file__).parents[2] / "docs"
RENEW = "renew it: edgemind config schema --write docs"


def config(*arguments: str | Path, environ: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(
        config_group, [str(argument) for argument in arguments], env={**SECRETS, **(environ or {})}
    )


def test_the_published_schema_is_fresh() -> None:
    published = json.loads((DOCS / "edgemind.schema.json").read_text(encoding="utf-8"))
    assert published == config_schema(), RENEW


def test_the_reference_is_fresh() -> None:
    text = (DOCS / "configuration.md").read_text(encoding="utf-8")
    assert text == with_field_tables(text), RENEW


def test_the_first_example_of_the_documentation_is_valid(tmp_path: Path) -> None:
    text = (DOCS / "configuration.md").read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    assert load_settings(write_example(tmp_path, text), {}).sites[0].models[0].slots == 16


def test_every_field_of_the_schema_is_described_and_closed() -> None:
    schema = config_schema()
    for group in (schema, *schema["$defs"].values()):
        if group.get("type") == "object":
            assert group["additionalProperties"] is False
            assert all(field.get("description") for field in group["properties"].values())
    assert known_keys(("sites", 3, "models", 0, "simulated")) == ("distribution", "sigma")
    assert known_keys(("sites", 3, "rtt_ms")) == ()


def test_validate_says_what_it_found(tmp_path: Path) -> None:
    path = write_example(tmp_path)
    result = config("validate", path)
    assert result.exit_code == 0
    assert result.stdout == "ok: 2 sites, 3 models, 1 tenant, cloud simulated-cloud, policy local_first, auth keys\n"
    assert config("validate", environ={"EDGEMIND_CONFIG": str(path)}).exit_code == 0


def test_validate_lists_every_finding_and_ends_with_2(tmp_path: Path) -> None:
    path = write_example(tmp_path, EXAMPLE.replace("slots: 4", "slots: -4").replace("metro: demo", "metro: A B"))
    result = config("validate", path)
    assert (result.exit_code, result.stdout) == (2, "")
    assert [line.split(": ")[1] for line in result.stderr.splitlines()] == ["metro", "sites[0].models[1].slots"]


def test_validate_without_secrets_is_for_machines_that_have_none(tmp_path: Path) -> None:
    path = write_example(tmp_path)
    (tmp_path / "fleet.secret").unlink()
    assert config("validate", path).exit_code == 2
    assert config("validate", "--without-secrets", path).exit_code == 0


@pytest.mark.parametrize(("output", "read"), [("yaml", yaml.safe_load), ("json", json.loads)])
def test_show_prints_what_is_in_force_and_can_be_loaded_again(tmp_path: Path, output: str, read: object) -> None:
    path = write_example(tmp_path)
    result = config("show", path, "-o", output, environ={"EDGEMIND_LIMITS__DRAIN_S": "7"})
    assert result.exit_code == 0
    assert callable(read)
    assert read(result.stdout)["limits"]["drain_s"] == 7
    assert read(result.stdout)["fleet"]["secret"] == "file:fleet.secret"
    for secret in (FLEET_SECRET, *SECRETS.values()):
        assert secret not in result.stdout
    again = write_example(tmp_path, result.stdout)
    assert config("show", again, "-o", output).stdout == result.stdout


def test_diff_names_fields(tmp_path: Path) -> None:
    before = write_example(tmp_path)
    after = tmp_path / "after.yaml"
    text = EXAMPLE.replace("drain_s: 2.5", "drain_s: 3").replace("zones: [eu]", "zones: [eu, fr]")
    after.write_text(text.replace("simulated: {distribution: lognormal, sigma: 0.3}", ""), encoding="utf-8")
    result = config("diff", before, after, environ={"EDGEMIND_LIMITS__DRAIN_S": "7"})
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "- sites[site-a].models[simulated-detector].simulated.distribution: lognormal",
        "- sites[site-a].models[simulated-detector].simulated.sigma: 0.3",
        "~ sites[site-b].zones: [eu] -> [eu, fr]",
        "~ limits.drain_s: 2.5 -> 3",
    ]
    assert config("diff", before, before).stdout == "no difference\n"
    assert config("diff", before, tmp_path / "absent").exit_code == 2


def test_a_change_reads_as_what_happened(tmp_path: Path) -> None:
    path = write_example(tmp_path)
    before = load_settings(path, SECRETS)
    after = load_settings(path, {**SECRETS, "ADMIN": "another"}, resolve_secrets=True)
    assert [str(change) for change in changes(before, after)] == ["~ fleet.tokens.admin: env:ADMIN (its value changed)"]
    path.write_text(EXAMPLE.replace("    gateway: http://127.0.0.1:8100\n", ""), encoding="utf-8")
    without = load_settings(path, SECRETS)
    assert [str(change) for change in changes(without, before)] == ["+ sites[site-a].gateway: http://127.0.0.1:8100"]


def test_schema_is_printed_and_written(tmp_path: Path) -> None:
    assert json.loads(config("schema").stdout) == config_schema()
    assert "| `drain_s` | number | s | `5` | 0 to 600 |" in config("schema", "-o", "markdown").stdout
    (tmp_path / "configuration.md").write_text(
        (DOCS / "configuration.md").read_text(encoding="utf-8"), encoding="utf-8"
    )
    assert config("schema", "--write", tmp_path).exit_code == 0
    assert json.loads((tmp_path / "edgemind.schema.json").read_text(encoding="utf-8")) == config_schema()

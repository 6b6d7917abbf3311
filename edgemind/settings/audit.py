"""The group `audit` of edgemind.yaml: what is kept to be provable afterwards, where, and for how long."""

from pathlib import Path

from pydantic import Field

from edgemind.settings.fields import File, Folder
from edgemind.settings.groups import Group

MIB = 1024 * 1024


class AuditSettings(Group):
    """The audit journal of each site."""

    enabled: bool = Field(default=True, description="Whether controllers keep a journal at all.")
    directory: Folder = Field(
        default=Path(".edgemind/journal"),
        validate_default=True,
        description="Folder of the journals, one a site, on a local disk; relative to the file's folder.",
    )
    decision_sample_ratio: float = Field(
        default=0.01,
        ge=0,
        le=1,
        description="Part of all decisions that is kept. Those with a residency are kept whatever it is.",
        json_schema_extra={"unit": "ratio"},
    )
    segment_mib: float = Field(
        default=16.0,
        ge=0.01,
        le=1024,
        description="Size at which a new file begins.",
        json_schema_extra={"unit": "MiB"},
    )
    keep_mib: float = Field(
        default=2048.0,
        ge=1,
        le=1_048_576,
        description="A site's oldest files are deleted beyond this.",
        json_schema_extra={"unit": "MiB"},
    )
    keep_days: float = Field(
        default=90.0, ge=1, le=36_500, description="And beyond this age.", json_schema_extra={"unit": "days"}
    )
    anchor_interval_s: float = Field(
        default=5.0,
        ge=0.2,
        le=3600,
        description="How often the state store is told where a journal stands.",
        json_schema_extra={"unit": "s"},
    )
    anchor_file: File | None = Field(
        default=None,
        description="A file to which that is appended as well, best on another machine; relative to the file's folder.",
        examples=["/mnt/audit/anchors.jsonl"],
    )

"""The tables of scans."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from pipelines.config.fields import Day, Text
from pipelines.config.table import Limited, Table
from pipelines.model import OnInconclusive, Severity
from pipelines.steps.scan.spec import EndOfSupport


class WaiverTable(Table):
    """`[[scan.waivers]]`: a known finding that a person is responsible for."""

    id: Text = Field(description="Rule of the finding, such as CVE-2026-0001.")
    owner: Text = Field(description="Who is responsible for it.")
    reason: Text = Field(description="Why it is accepted.")
    expires: Day = Field(description="Last day it counts.")

    TITLE: ClassVar[str] = "A waiver"
    EXAMPLES: ClassVar[Mapping[str, Any]] = {
        "id": "CVE-2026-0001",
        "owner": "team-shop",
        "reason": "the code is not reachable",
        "expires": "2030-01-31",
    }


class ScanTable(Limited):
    """`[scan]`: Trivy over every image and the sources."""

    fail_on: Annotated[Severity, Field(strict=False)] = Field(
        Severity.HIGH, description="Findings of this severity or worse fail the scan."
    )
    sources: bool = Field(True, description="Scan the project's files too.")
    waivers: list[WaiverTable] = Field([], description="Findings that are accepted until a day.")
    image: Text = Field("trivy", description="An image with Trivy: a name (`lockgate images` lists them) or a reference.")
    database: Text | None = Field(
        "trivy-db", description="Image with the vulnerability database: a name (`lockgate images` lists them) or a reference."
    )
    max_age_days: int = Field(7, ge=1, description="A scan with an older database has no data.")
    allow_fixture_database: bool = Field(False, description="Accept a database made of fixtures; reports say so.")
    allow_unknown_age: bool = Field(False, description="Accept a database of unknown age; reports say so.")
    end_of_support: Annotated[EndOfSupport, Field(strict=False)] = Field(
        EndOfSupport.WARN,
        description="What it means that an operating system is no longer supported by its maker: warn or fail. Its new vulnerabilities "
        "are not reported.",
    )
    on_inconclusive: Annotated[OnInconclusive, Field(strict=False)] = Field(
        OnInconclusive.FAIL, description="What no data means: fail, or pass with a warning."
    )

    EXAMPLES: ClassVar[Mapping[str, Any]] = {
        "fail_on": "high",
        "sources": True,
        "waivers": [WaiverTable.EXAMPLES],
        "image": "trivy",
        "database": "trivy-db",
        "max_age_days": 7,
        "end_of_support": "warn",
        "allow_fixture_database": False,
        "allow_unknown_age": False,
        "on_inconclusive": "fail",
    }

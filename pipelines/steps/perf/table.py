"""The tables of performance checks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from pipelines.config.fields import EnvName, Name, Number, Text
from pipelines.config.table import Limited, Table
from pipelines.model import OnInconclusive
from pipelines.steps.common.service_table import ServiceTable


class ThresholdTable(Table):
    """Limits of a performance check."""

    p95_ms: Annotated[Number, Field(gt=0)] | None = Field(default=None, description="95th percentile of latency, milliseconds, at most.")
    error_rate: Annotated[Number, Field(ge=0, le=1)] | None = Field(default=None, description="Share of failed requests, 0 to 1, at most.")
    min_rps: Annotated[Number, Field(gt=0)] | None = Field(default=None, description="Requests per second, at least.")

    TITLE: ClassVar[str] = "Thresholds"
    EXAMPLES: ClassVar[Mapping[str, Any]] = {"p95_ms": 200, "error_rate": 0.01, "min_rps": 50}


class PerfTable(Limited):
    """`[perf.NAME]`: a k6 script against the candidate."""

    script: Text = Field(description="The k6 script, relative to this file.")
    service: ServiceTable = Field(description="The candidate as a service.")
    alias: Name = Field("service", description="Host name the script reaches the service under.")
    image: Text = Field("k6", description="Image with k6: a name (`lockgate images` lists them) or a reference.")
    thresholds: ThresholdTable = Field(ThresholdTable(), description="Limits that fail the check.")
    env: dict[EnvName, str] = Field({}, description="Environment variables of the script.")
    on_inconclusive: Annotated[OnInconclusive, Field(strict=False)] = Field(
        OnInconclusive.FAIL, description="What too little data means: fail, or pass with a warning."
    )

    EXAMPLES: ClassVar[Mapping[str, Any]] = {
        "script": "perf/checkout.js",
        "service": {"image": "shop", "port": 8000, "health": "/healthz"},
        "alias": "service",
        "image": "k6",
        "thresholds": ThresholdTable.EXAMPLES,
        "env": {"SHOP_URL": "http://service:8000"},
        "on_inconclusive": "fail",
    }

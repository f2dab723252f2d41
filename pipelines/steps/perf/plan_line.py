"""One line about a performance check, for `plan`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.steps.perf.spec import PerfSpec


def describe(spec: PerfSpec) -> str:
    """`k6 perf/checkout.js against shop:8000, p95 <= 200 ms`."""
    limits = {
        "p95 <= {} ms": spec.thresholds.p95_ms,
        "errors <= {}": spec.thresholds.error_rate,
        ">= {} requests/s": spec.thresholds.min_rps,
    }
    shown = [text.format(f"{value:g}") for text, value in limits.items() if value is not None]
    return ", ".join([f"k6 {spec.script} against {spec.service.image}:{spec.service.port}", *shown])

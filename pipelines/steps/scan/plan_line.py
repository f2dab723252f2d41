"""One line about a scan, for `plan`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.steps.scan.spec import ScanSpec


def describe(spec: ScanSpec, image: str | None) -> str:
    """`Trivy on image shop, fails on high`."""
    what = f"image {image}" if image is not None else "the sources"
    return f"Trivy on {what}, fails on {spec.fail_on.value}"

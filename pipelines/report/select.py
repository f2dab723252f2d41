"""Questions every report asks of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.model import Image, Status

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipelines.model import Finding, Result, Run

_BAD = frozenset({Status.FAILED, Status.ERROR})


def images(results: Iterable[Result]) -> tuple[Image, ...]:
    """The images a run made, one a name, in the order they were first built; a published one stands for its recipe."""
    found: dict[str, Image] = {}
    for result in results:
        image = result.value
        if result and isinstance(image, Image) and (image.name not in found or image.published or not found[image.name].published):
            found[image.name] = image
    return tuple(found.values())


def bad(run: Run) -> tuple[Result, ...]:
    """Results with status failed or error: what somebody has to look at."""
    return tuple(result for result in run.results if result.status in _BAD)


def open_findings(result: Result) -> tuple[Finding, ...]:
    """Findings no waiver covers, worst first."""
    return tuple(sorted((finding for finding in result.findings if not finding.waived), key=lambda finding: -finding.severity.rank))

"""Questions every report asks of a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.model import BuiltImage, PublishedImage, Status

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipelines.model import Finding, Result, Run

_BAD = frozenset({Status.FAILED, Status.ERROR})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedImage:
    """An image of a run as reports tell of it: what was built, and where it is when it was published."""

    name: str
    version: str | None = None
    platforms: tuple[str, ...] = ()
    base: str | None = None
    origin: str | None = None
    published: PublishedImage | None = None


def images(results: Iterable[Result]) -> tuple[ReportedImage, ...]:
    """The images a run made, one a name, in the order they were first built."""
    built: dict[str, BuiltImage] = {}
    published: dict[str, PublishedImage] = {}
    for result in results:
        if result and isinstance(result.value, BuiltImage):
            built[result.value.name] = result.value
        elif result and isinstance(result.value, PublishedImage):
            published[result.value.name] = result.value
    both: dict[str, BuiltImage | PublishedImage] = {**built, **published}
    return tuple(_reported(image, built.get(name), published.get(name)) for name, image in both.items())


def _reported(image: BuiltImage | PublishedImage, built: BuiltImage | None, published: PublishedImage | None) -> ReportedImage:
    return ReportedImage(
        name=image.name,
        version=image.version,
        platforms=image.platforms,
        base=built.base if built else None,
        origin=built.origin if built else None,
        published=published,
    )


def bad(run: Run) -> tuple[Result, ...]:
    """Results with status failed or error: what a person has to look at."""
    return tuple(result for result in run.results if result.status in _BAD)


def open_findings(result: Result) -> tuple[Finding, ...]:
    """Findings no waiver covers, worst first."""
    return tuple(sorted((finding for finding in result.findings if not finding.waived), key=lambda finding: -finding.severity.rank))

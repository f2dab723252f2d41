"""Whether every image the configuration needs is available, and how old the vulnerability database is."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.errors import LockgateError, Unavailable
from pipelines.foundation.similar import did_you_mean
from pipelines.registry import ManifestSummary, find_manifest, read_reference
from pipelines.steps.common.references import resolve
from pipelines.steps.interface import CheckResult, CheckState
from pipelines.steps.kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipelines.model import LockedImage, Project

TIMEOUT_S = 5.0
_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Need:
    """An image something needs: `name` as the configuration has it, `reference` what that stands for, if anything."""

    name: str
    reference: str | None
    locked: LockedImage | None = None


def images(project: Project, environ: Mapping[str, str], *, certain: bool = True) -> Iterator[CheckResult]:
    """Ask the registries for every image, all at once and each for a few seconds only.

    `certain` says that the engine pulls from this machine; a Dagger engine elsewhere may reach what we do not, and the other way round.
    """
    needs = list(dict.fromkeys(_needs(project)))
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = dict(zip(needs, pool.map(lambda need: _ask(need, environ), needs), strict=True))
    bad = CheckState.FAILED if certain else CheckState.WARNING
    for need, answer in found.items():
        yield _told(need, answer, bad, did_you_mean(need.name, project.locked))
    summaries = {need.name: answer if isinstance(answer, ManifestSummary) else None for need, answer in found.items()}
    for kind in KINDS:
        yield from kind.examine_images(project, summaries)


def _needs(project: Project) -> Iterator[Need]:
    """Every image by the name the configuration has for it; images of the project itself are built, not pulled."""
    yield from (_need(project, name) for kind in KINDS for name in kind.images(project))


def _need(project: Project, name: str) -> Need:
    try:
        image = resolve(project, name, wanted_by="doctor")
    except Unavailable:
        return Need(name, None)
    return Need(name, image.reference, project.locked.get(name))


def _ask(need: Need, environ: Mapping[str, str]) -> ManifestSummary | LockgateError | None:
    if need.reference is None:
        return None
    try:
        return find_manifest(read_reference(need.reference), environ, timeout_s=TIMEOUT_S)
    except LockgateError as error:
        return error


def _told(need: Need, answer: ManifestSummary | LockgateError | None, bad: CheckState, hint: str) -> CheckResult:
    title = f"image {need.name}"
    if answer is None:
        return CheckResult(
            title, CheckState.FAILED, f"no lock file defines the image for this name{hint}", f"lockgate images use {need.name} REFERENCE"
        )
    layer = f" ({need.locked.layer})" if need.locked is not None else ""
    if isinstance(answer, LockgateError):
        detail = "; ".join([f"{need.reference}{layer}: {answer.message}", *([answer.cause] if answer.cause else [])])
        return CheckResult(title, bad, detail, f"{answer.next_step or 'check the network'}{_others(need)}")
    return CheckResult(title, CheckState.OK, f"{need.reference}{layer}")


def _others(need: Need) -> str:
    """What else a person may do: choose another image, or use the one that comes with the package."""
    if need.locked is None:
        return ""
    weaker = f" (or `lockgate images forget {need.name}`, to use the package's image again)" if need.locked.layer == "user" else ""
    return f"; or choose another image: lockgate images use {need.name} REFERENCE{weaker}"

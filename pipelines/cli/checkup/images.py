"""Whether every image the configuration needs is available, and how old the vulnerability database is."""

from __future__ import annotations

import datetime as dt
import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.cli.checkup.answer import Answer, State
from pipelines.config.suggest import did_you_mean
from pipelines.errors import LockgateError, Unavailable
from pipelines.foundation.clock import utc_now
from pipelines.foundation.dockerfile import NotADockerfile, read, stages_of
from pipelines.foundation.files import OWN_FOLDER
from pipelines.foundation.regular_files import read_text
from pipelines.registry import find_manifest, read_reference
from pipelines.steps.common.references import resolve

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipelines.model import LockedImage, Project
    from pipelines.registry import ManifestSummary

TIMEOUT_S = 5.0
_AT_ONCE = 8
_VARIABLE = re.compile(r"[$\\]")


@dataclass(frozen=True, slots=True)
class Need:
    """An image something needs: `name` as the configuration has it, `reference` what that stands for, if anything."""

    name: str
    reference: str | None
    locked: LockedImage | None = None


def images(project: Project, environ: Mapping[str, str], *, certain: bool = True) -> Iterator[Answer]:
    """Ask the registries for every image, all at once and each for a few seconds only.

    `certain` says that the engine pulls from this machine; a Dagger engine elsewhere may reach what we do not, and the other way round.
    """
    needs = list(dict.fromkeys(_needs(project)))
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = dict(zip(needs, pool.map(lambda need: _ask(need, environ), needs), strict=True))
    bad = State.FAILED if certain else State.WARNING
    for need, answer in found.items():
        yield _told(need, answer, bad, did_you_mean(need.name, project.locked))
    if project.scan is not None and project.scan.database is not None:
        need = next(need for need in needs if need.name == project.scan.database)
        answer = found[need]
        yield _age(project, need, None if isinstance(answer, LockgateError) else answer)


def _needs(project: Project) -> Iterator[Need]:
    """Every image by the name the configuration has for it; images of the project itself are built, not pulled."""
    for image in project.images.values():
        yield from [_need(project, image.base)] if image.base else []
        yield from (Need(name, name) for name in _bases(Path(project.root) / image.context / image.dockerfile))
    services = [service for test in project.tests.values() for service in test.services.values()]
    services += [perf.service for perf in project.perf.values()]
    yield from (_need(project, service.image) for service in services if service.image not in project.images)
    yield from (_need(project, perf.image) for perf in project.perf.values())
    if project.scan is not None:
        yield _need(project, project.scan.image)
        yield from [_need(project, project.scan.database)] if project.scan.database is not None else []


def _need(project: Project, name: str) -> Need:
    try:
        image = resolve(project, name, wanted_by="doctor")
    except Unavailable:
        return Need(name, None)
    return Need(name, image.reference, project.locked.get(name))


def _bases(dockerfile: Path) -> Iterator[str]:
    """The images that a Dockerfile begins its stages with, without those that a build argument names."""
    try:
        stages = stages_of(read(read_text(dockerfile, errors="replace")))
    except (OSError, NotADockerfile):
        return
    named = {stage.name.lower() for stage in stages} | {"scratch", ""}
    yield from (stage.base for stage in stages if stage.base.lower() not in named and not _VARIABLE.search(stage.base))


def _ask(need: Need, environ: Mapping[str, str]) -> ManifestSummary | LockgateError | None:
    if need.reference is None:
        return None
    try:
        return find_manifest(read_reference(need.reference), environ, timeout_s=TIMEOUT_S)
    except LockgateError as error:
        return error


def _told(need: Need, answer: ManifestSummary | LockgateError | None, bad: State, hint: str) -> Answer:
    title = f"image {need.name}"
    if answer is None:
        return Answer(
            title, State.FAILED, f"no lock file defines the image for this name{hint}", f"lockgate images use {need.name} REFERENCE"
        )
    layer = f" ({need.locked.layer})" if need.locked is not None else ""
    if isinstance(answer, LockgateError):
        detail = "; ".join([f"{need.reference}{layer}: {answer.message}", *([answer.cause] if answer.cause else [])])
        return Answer(title, bad, detail, f"{answer.next_step or 'check the network'}{_others(need)}")
    return Answer(title, State.OK, f"{need.reference}{layer}")


def _others(need: Need) -> str:
    """What else a person may do: choose another image, or use the one that comes with the package."""
    if need.locked is None:
        return ""
    weaker = f" (or `lockgate images forget {need.name}`, to use the package's image again)" if need.locked.layer == "user" else ""
    return f"; or choose another image: lockgate images use {need.name} REFERENCE{weaker}"


def _age(project: Project, need: Need, found: ManifestSummary | None) -> Answer:
    """The age, as far as it can be known without pulling a hundred megabytes."""
    most = project.scan.max_age_days if project.scan is not None else 0
    title, fix = "database", f"lockgate images use {need.name} REFERENCE"
    if need.locked is not None and need.locked.fixture:
        counts = project.scan is not None and project.scan.allow_fixture_database
        return Answer(
            title,
            State.WARNING,
            f"made up, it finds no real vulnerabilities: scans with it {'count here' if counts else 'report no data'}",
            fix,
        )
    digest = found.digest if found is not None else (need.reference or "").partition("@")[2]
    made = (found.created if found is not None else None) or _seen(project, digest)
    if made is None:
        return Answer(title, State.OK, "its age is known after the first scan")
    days = max(0, (utc_now() - made).days)
    if days > most:
        return Answer(title, State.WARNING, f"{days} days old, more than {most} (scan.max_age_days): scans report no data", fix)
    return Answer(title, State.OK, f"{days} days old")


def _seen(project: Project, digest: str) -> dt.datetime | None:
    """When the database was made, as the latest run saw it."""
    try:
        steps = json.loads(read_text(project.root / OWN_FOLDER / "reports/run.json"))["steps"]
        facts = [step["facts"] for step in steps]
        told = next(fact["database_updated"] for fact in facts if fact.get("database_digest") == digest and "database_updated" in fact)
        made = dt.datetime.fromisoformat(told)
    except (OSError, ValueError, LookupError, TypeError, StopIteration):
        return None
    return made if made.tzinfo else made.replace(tzinfo=dt.UTC)

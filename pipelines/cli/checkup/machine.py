"""Python, tools, engine, disk."""

from __future__ import annotations

import platform
import shutil
import sys
from typing import TYPE_CHECKING

from pipelines.engine.choice import choose
from pipelines.engine.machine import ThisMachine
from pipelines.engine.probe import probe
from pipelines.errors import LockgateError
from pipelines.foundation.sizes import show_size
from pipelines.model import EngineKind
from pipelines.steps.interface import CheckResult, CheckState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pipelines.engine.choice import Choice
    from pipelines.model import Project

_GB = 1_000_000_000
_LITTLE, _TOO_LITTLE = 5 * _GB, 1 * _GB


def python() -> Iterator[CheckResult]:
    """The interpreter, and the SDK beside it."""
    from importlib import metadata

    yield CheckResult("python", CheckState.OK, f"{platform.python_version()} ({sys.executable}), lockgate {metadata.version('lockgate')}")
    try:
        yield CheckResult("dagger-io", CheckState.OK, metadata.version("dagger-io"))
    except metadata.PackageNotFoundError:
        yield CheckResult("dagger-io", CheckState.FAILED, "not installed", "pip install --force-reinstall lockgate")


def tools(environ: Mapping[str, str]) -> Iterator[CheckResult]:
    """Programs of the machine itself; what runs in containers is not asked for."""
    git = ThisMachine(environ).which("git")
    if git is not None:
        yield CheckResult("git", CheckState.OK, git)
    else:
        yield CheckResult(
            "git", CheckState.WARNING, "not installed: versions and labels of images cannot name a commit", "sudo apt-get install git"
        )


def engine(project: Project | None, environ: Mapping[str, str]) -> Iterator[CheckResult]:
    """Which engine a run would take, and what the embedded one finds here. Its lacks count only where it is the one."""
    kind = project.engine.kind if project is not None else EngineKind.AUTO
    ours = True
    try:
        choice = choose(kind, environ)
    except LockgateError as error:
        yield CheckResult("engine", CheckState.FAILED, "; ".join(error.lines()[:2]), error.next_step)
    else:
        ours = choice.kind == "embedded"
        yield _reached(choice, environ)
    for seen in probe(environ):
        bad = CheckState.FAILED if seen.required and ours else CheckState.WARNING
        yield CheckResult(f"engine: {seen.name}", CheckState.OK if seen.ok else bad, seen.detail, seen.fix)


def _reached(choice: Choice, environ: Mapping[str, str]) -> CheckResult:
    """The engine that was chosen; where it has an address, something must listen there now."""
    import anyio

    from pipelines.engine.connect import address_of
    from pipelines.engine.reach import reach

    address = address_of(choice, environ)
    if address is not None:
        try:
            anyio.run(reach, address)
        except LockgateError as error:
            return CheckResult("engine", CheckState.FAILED, "; ".join(error.lines()[:2]), error.next_step)
    return CheckResult("engine", CheckState.OK, f"{choice.kind} ({choice.reason})")


def is_embedded(project: Project, environ: Mapping[str, str]) -> bool:
    """Whether a run would take the embedded engine, which works on this machine and its network."""
    try:
        return choose(project.engine.kind, environ).kind == "embedded"
    except LockgateError:
        return False


def disk(project: Project | None, environ: Mapping[str, str]) -> Iterator[CheckResult]:
    """Space for the store, and for the project's own results."""
    places = {"engine's store": ThisMachine(environ).store} | ({"project": project.root} if project is not None else {})
    for name, folder in places.items():
        free = shutil.disk_usage(_existing(folder)).free
        state = CheckState.FAILED if free < _TOO_LITTLE else CheckState.WARNING if free < _LITTLE else CheckState.OK
        fix = "free space; `lockgate engine gc` shrinks the engine's store" if state is not CheckState.OK else None
        yield CheckResult(f"disk: {name}", state, f"{show_size(free)} free at {folder}", fix)


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())

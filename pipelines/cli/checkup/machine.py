"""Python, tools, engine, disk."""

from __future__ import annotations

import platform
import shutil
import sys
from typing import TYPE_CHECKING

from pipelines.cli.checkup.answer import Answer, State
from pipelines.engine.choice import choose
from pipelines.engine.machine import ThisMachine
from pipelines.engine.probe import probe
from pipelines.errors import LockgateError
from pipelines.foundation.sizes import show_size
from pipelines.model import EngineKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pipelines.engine.choice import Choice
    from pipelines.model import Project

_GB = 1_000_000_000
_LITTLE, _TOO_LITTLE = 5 * _GB, 1 * _GB


def python() -> Iterator[Answer]:
    """The interpreter, and the SDK beside it."""
    from importlib import metadata

    yield Answer("python", State.OK, f"{platform.python_version()} ({sys.executable}), lockgate {metadata.version('lockgate')}")
    try:
        yield Answer("dagger-io", State.OK, metadata.version("dagger-io"))
    except metadata.PackageNotFoundError:
        yield Answer("dagger-io", State.FAILED, "not installed", "pip install --force-reinstall lockgate")


def tools(environ: Mapping[str, str]) -> Iterator[Answer]:
    """Programs of the machine itself; what runs in containers is not asked for."""
    git = ThisMachine(environ).which("git")
    if git is not None:
        yield Answer("git", State.OK, git)
    else:
        yield Answer("git", State.WARNING, "not installed: versions and labels of images cannot name a commit", "sudo apt-get install git")


def engine(project: Project | None, environ: Mapping[str, str]) -> Iterator[Answer]:
    """Which engine a run would take, and what the embedded one finds here. Its lacks count only where it is the one."""
    kind = project.engine.kind if project is not None else EngineKind.AUTO
    ours = True
    try:
        choice = choose(kind, environ)
    except LockgateError as error:
        yield Answer("engine", State.FAILED, "; ".join(error.lines()[:2]), error.next_step)
    else:
        ours = choice.kind == "embedded"
        yield _reached(choice, environ)
    for seen in probe(environ):
        bad = State.FAILED if seen.required and ours else State.WARNING
        yield Answer(f"engine: {seen.name}", State.OK if seen.ok else bad, seen.detail, seen.fix)


def _reached(choice: Choice, environ: Mapping[str, str]) -> Answer:
    """The engine that was chosen; where it has an address, something must listen there now."""
    import anyio

    from pipelines.engine.connect import address_of
    from pipelines.engine.reach import reach

    address = address_of(choice, environ)
    if address is not None:
        try:
            anyio.run(reach, address)
        except LockgateError as error:
            return Answer("engine", State.FAILED, "; ".join(error.lines()[:2]), error.next_step)
    return Answer("engine", State.OK, f"{choice.kind} ({choice.reason})")


def is_embedded(project: Project, environ: Mapping[str, str]) -> bool:
    """Whether a run would take the embedded engine, which works on this machine and its network."""
    try:
        return choose(project.engine.kind, environ).kind == "embedded"
    except LockgateError:
        return False


def disk(project: Project | None, environ: Mapping[str, str]) -> Iterator[Answer]:
    """Space for the store, and for the project's own results."""
    places = {"engine's store": ThisMachine(environ).store} | ({"project": project.root} if project is not None else {})
    for name, folder in places.items():
        free = shutil.disk_usage(_existing(folder)).free
        state = State.FAILED if free < _TOO_LITTLE else State.WARNING if free < _LITTLE else State.OK
        fix = "free space; `lockgate engine gc` shrinks the engine's store" if state is not State.OK else None
        yield Answer(f"disk: {name}", state, f"{show_size(free)} free at {folder}", fix)


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())

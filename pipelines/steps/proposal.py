"""A first lockgate.toml, written by looking at the project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.config.discover import FILE, PYPROJECT, in_folder
from pipelines.errors import UsageError
from pipelines.steps.first_look.project_facts import look_at
from pipelines.steps.first_look.toml_text import quoted
from pipelines.steps.kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pipelines.steps.first_look.project_facts import ProjectFacts


def propose(root: Path) -> str:
    """The text of a lockgate.toml that fits the project and loads without a problem; what could not be seen is a comment.

    Raises:
        UsageError: the project's Dockerfile cannot be parsed, or there is neither a Dockerfile nor a lockgate.py: there would be no step.
    """
    seen = look_at(root)
    if seen.dockerfile is None and not seen.python_steps:
        raise _nothing_to_build(root, seen)
    return "\n".join(_head(seen)) + "".join("\n" + "\n".join(section) + "\n" for section in _sections(seen))


def write(root: Path, *, force: bool = False) -> Path:
    """Write the proposal to lockgate.toml and return its path.

    Raises:
        UsageError: there is one already (unless `force`), there is no Dockerfile, or the folder cannot be written.
    """
    path = free(root, force=force)
    try:
        path.write_text(propose(root), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}") from error
    return path


def free(root: Path, *, force: bool = False) -> Path:
    """The path of the file that `write` makes.

    Raises:
        UsageError: the folder is configured already.
    """
    path = root / FILE
    if path.exists() and not force:
        raise UsageError(f"{path} is already there", next_step="edit it, or run `lockgate init --force` to replace it")
    if not path.exists() and in_folder(root) is not None:
        raise UsageError(f"{root / PYPROJECT} already configures this folder", next_step="edit its [tool.lockgate] table")
    return path


def _nothing_to_build(root: Path, seen: ProjectFacts) -> UsageError:
    several = sorted(path.relative_to(root).as_posix() for path in root.glob("*/Dockerfile"))
    if several:
        return UsageError(
            f"{root} has several Dockerfiles and none in a usual place: {', '.join(several)}",
            next_step="write a lockgate.toml with an [images.NAME] for each, context and dockerfile in it (`lockgate config schema`)",
        )
    what = f", which is written in {seen.languages[0].language}" if seen.languages else ""
    offer = "let `lockgate init --dockerfile` write one, or write" if seen.languages else "write"
    return UsageError(
        f"there is no Dockerfile in {root}{what}: nothing could be built, tested or scanned",
        next_step=f"{offer} a Dockerfile and run `lockgate init` again",
    )


def _head(seen: ProjectFacts) -> Iterator[str]:
    yield "# What this project builds and proves: `lockgate plan` shows it, `lockgate` does it."
    yield ""
    yield "[project]"
    yield f"name = {quoted(seen.name)}"
    yield ""
    yield "# Where images go. Without credentials here, containers-auth.json is used, as by other container tools."
    yield "# [registry]"
    yield '# url = "registry.example.com/team"'
    yield '# auth = "env://REGISTRY_TOKEN"'
    yield ""


def _sections(seen: ProjectFacts) -> Iterator[Sequence[str]]:
    if seen.dockerfile is None:
        yield ["# The steps are in lockgate.py. When there is a Dockerfile, add [images.NAME]."]
        return
    for kind in KINDS:
        yield from kind.propose(seen)

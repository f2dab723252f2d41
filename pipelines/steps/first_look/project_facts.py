"""What `lockgate init` can see of a project: its Dockerfile's stages and ports, its language and tests, its k6 scripts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.errors import UsageError
from pipelines.foundation.dockerfile import NotADockerfile, read, stages_of
from pipelines.foundation.regular_files import read_text
from pipelines.steps.first_look.languages import languages
from pipelines.steps.first_look.own_files import own_files, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from pipelines.foundation.dockerfile import Instruction, StageText
    from pipelines.steps.first_look.languages import LanguageFacts

_NOT_A_NAME = re.compile(r"[^a-z0-9]+")
_TESTS = re.compile(r"\b(?:test|tests|check|[a-z]*test[s]?|tox|nox|rspec)\b")
_INSTALLS = re.compile(r"\b(?:install|add|apt-get|sync|download)\b")
_K6_IMPORT = re.compile(r"""from\s+['"]k6(/[\w-]+)*['"]""")
_USUAL = ("Dockerfile", "Containerfile", "docker/Dockerfile", "build/Dockerfile", "deploy/Dockerfile", ".docker/Dockerfile")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A stage of a Dockerfile: its name, empty if it has none, what it does by default, and whether tests run while it is built."""

    name: str
    command: tuple[str, ...] = ()
    tests: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectFacts:
    """Facts about a project; `dockerfile` is relative to it, `base_argument` says that a stage begins `FROM ${BASE}`."""

    name: str
    dockerfile: str | None = None
    stages: tuple[Stage, ...] = ()
    base_argument: bool = False
    ports: tuple[int, ...] = ()
    languages: tuple[LanguageFacts, ...] = ()
    k6_scripts: tuple[str, ...] = ()
    python_steps: bool = False


def look_at(root: Path) -> ProjectFacts:
    """Look at a project's folder.

    Raises:
        UsageError: its Dockerfile or its pyproject.toml cannot be parsed.
    """
    dockerfile = _dockerfile(root)
    instructions = _instructions(root / dockerfile) if dockerfile is not None else ()
    stages = stages_of(instructions)
    found = languages(root)
    return ProjectFacts(
        name=_name(root, found),
        dockerfile=dockerfile,
        stages=tuple(_stage(one) for one in stages),
        base_argument=any(one.base.startswith("${BASE}") or one.base == "$BASE" for one in stages),
        ports=tuple(dict.fromkeys(_ports(instructions))),
        languages=found,
        k6_scripts=tuple(sorted(_k6_scripts(root))),
        python_steps=(root / "lockgate.py").is_file(),
    )


def _name(root: Path, languages: Iterable[LanguageFacts]) -> str:
    """What the project calls itself in its language's own file, else the folder's name; in the form of our names."""
    own = next((one.name for one in languages if one.name), None) or root.resolve().name
    bare = own.rpartition("/")[2] if own.startswith("@") else own
    return _NOT_A_NAME.sub("-", bare.lower()).strip("-")[:63].strip("-") or "project"


def _dockerfile(root: Path) -> str | None:
    """The Dockerfile in a usual place; else the only one in a folder of the project."""
    for name in _USUAL:
        if (root / name).is_file():
            return name
    below = [path for path in root.glob("*/Dockerfile") if path.is_file() and not path.parent.name.startswith(".")]
    return below[0].relative_to(root).as_posix() if len(below) == 1 else None


def _instructions(path: Path) -> tuple[Instruction, ...]:
    try:
        return read(read_text(path))
    except (NotADockerfile, UnicodeDecodeError, OSError) as error:
        raise UsageError(f"{path} cannot be parsed: {error}", next_step="correct the Dockerfile, then run `lockgate init` again") from error


def _stage(stage: StageText) -> Stage:
    last = {one.name: _run_as(one) for one in stage.instructions if one.name in {"ENTRYPOINT", "CMD"}}
    commands = [command for one in stage.instructions if one.name == "RUN" for command in re.split(r"&&|;|\n", one.text)]
    tests = any(_TESTS.search(command) and not _INSTALLS.search(command) for command in commands)
    return Stage(name=stage.name, command=(*last.get("ENTRYPOINT", ()), *last.get("CMD", ())), tests=tests)


def _run_as(instruction: Instruction) -> tuple[str, ...]:
    array = instruction.array
    return ("sh", "-c", instruction.text) if array is None else array


def _ports(instructions: Iterable[Instruction]) -> Iterator[int]:
    for one in instructions:
        if one.name == "EXPOSE":
            for word in one.tokens:
                number = word.partition("/")[0]
                if number.isdigit() and not word.endswith("/udp"):
                    yield int(number)


def _k6_scripts(root: Path) -> Iterator[str]:
    """Scripts that import k6, relative to the project."""
    return (path.relative_to(root).as_posix() for path in own_files(root, ".js", ".ts") if _K6_IMPORT.search(text_of(path)))


def pick(stages: Iterable[Stage], wanted: Iterable[str]) -> Stage | None:
    """The stage whose name comes first in a list of usual names; None where there is none of them."""
    found = {stage.name.lower(): stage for stage in reversed(tuple(stages))}
    return next((found[name] for name in wanted if name in found), None)

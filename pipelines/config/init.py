"""A first lockgate.toml, written by looking at the project."""

from __future__ import annotations

import itertools
import json
import re
from typing import TYPE_CHECKING

from pipelines.config.discover import FILE, PYPROJECT, in_folder
from pipelines.config.languages import Language
from pipelines.config.project_facts import look_at
from pipelines.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipelines.config.languages import LanguageFacts
    from pipelines.config.project_facts import ProjectFacts, Stage

_SHIPS = ("runtime", "release", "production", "prod", "final", "app")
_TESTS = ("test", "tests", "testing", "unit-test", "unittest", "ci", "dev")
_BUILDS = ("build", "builder", "compile", "deps", "dependencies")
_COMPILED = frozenset({Language.GO, Language.RUST, Language.MAVEN, Language.GRADLE})
_BUILT_IN = ("true",)


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
    what = f", which is written in {seen.kinds[0].language}" if seen.kinds else ""
    offer = "let `lockgate init --dockerfile` write one, or write" if seen.kinds else "write"
    return UsageError(
        f"there is no Dockerfile in {root}{what}: nothing could be built, tested or scanned",
        next_step=f"{offer} a Dockerfile and run `lockgate init` again",
    )


def _head(seen: ProjectFacts) -> Iterator[str]:
    yield "# What this project builds and proves: `lockgate plan` shows it, `lockgate` does it."
    yield ""
    yield "[project]"
    yield f"name = {_quoted(seen.name)}"
    yield ""
    yield "# Where images go. Without credentials here, containers-auth.json is used, as by other container tools."
    yield "# [registry]"
    yield '# url = "registry.example.com/team"'
    yield '# auth = "env://REGISTRY_TOKEN"'
    yield ""


def _sections(seen: ProjectFacts) -> Iterator[list[str]]:
    if seen.dockerfile is None:
        yield ["# The steps are in lockgate.py. When there is a Dockerfile, add [images.NAME]."]
        return
    yield list(_image(seen, _pick(seen.stages, _SHIPS)))
    yield from (list(lines) for lines in _tests(seen))
    yield ["[scan]", 'fail_on = "high"']
    if seen.ports:
        for name, script in _perf_names(seen.k6_scripts).items():
            yield list(_perf(seen, name, script))
    yield ["# Publishing needs [registry] above.", "# [publish]", '# when = "ci"']


def _image(seen: ProjectFacts, ships: Stage | None) -> Iterator[str]:
    yield f"[images.{seen.name}]"
    if seen.dockerfile != "Dockerfile":
        yield f"dockerfile = {_quoted(str(seen.dockerfile))}"
    if ships:
        yield f"target = {_quoted(ships.name)}"
    if seen.base_argument:
        yield 'base = "python"  # a name (`lockgate images` lists them) or a reference; passed as the build argument BASE'


def _tests(seen: ProjectFacts) -> Iterator[list[str]]:
    """A test for every language that has some; else what the Dockerfile's own test stage does."""
    tested = [kind for kind in seen.kinds if kind.test]
    for number, kind in enumerate(tested):
        yield list(_test(seen, "unit" if number == 0 else f"unit-{kind.language.name.lower()}", kind))
    stage = _pick(seen.stages, _TESTS)
    if tested:
        return
    if stage is None or not (stage.command or stage.tests):
        yield ["# No tests were found. One is a command in an image:", "# [tests.unit]", f"# {_in(seen, stage)}", '# command = ["…"]']
        return
    command = stage.command or _BUILT_IN
    about = ["# The stage runs the tests while it is built, so the command has nothing to do."] if command is _BUILT_IN else []
    yield ["[tests.unit]", _in(seen, stage), *about, f"command = {_array(command)}"]


def _test(seen: ProjectFacts, name: str, kind: LanguageFacts) -> Iterator[str]:
    stage = _pick(seen.stages, _TESTS) or (_pick(seen.stages, _BUILDS) if kind.language in _COMPILED else None)
    yield f"[tests.{name}]"
    if stage is None:
        yield f"# The image must hold {(kind.test or ('',))[0]}: usually a stage `test` in the Dockerfile has it."
    yield _in(seen, stage)
    yield f"command = {_array(kind.test or ())}"


def _in(seen: ProjectFacts, stage: Stage | None) -> str:
    return f"image = {{ name = {_quoted(seen.name)}, target = {_quoted(stage.name)} }}" if stage else f"image = {_quoted(seen.name)}"


def _perf_names(scripts: tuple[str, ...]) -> dict[str, str]:
    """A name for every script: its stem, with a number where two have the same."""
    names: dict[str, str] = {}
    for script in scripts:
        stem = re.sub(r"[^a-z0-9]+", "-", script.rsplit("/", 1)[-1].partition(".")[0].lower()).strip("-") or "load"
        name = next(name for count in itertools.count(1) if (name := stem if count == 1 else f"{stem}-{count}") not in names)
        names[name] = script
    return names


def _perf(seen: ProjectFacts, name: str, script: str) -> Iterator[str]:
    yield f"[perf.{name}]"
    yield f"script = {_quoted(script)}"
    yield f"service = {{ image = {_quoted(seen.name)}, port = {seen.ports[0]} }}"
    yield "thresholds = { p95_ms = 500, error_rate = 0.01 }"


def _pick(stages: tuple[Stage, ...], wanted: tuple[str, ...]) -> Stage | None:
    """The stage whose name comes first in the list of usual names; None flattened the choice to the Dockerfile's order."""
    return next((stage for name in wanted for stage in stages if stage.name.lower() == name), None)


def _array(values: tuple[str, ...]) -> str:
    return "[" + ", ".join(_quoted(value) for value in values) + "]"


def _quoted(text: str) -> str:
    """A TOML basic string; JSON's escapes are a subset of TOML's."""
    return json.dumps(text, ensure_ascii=False)

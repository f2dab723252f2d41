"""The tests that `lockgate init` proposes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.steps.first_look.languages import Language
from pipelines.steps.first_look.project_facts import pick
from pipelines.steps.first_look.toml_text import array, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.steps.first_look.languages import LanguageFacts
    from pipelines.steps.first_look.project_facts import ProjectFacts, Stage

_TESTS = ("test", "tests", "testing", "unit-test", "unittest", "ci", "dev")
_BUILDS = ("build", "builder", "compile", "deps", "dependencies")
_COMPILED = frozenset({Language.GO, Language.RUST, Language.MAVEN, Language.GRADLE})
_BUILT_IN = ("true",)


def propose(seen: ProjectFacts) -> Iterator[list[str]]:
    """A test for every language that has some; else what the Dockerfile's own test stage does."""
    tested = [one for one in seen.languages if one.test]
    for number, one in enumerate(tested):
        yield _test(seen, "unit" if number == 0 else f"unit-{one.language.name.lower()}", one)
    stage = pick(seen.stages, _TESTS)
    if tested:
        return
    if stage is None or not (stage.command or stage.tests):
        yield ["# No tests were found. One is a command in an image:", "# [tests.unit]", f"# {_in(seen, stage)}", '# command = ["…"]']
        return
    command = stage.command or _BUILT_IN
    about = ["# The stage runs the tests while it is built, so the command has nothing to do."] if command is _BUILT_IN else []
    yield ["[tests.unit]", _in(seen, stage), *about, f"command = {array(command)}"]


def _test(seen: ProjectFacts, name: str, facts: LanguageFacts) -> list[str]:
    stage = pick(seen.stages, _TESTS) or (pick(seen.stages, _BUILDS) if facts.language in _COMPILED else None)
    program = (facts.test or ("",))[0]
    about = [f"# The image must hold {program}: usually a stage `test` in the Dockerfile has it."] if stage is None else []
    return [f"[tests.{name}]", *about, _in(seen, stage), f"command = {array(facts.test or ())}"]


def _in(seen: ProjectFacts, stage: Stage | None) -> str:
    return f"image = {{ name = {quoted(seen.name)}, target = {quoted(stage.name)} }}" if stage else f"image = {quoted(seen.name)}"

"""What publish steps wait for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipelines.errors import ConfigError
from pipelines.flow.gates import gated
from pipelines.steps.definition import AwaitedChecks, Parameter, StepDef


def step(step_id: str, provides: str = "Check", **parameters: str) -> StepDef:
    async def run() -> None: ...

    kind, _, name = step_id.partition(".")
    needed = tuple(Parameter(name=parameter, annotation=annotation) for parameter, annotation in parameters.items())
    section = {"test": "tests", "image": "images"}.get(kind, kind)
    return StepDef(id=step_id, kind=kind, name=name, parameters=needed, provides=provides, load=lambda: run, section=section)


def awaiting(after: list[str] | None, steps: tuple[StepDef, ...] | None = None) -> tuple[StepDef, ...]:
    awaits = AwaitedChecks(selectors=None if after is None else tuple(after), subject="publishing", key="publish.after")
    return tuple(replace(one, awaits=awaits) if one.kind == "publish" else one for one in steps or STEPS)


STEPS = (
    step("image.shop", "BuiltImage"),
    step("test.unit", image_shop="BuiltImage"),
    step("test.slow", image_shop="BuiltImage"),
    step("scan.shop", image_shop="BuiltImage"),
    step("publish.shop", "PublishedImage", image_shop="BuiltImage"),
    step("step.smoke", "pipelines.Check", image_shop="BuiltImage"),
    step("step.note", "str", image_shop="BuiltImage"),
    step("step.deployed", publish_shop="PublishedImage"),
)


def gates(after: list[str] | None) -> tuple[str, ...]:
    (publish,) = (found for found in gated(awaiting(after)).definitions if found.kind == "publish")
    return publish.after


def test_every_check_is_a_gate_also_those_in_python_but_none_that_needs_what_is_published() -> None:
    assert gates(None) == ("test.unit", "test.slow", "scan.shop", "step.smoke")
    assert gated(awaiting(None)).notes == ()


@pytest.mark.parametrize(
    ("after", "found", "passed_over"),
    [
        (["test"], ("test.unit", "test.slow"), ("scan.shop", "step.smoke")),
        (["tests", "smoke"], ("test.unit", "test.slow", "step.smoke"), ("scan.shop",)),
        (["scan.shop", "step.note"], ("scan.shop", "step.note"), ("test.unit", "test.slow", "step.smoke")),
        ([], (), ("test.unit", "test.slow", "scan.shop", "step.smoke")),
    ],
)
def test_the_configuration_may_name_them(after: list[str], found: tuple[str, ...], passed_over: tuple[str, ...]) -> None:
    assert gates(after) == found
    assert gated(awaiting(after)).notes == (f"publishing does not wait for {', '.join(passed_over)}: see [publish] after",)


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("test.unti", "publish.after: test.unti is not a step; did you mean test.unit?"),
        ("step.deployed", "publish.after: step.deployed itself needs what comes after the checks"),
        ("publish", "publish.after: publish itself needs what comes after the checks"),
    ],
)
def test_what_cannot_be_waited_for_is_a_wrong_configuration(word: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        gated(awaiting([word]))
    assert (caught.value.exit_code, caught.value.problems) == (2, (says,))


def test_without_publishing_nothing_changes() -> None:
    steps = tuple(found for found in STEPS if "publish" not in found.id and found.name != "deployed")
    assert gated(awaiting(None, steps)).definitions == steps

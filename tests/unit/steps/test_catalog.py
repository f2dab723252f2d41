from __future__ import annotations

import dataclasses
import importlib
import inspect
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import pipelines
from pipelines.errors import ConfigError
from pipelines.steps.catalog import builtin
from pipelines.steps.definition import parameter_name
from pipelines.steps.image.uses import stages_used
from pipelines.steps.interface import RunOptions
from pipelines.steps.publish.spec import PublishSpec, PublishWhen
from tests.projects import changed

if TYPE_CHECKING:
    from pipelines.model import Project, Source
    from pipelines.steps.definition import StepDef


def by_id(project: Project, source: Source, options: RunOptions | None = None) -> dict[str, StepDef]:
    return {step.id: step for step in builtin(project, source=source, options=options)}


def images_of(step: StepDef) -> set[str]:
    return {parameter.name for parameter in step.parameters if parameter.annotation == "BuiltImage"}


def test_every_table_gives_its_steps(project: Project, source: Source) -> None:
    assert list(by_id(project, source)) == [
        "image.shop",
        "image.my-tool",
        "test.unit",
        "test.integration",
        "scan.shop",
        "scan.my-tool",
        "scan.sources",
        "perf.checkout",
        "publish.shop",
        "publish.my-tool",
    ]


def test_steps_name_the_images_they_need_and_foreign_services_are_none(project: Project, source: Source) -> None:
    steps = by_id(project, source)
    assert images_of(steps["test.unit"]) == {"image_shop"}
    assert images_of(steps["test.integration"]) == {"image_shop", "image_my_tool"}
    assert images_of(steps["scan.my-tool"]) == {"image_my_tool"}
    assert images_of(steps["scan.sources"]) == set()
    assert images_of(steps["perf.checkout"]) == {"image_shop"}


def test_publish_waits_for_every_check(project: Project, source: Source) -> None:
    steps = by_id(project, source)
    awaits = steps["publish.shop"].awaits
    assert awaits is not None
    assert (awaits.selectors, awaits.key) == (None, "publish.after")


@pytest.mark.parametrize(
    ("when", "options", "runs"),
    [
        (PublishWhen.CI, RunOptions(), False),
        (PublishWhen.CI, RunOptions(in_ci=True), True),
        (PublishWhen.CI, RunOptions(publish=True), True),
        (PublishWhen.CI, RunOptions(publish=False, in_ci=True), False),
        (PublishWhen.ALWAYS, RunOptions(), True),
        (PublishWhen.ALWAYS, RunOptions(publish=False), False),
        (PublishWhen.NEVER, RunOptions(in_ci=True), False),
        (PublishWhen.NEVER, RunOptions(publish=True, in_ci=True), True),
    ],
)
def test_when_publish_has_its_turn(project: Project, source: Source, when: PublishWhen, options: RunOptions, runs: bool) -> None:
    timed = changed(project, publish=PublishSpec(when=when))
    assert (by_id(timed, source, options)["publish.shop"].skip is None) is runs


def test_without_a_publish_table_only_the_flag_publishes(project: Project, source: Source) -> None:
    bare = changed(project, publish=None)
    assert not [step for step in by_id(bare, source) if step.startswith("publish.")]
    assert by_id(bare, source, RunOptions(publish=True))["publish.shop"].skip is None


def test_publish_without_a_registry_is_a_configuration_error_only_when_it_would_run(project: Project, source: Source) -> None:
    nowhere = dataclasses.replace(project, registry=None)
    assert by_id(nowhere, source)["publish.shop"].skip
    with pytest.raises(ConfigError, match="no registry to push to") as caught:
        builtin(nowhere, source=source, options=RunOptions(in_ci=True))
    assert caught.value.problems == ("registry.url: needed by [publish]",)


def test_only_stages_somebody_uses_are_offered(project: Project) -> None:
    assert stages_used(project, "shop") == ("test",)
    assert stages_used(project, "my-tool") == ()


@pytest.mark.parametrize(("step_id", "name"), [("image.shop", "image_shop"), ("test.a-b", "test_a_b"), ("scan.ü", "scan__")])
def test_parameter_names_are_identifiers(step_id: str, name: str) -> None:
    assert parameter_name(step_id) == name


def test_every_step_says_what_it_will_do(project: Project, source: Source) -> None:
    steps = by_id(project, source)
    assert steps["image.shop"].describe == "build ./Dockerfile, stage runtime, on python"
    assert steps["test.integration"].describe == "pytest in shop (stage test), with shop, redis, tool"
    assert steps["publish.shop"].describe == "push registry.example.com/team/shop:1.4.0"
    assert all(step.describe for step in steps.values())


def test_a_plan_imports_neither_dagger_nor_the_code_of_a_step() -> None:
    code = (
        "import sys; from pathlib import Path; from pipelines.model import Project, Source;"
        "from pipelines.steps.catalog import builtin; from pipelines.steps.image.spec import ImageSpec;"
        "from pipelines.steps.scan.spec import ScanSpec; steps = {'image': {'a': ImageSpec(name='a')}, 'scan': {'': ScanSpec()}};"
        "assert len(builtin(Project(name='x', root=Path('.'), steps=steps), source=Source(root='.'))) == 3;"
        "print([m for m in sys.modules if m.partition('.')[0] in {'dagger', 'pydantic', 'rich', 'anyio'} "
        "or m == 'pipelines.steps.image.run'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("kind", ["image", "test", "scan", "perf", "publish"])
def test_the_code_of_every_kind_loads(project: Project, source: Source, kind: str) -> None:
    step = next(step for step in builtin(project, source=source) if step.kind == kind)
    assert callable(step.load())


def test_every_step_provides_what_its_function_returns(project: Project, source: Source) -> None:
    for step in builtin(project, source=source):
        function = importlib.import_module(f"pipelines.steps.{step.kind}.run").step
        assert step.provides == inspect.signature(function).return_annotation, step.id
        assert step.provides in pipelines.__all__

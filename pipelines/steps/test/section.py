"""The section [tests] of a configuration: from its tables to tests, and what has to fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.config.section import Section, limits_of, secret_refs
from pipelines.steps.common.service_spec import service_of
from pipelines.steps.image.problems import image_problem, service_problems
from pipelines.steps.image.spec import ImageTarget
from pipelines.steps.test.spec import NAME, TestSpec, configured_tests

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipelines.config.table import Table
    from pipelines.model import Project


def _table() -> type[Table]:
    from pipelines.steps.test.table import TestTable

    return TestTable


def _test(name: str, values: Mapping[str, Any], default_s: float) -> TestSpec:
    return TestSpec(
        name=name,
        image=ImageTarget(name=values["image"]["name"], target=values["image"].get("target")),
        command=tuple(values["command"]),
        junit=values.get("junit"),
        env=values["env"],
        secrets=secret_refs(values["secrets"]),
        services={alias: service_of(service) for alias, service in values["services"].items()},
        limits=limits_of(values, default_s),
    )


def _problems(project: Project) -> Iterator[str]:
    for name, test in configured_tests(project).items():
        yield from image_problem(f"tests.{name}.image", test.image.name, project)
        for alias, service in test.services.items():
            yield from service_problems(f"tests.{name}.services.{alias}", service, project)


SECTION = Section(
    key="tests",
    kind=NAME,
    description="Test commands by name: step test.NAME.",
    example="unit",
    table=_table,
    convert=_test,
    problems=_problems,
    short_forms={"image": "name"},
    later=frozenset({"flaky", "shards"}),
)

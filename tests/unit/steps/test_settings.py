"""What of the configuration shapes the work of which step."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.model import LockedImage, OnInconclusive, SecretRef, Severity, StepLimits
from pipelines.steps.catalog import builtin
from pipelines.steps.image.spec import images_of
from pipelines.steps.perf.spec import Thresholds, performance_checks_of
from pipelines.steps.test.spec import configured_tests
from tests.projects import changed, scan_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipelines.model import Project, Source
    from pipelines.steps.definition import StepSettings

STEPS = ("image.shop", "image.my-tool", "test.unit", "test.integration", "scan.shop", "scan.sources", "perf.checkout")
SHOP = {"image.shop", "test.unit", "test.integration", "scan.shop", "perf.checkout"}


def settings_of(step_id: str, project: Project, source: Source) -> StepSettings | None:
    step = next((step for step in builtin(project, source=source) if step.id == step_id), None)
    return step.settings() if step is not None and step.settings is not None else None


def with_image(project: Project, **changes: Any) -> Project:
    images = images_of(project)
    return changed(project, images={**images, "shop": replace(images["shop"], **changes)})


def with_test(project: Project, name: str = "unit", **changes: Any) -> Project:
    tests = configured_tests(project)
    return changed(project, tests={**tests, name: replace(tests[name], **changes)})


def with_scan(project: Project, **changes: Any) -> Project:
    return changed(project, scan=replace(scan_in(project), **changes))


def with_perf(project: Project, **changes: Any) -> Project:
    return changed(project, perf={"checkout": replace(performance_checks_of(project)["checkout"], **changes)})


def with_lock(project: Project, name: str) -> Project:
    return replace(project, locked={name: LockedImage(name=name, reference=f"registry/{name}@sha256:1", origin="official")})


def with_file(project: Project, name: str) -> Project:
    (project.root / name).write_text("FROM scratch\n")
    return project


Change = tuple["Callable[[Project], Project]", str, set[str]]
CHANGES: list[Change] = [
    (lambda p: with_image(p, target="other"), "[images.shop] target", SHOP - {"test.unit"}),
    (lambda p: with_image(p, args={"X": "1"}), "build argument X", SHOP),
    (lambda p: with_image(p, args={"X": "{revision}"}), "build argument X", SHOP),
    (lambda p: with_image(p, secrets={"pip": SecretRef("env://PIP")}), "[images.shop] secrets", SHOP),
    (lambda p: with_image(p, labels={"team": "shop"}), "label team", {"scan.shop"}),
    (lambda p: with_lock(p, "python"), "base image python", SHOP),
    (lambda p: with_lock(p, "trivy-db"), "image trivy-db", {"scan.shop", "scan.sources"}),
    (lambda p: with_lock(p, "k6"), "image k6", {"perf.checkout"}),
    (lambda p: with_lock(p, "redis:7"), "image redis:7", {"test.integration"}),
    (lambda p: with_file(p, "Dockerfile"), "host file Dockerfile", {*SHOP, "image.my-tool"}),
    (lambda p: with_file(p, ".dockerignore"), "host file .dockerignore", {*SHOP, "image.my-tool"}),
    (lambda p: with_test(p, command=("pytest",)), "[tests.unit] command", {"test.unit"}),
    (lambda p: with_test(p, env={"DEBUG": "1"}), "[tests.unit] environment variable DEBUG", {"test.unit"}),
    (lambda p: with_test(p, "integration", services={}), "image redis:7", {"test.integration"}),
    (lambda p: with_perf(p, script="other.js"), "[perf.checkout] script", {"perf.checkout"}),
    (lambda p: with_perf(p, env={"A": "b"}), "[perf.checkout] environment variable A", {"perf.checkout"}),
]


def works(project: Project, source: Source) -> dict[str, Mapping[str, str]]:
    found = {step: settings_of(step, project, source) for step in STEPS}
    return {step: settings.work for step, settings in found.items() if settings is not None}


@pytest.mark.parametrize(("change", "name", "steps"), CHANGES, ids=[name for _, name, _ in CHANGES])
def test_a_change_concerns_the_steps_it_shapes(project: Project, source: Source, change: Any, name: str, steps: set[str]) -> None:
    before = works(project, source)
    after = works(change(project), source)
    assert set(before) == set(STEPS)
    assert {step for step in STEPS if before[step] != after[step]} == steps
    assert all(before[step].get(name) != after[step].get(name) for step in steps)


@pytest.mark.parametrize(
    "change",
    [
        lambda p: with_test(p, limits=StepLimits(timeout_s=5)),
        lambda p: with_image(p, limits=StepLimits(retries=7)),
        lambda p: replace(p, jobs=3, keep_going=False),
    ],
)
def test_limits_shape_no_work(project: Project, source: Source, change: Any) -> None:
    assert works(change(project), source) == works(project, source)


@pytest.mark.parametrize(
    ("change", "step"),
    [
        (lambda p: with_scan(p, fail_on=Severity.LOW), "scan.shop"),
        (lambda p: with_scan(p, on_inconclusive=OnInconclusive.WARN), "scan.sources"),
        (lambda p: with_perf(p, thresholds=Thresholds(p95_ms=1)), "perf.checkout"),
    ],
)
def test_what_only_judges_is_apart(project: Project, source: Source, change: Any, step: str) -> None:
    before, after = settings_of(step, project, source), settings_of(step, change(project), source)
    assert before is not None
    assert after is not None
    assert before.work == after.work
    assert before.judged != after.judged


def test_a_commit_concerns_the_scan_that_sees_its_labels(project: Project, source: Source) -> None:
    before, after = works(project, source), works(project, dataclasses.replace(source, version="1.5.0", revision="f" * 40))
    assert {step for step in STEPS if before[step] != after[step]} == {"scan.shop"}


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ("FROM a\n", "# why\nFROM a\n\n", True),
        ("FROM a\nRUN x \\\n  y\n", "FROM a\nRUN x \\\n# in between\n  y\n", True),
        ("FROM a\n", "# escape=`\nFROM a\n", False),
        ("FROM a\n", "FROM b\n", False),
        ("FROM a\nRUN <<E\n# x\nE\n", "FROM a\nRUN <<E\n# y\nE\n", False),
    ],
)
def test_comments_in_a_dockerfile_are_none_of_it(project: Project, source: Source, before: str, after: str, same: bool) -> None:
    (project.root / "Dockerfile").write_text(before)
    first = works(project, source)["image.shop"]
    (project.root / "Dockerfile").write_text(after)
    assert (works(project, source)["image.shop"] == first) == same


@pytest.mark.parametrize("step", ["step.mine", "test.of-my-own", "scan.nothing"])
def test_other_steps_have_none(project: Project, source: Source, step: str) -> None:
    without_scan = changed(project, scan=None)
    assert settings_of(step, without_scan, source) is None


def test_each_of_two_images_of_one_step_counts_with_its_own_build_arguments(project: Project, source: Source) -> None:
    service = next(iter(configured_tests(project)["integration"].services.values()))
    images = images_of(project)
    both = {**images, "shop": replace(images["shop"], args={"COLOR": "red"}), "my-tool": replace(images["my-tool"], args={"COLOR": "blue"})}
    project = changed(project, images=both)
    project = with_test(project, "integration", services={"tool": replace(service, image="my-tool")})
    for name in ("shop", "my-tool"):
        other = changed(project, images={**both, name: replace(both[name], args={"COLOR": "green"})})
        assert works(project, source)["test.integration"] != works(other, source)["test.integration"]


def test_a_link_that_leads_elsewhere_is_another_folder(project: Project, source: Source) -> None:
    for name in ("one", "two"):
        (project.root / name).mkdir()
    link = project.root / "linked"
    link.symlink_to("one")
    project = with_perf(with_image(project, context="linked/deep/.."), script="linked/checkout.js")
    before = works(project, source)
    link.unlink()
    link.symlink_to("two")
    after = works(project, source)
    assert {step for step in STEPS if before[step] != after[step]} == SHOP
    assert before["perf.checkout"]["[perf.checkout] folder of the script"] != after["perf.checkout"]["[perf.checkout] folder of the script"]


BODY = "FROM a\nRUN x \\\n y\n"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (BODY, f"# a comment\n{BODY}\t # another\n\n", True),
        (BODY, "FROM a\nRUN x \\\n# between\n y\n", True),
        (f"# escape=`\n{BODY}", BODY, False),
        (f"# escape=`\n{BODY}", f"# a comment ends directives\n# escape=`\n{BODY}", False),
        (f"# escape=`\n{BODY}", f"\n# escape=`\n{BODY}", False),
        (f"\ufeff# escape=`\n{BODY}", f"\ufeff{BODY}", False),
        (f"{BODY}# check=skip=all\n", BODY, True),
        *[(f"RUN echo a{sign}# b\n", f"RUN echo a{sign}# c\n", False) for sign in "\x0b\x0c\x1c\x85\u2028\r"],
        ("RUN <<E\n# a\nE\n", "RUN <<E\n# b\nE\n", False),
    ],
)
def test_of_a_dockerfile_all_counts_but_comments(project: Project, source: Source, one: str, other: str, *, same: bool) -> None:
    def written(text: str) -> str:
        (project.root / "Dockerfile").write_bytes(text.encode())
        return works(project, source)["image.shop"]["host file Dockerfile"]

    assert (written(one) == written(other)) == same


def test_a_comment_of_a_dockerfile_counts_where_its_digest_is_a_label(project: Project, source: Source) -> None:
    project = with_image(with_file(project, "Dockerfile"), base=None)
    before = works(project, source)
    (project.root / "Dockerfile").write_text("FROM scratch\n# a comment\n")
    after = works(project, source)
    assert {step for step in STEPS if before[step] != after[step]} == {"scan.shop"}
    assert before["scan.shop"]["label lockgate.inputs"] != after["scan.shop"]["label lockgate.inputs"]

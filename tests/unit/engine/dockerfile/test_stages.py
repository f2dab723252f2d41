from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipelines.engine.embedded.dockerfile.errors import DockerfileError
from pipelines.engine.embedded.dockerfile.instructions.config import ArgInstruction, EnvInstruction, OnBuildInstruction
from pipelines.engine.embedded.dockerfile.instructions.copy import CopyInstruction
from pipelines.engine.embedded.dockerfile.instructions.origins import ImageRef, Scratch, StageRef
from pipelines.engine.embedded.dockerfile.instructions.run import RunInstruction
from pipelines.engine.embedded.dockerfile.plan.stages import plan, trigger_steps

if TYPE_CHECKING:
    from pipelines.engine.embedded.dockerfile.plan.plan import BuildPlan

STAGES = """ARG TAG=1
ARG REPO=app:$TAG
FROM $REPO AS Build
RUN make
FROM build AS test
FROM scratch
COPY --from=build /out /
COPY --from=busybox /bin/sh /sh
RUN --mount=from=test,target=/t true
FROM a
COPY --from=2 / /
"""


def message(text: str, **options: str) -> str:
    with pytest.raises(DockerfileError) as caught:
        plan(text, **options)  # type: ignore[arg-type]
    return caught.value.message.removeprefix("failed to convert Dockerfile to LLB: ")


def test_names_bases_and_needed_stages() -> None:
    found = plan(STAGES)
    assert [(stage.name, stage.base) for stage in found.stages] == [
        ("build", ImageRef("app:1")),
        ("test", StageRef(0)),
        ("", Scratch()),
        ("", ImageRef("a")),
    ]
    assert (found.target, found.needed) == (3, (0, 1, 2, 3))
    copy, foreign, run = found.stages[2].steps
    assert isinstance(copy, CopyInstruction)
    assert isinstance(foreign, CopyInstruction)
    assert isinstance(run, RunInstruction)
    assert (copy.origin, foreign.origin, run.flags[0].origin) == (StageRef(0), ImageRef("busybox"), StageRef(1))


def test_a_target_needs_no_later_stage() -> None:
    found = plan(STAGES, target="BUILD", build_args={"TAG": "2"})
    assert (found.target, found.needed, found.stages[0].base) == (0, (0,), ImageRef("app:2"))


def test_a_later_stage_may_take_an_earlier_name() -> None:
    found = plan("FROM a AS x\nFROM x AS x\nFROM x\n")
    assert [stage.base for stage in found.stages] == [ImageRef("a"), StageRef(0), StageRef(1)]


def test_platform_arguments() -> None:
    found = plan(
        "FROM --platform=$TARGETPLATFORM a:$TARGETARCH$TARGETVARIANT AS x\nARG TARGETARCH\nARG TARGETSTAGE\n", platform="linux/arm/v6"
    )
    assert (found.stages[0].platform, found.stages[0].base) == ("linux/arm/v6", ImageRef("a:armv6"))
    arch, stage = found.stages[0].steps
    assert isinstance(arch, ArgInstruction)
    assert isinstance(stage, ArgInstruction)
    assert (found.arguments(arch, {}), found.arguments(stage, {})) == ({"TARGETARCH": "arm"}, {"TARGETSTAGE": "x"})


def test_build_argument_overrides_a_platform_argument() -> None:
    assert plan("FROM a:$TARGETARCH\n", build_args={"TARGETARCH": "mine"}).stages[0].base == ImageRef("a:mine")


def test_arguments_of_a_stage() -> None:
    found = plan("ARG G=global\nARG H\nFROM a\nARG G H D=d$G E=$D$ENVIRONMENT\n", build_args={"D": "given"})
    arg = found.stages[0].steps[0]
    assert isinstance(arg, ArgInstruction)
    assert found.arguments(arg, {"ENVIRONMENT": "v"}) == {"G": "global", "D": "given", "E": "givenv"}


def test_default_of_an_argument_is_not_looked_at_where_a_value_is_given() -> None:
    found = plan('FROM a\nARG X="${Y:?must be set}"\n', build_args={"X": "1"})
    arg = found.stages[0].steps[0]
    assert isinstance(arg, ArgInstruction)
    assert found.arguments(arg, {}) == {"X": "1"}
    with pytest.raises(DockerfileError, match=r"dockerfile error on line 2: failed to process .*: Y: must be set"):
        plan('FROM a\nARG X="${Y:?must be set}"\n').arguments(arg, {})


def test_proxies_come_in_both_cases() -> None:
    found = plan("FROM a\n", build_args={"http_proxy": "p", "NO_PROXY": "n", "X": "x"})
    assert found.proxies() == {"HTTP_PROXY": "p", "http_proxy": "p", "NO_PROXY": "n", "no_proxy": "n"}


def test_expansion_fault_names_the_line() -> None:
    found = plan("FROM a\n\nENV A=1 B=${A\n", file="d/Dockerfile")
    with pytest.raises(
        DockerfileError, match=r"dockerfile error on line 3 of d/Dockerfile: failed to process .*: syntax error: missing '}'"
    ):
        found.expand(found.stages[0].steps[0], {})


def test_expansion_uses_the_files_escape() -> None:
    found = plan("# escape=`\nFROM a\nENV A=C:\\$X`$X\n")
    step = found.expand(found.stages[0].steps[0], {"X": "x"})
    assert isinstance(step, EnvInstruction)
    assert step.pairs == (("A", "C:\\x$X"),)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FROM a\nRUNN x\n", "dockerfile parse error on line 2: unknown instruction: RUNN (did you mean RUN?)"),
        ("FROM a\nFROM b c\n", "dockerfile parse error on line 2: FROM requires either one or three arguments"),
        (
            "FROM a AS 1x\n",
            'dockerfile parse error on line 1: invalid name for build stage: "1x", name can\'t start with a number or contain symbols',
        ),
        ("FROM --plattform=x a\n", "dockerfile parse error on line 1: unknown flag: --plattform (did you mean platform?)"),
        ("RUN x\nFROM a\n", "dockerfile parse error on line 1: no build stage in current context"),
        ("ARG X\n", "dockerfile contains no stages to build"),
        ("ARG X\nFROM $X\n", "dockerfile parse error on line 2: base name ($X) should not be blank"),
        ("FROM ${X\n", "dockerfile parse error on line 1: failed to process \"${X\": syntax error: missing '}'"),
        ("FROM --platform=$X a\n", "dockerfile parse error on line 1: empty platform value from expression $X"),
        ("FROM a AS x\nFROM b\nCOPY --from=9 a b\n", "dockerfile parse error on line 3: invalid stage index 9"),
        ("FROM a AS x\nCOPY --from=x a b\n", "dockerfile error on line 2: circular dependency detected on stage: x"),
    ],
)
def test_refused(text: str, expected: str) -> None:
    assert message(text) == expected


def test_unknown_target() -> None:
    assert message("FROM a AS one\n", target="two") == 'target stage "two" could not be found'
    assert message("FROM a AS one\n", target="ones") == 'target stage "ones" could not be found (did you mean one?)'


def test_stages_must_be_defined_before_they_are_read() -> None:
    text = "FROM a AS x\nCOPY --from=y a b\nFROM b AS y\n"
    expected = 'dockerfile error on line 2: cannot copy from stage "y", it needs to be defined before current stage "x"'
    assert message(text, target="x") == expected
    assert plan(text).needed == (1,)


def test_triggers_of_a_base_image() -> None:
    found = plan("FROM a AS one\nFROM b\nRUN own\n")
    triggers = trigger_steps(found, found.stages[1], ["COPY --from=one /x /y", "RUN <<E\nhi\nE"])
    copy, run = triggers
    assert isinstance(copy, CopyInstruction)
    assert isinstance(run, RunInstruction)
    assert (copy.origin, copy.line) == (StageRef(0), 2)
    assert run.invocation().argv == ("/bin/sh", "-c", "hi\n")


def test_trigger_is_written_as_it_will_be_read() -> None:
    step = plan("FROM a\nONBUILD RUN --mount=type=tmpfs,target=/t <<E\nhi\nE\n").stages[0].steps[0]
    assert isinstance(step, OnBuildInstruction)
    assert step.trigger == "RUN --mount=type=tmpfs,target=/t <<E\nhi\nE"


@pytest.mark.parametrize(
    ("trigger", "expected"),
    [
        ("NOPE x", "dockerfile parse error on line 1: ONBUILD NOPE x: unknown instruction: NOPE (did you mean COPY?)"),
        (
            "COPY --from=late a b",
            'dockerfile error on line 1: cannot copy from stage "late", it needs to be defined before current stage "stage-0"',
        ),
        ("RUN a\nRUN b", "dockerfile parse error on line 1: ONBUILD RUN a\nRUN b: onbuild trigger should be a single expression"),
    ],
)
def test_triggers_refused(trigger: str, expected: str) -> None:
    found: BuildPlan = plan("FROM a\nFROM b AS late\n")
    with pytest.raises(DockerfileError) as caught:
        trigger_steps(found, found.stages[0], [trigger])
    assert caught.value.message == "failed to convert Dockerfile to LLB: " + expected

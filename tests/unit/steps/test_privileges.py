"""What a Dockerfile asks for beyond an ordinary container is refused unless it is allowed by name, whichever engine would build it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagger
import pytest
from dagger import dag
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import StepFailed
from pipelines.model import EngineSpec, Insecure, Project
from pipelines.steps.common.step_inputs import StepInputs
from pipelines.steps.image import run as image
from pipelines.steps.image.privileges import asks
from pipelines.steps.image.spec import ImageSpec, images_of
from tests.projects import changed

if TYPE_CHECKING:
    from pipelines.engine.embedded.recording import Recording
    from pipelines.model import Source
    from pipelines.steps.definition import StepContext

INSECURE = "FROM base\nRUN --security=insecure mount -t tmpfs x /mnt\n"


@pytest.mark.parametrize(
    ("line", "asked"),
    [
        ("RUN --security=insecure true", "RUN --security=insecure"),
        ("run --security=insecure true", "RUN --security=insecure"),
        ('RUN --mount=type=cache,target=/x \\\n  --security="insecure" \\\n  true', "RUN --security=insecure"),
        ("RUN --security=in\\secure true", "RUN --security=insecure"),
        ("RUN --security=$MODE true", "RUN --security=$MODE"),
        ("RUN --network=host <<EOF\ntrue\nEOF", "RUN --network=host"),
        ("RUN --device=vendor.com/class=one true", "RUN --device=vendor.com/class=one"),
        ("RUN --security=insecure --network=host true", "RUN --security=insecure --network=host"),
        ("ONBUILD RUN --security=insecure true", "ONBUILD RUN --security=insecure"),
        ('ONBUILD   run --network=host ["true"]', "ONBUILD RUN --network=host"),
    ],
)
def test_flags_that_lead_out_of_the_sandbox_are_found(line: str, asked: str) -> None:
    assert asks(f"# syntax=docker/dockerfile:1-labs\nFROM base\n{line}\n") == (f"line 3: {asked}",)


@pytest.mark.parametrize(
    "line",
    [
        "RUN --security=sandbox --network=none true",
        "RUN --network=default true",
        "RUN echo --security=insecure",
        "RUN <<EOF\nRUN --security=insecure true\nEOF",
        "COPY <<EOF /x\nRUN --security=insecure true\nEOF",
        "# RUN --security=insecure true",
        "COPY --from=x --chmod=0755 a b",
    ],
)
def test_other_lines_ask_for_nothing(line: str) -> None:
    assert asks(f"FROM base\n{line}\n") == ()


def test_the_escape_character_of_the_file_counts() -> None:
    assert asks("# escape=`\nFROM base\nRUN --mount=type=tmpfs,target=/x `\n --security=insecure true\n") == (
        "line 3: RUN --security=insecure",
    )


def test_a_file_that_cannot_be_parsed_is_searched_as_text() -> None:
    assert asks("FROM base\nRUN <<EOF\nRUN --security=insecure true\n") == ("line 3: --security",)
    assert asks("FROM base\nRUN <<EOF\ntrue\n") == ()


@given(st.text(max_size=200))
def test_any_text_is_read(text: str) -> None:
    assert isinstance(asks(text), tuple)


def given_for(project: Project, context: StepContext, source: Source, insecure: Insecure) -> StepInputs:
    project.root.joinpath("Dockerfile").write_text(INSECURE, encoding="utf-8")
    spec = ImageSpec(name="i")
    allowed = changed(project, engine=EngineSpec(insecure=insecure), images={"i": spec})
    return StepInputs(client=dag, context=context, project=allowed, source=source, images={})


@pytest.mark.parametrize("insecure", [Insecure.NONE, Insecure.API])
async def test_an_image_step_refuses_before_anything_is_built(
    recording: Recording, project: Project, context: StepContext, source: Source, insecure: Insecure
) -> None:
    known = given_for(project, context, source, insecure)
    async with dagger.connection():
        with pytest.raises(StepFailed) as caught:
            await image.step(images_of(known.project)["i"], (), known)
    assert f'[engine] insecure is "{insecure.value}"' in caught.value.message
    assert caught.value.cause == "line 2: RUN --security=insecure"
    assert 'insecure = "all" in [engine]' in str(caught.value.next_step)


async def test_what_is_allowed_by_name_is_built(recording: Recording, project: Project, context: StepContext, source: Source) -> None:
    known = given_for(project, context, source, Insecure.ALL)
    async with dagger.connection():
        assert (await image.step(images_of(known.project)["i"], (), known)).name == "i"

"""Secrets in what a run leaves."""

from __future__ import annotations

import functools
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from pipelines.model import Check, SecretRef, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from pipelines.steps.definition import StepContext, StepDef
    from tests.unit.flow.fake_project import FakeProject


def test_secrets_of_the_environment_are_masked_from_the_first_line(fake: FakeProject, make: Callable[..., StepDef]) -> None:
    from pipelines.model import Registry

    async def prints(context: StepContext) -> None:
        context.log("token hunter2-hunter2\n")

    fake.environ["TOKEN"] = "hunter2-hunter2"
    fake.steps = [make(prints)]
    fake.run(project=fake.project(registry=Registry(url="a", auth=SecretRef("env://TOKEN"))))
    files = [path for path in fake.home.path.rglob("*") if path.is_file()]
    assert [path for path in files if "hunter2" in path.read_text()] == []


def test_what_was_written_before_a_secret_was_known_is_masked_in_the_end(fake: FakeProject, make: Callable[..., StepDef]) -> None:
    async def early(context: StepContext) -> Check:
        context.log("a late-known-secret\n")
        path = context.folder / "out.txt"
        path.write_text("late-known-secret")
        return Check(verdict=Verdict.FAIL, reason="saw late-known-secret", artifacts=(str(path),))

    async def late(client: dagger.Client, context: StepContext) -> None:  # type: ignore[name-defined]  # noqa: F821
        await anyio.sleep(60)
        context.mask("late-known-secret")
        context.mask("engine line")

    fake.steps = [make(early), make(late)]
    run = fake.run()
    assert run.folder is not None
    kept = {path: path.read_text() for path in Path(run.folder).rglob("*") if path.is_file()}
    kept |= {path: path.read_text() for path in fake.home.reports.iterdir()}
    assert not [path for path, text in kept.items() if "late-known-secret" in text]
    assert run.results[0].reason == "saw ***"
    assert (Path(run.folder) / "logs" / "engine.log").read_text() == "***\n"
    assert (Path(run.folder) / "logs" / "step.early.log").read_text() == "a ***\n"


def test_what_a_step_prints_is_masked_also_when_the_secret_became_known_in_the_step(
    fake: FakeProject, make: Callable[..., StepDef], capsys: pytest.CaptureFixture[str]
) -> None:
    say = functools.partial(print, end="")

    async def prints(context: StepContext) -> None:
        context.mask("hunter2-hunter2")
        say("a hunter2-")
        say("hunter2, and the beginning of another: hunter2-")
        other = threading.Thread(target=say, args=("!\n",))
        other.start()
        other.join()
        say("the end hunt")

    fake.steps = [make(prints)]
    assert fake.run().exit_code == 0
    say("after")
    assert capsys.readouterr().out == "a ***, and the beginning of another: hunter2-!\nthe end huntafter"

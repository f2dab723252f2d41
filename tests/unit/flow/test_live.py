"""What running commands print, on its way from the engine to a sink and, where nothing else comes, into the step's log."""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from typing import TYPE_CHECKING

import anyio
import pytest

from pipelines.engine.engine_lines import requester_id
from pipelines.flow.context import RunContext
from pipelines.flow.folder import RunFolder
from pipelines.flow.listener import EngineListener
from pipelines.flow.log_writer import LogWriter
from pipelines.foundation.redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pipelines.steps.definition import StepContext, StepDef
    from tests.unit.flow.conftest import Lab

SECRET = "correct horse"


@pytest.fixture
def log(lab: Lab, tmp_path: Path) -> LogWriter:
    return LogWriter(
        redactor=Redactor([SECRET]),
        path=tmp_path / "step.log",
        output=lambda text: lab.sink.step_output("step.a", text),
        progress=partial(lab.sink.step_progress, "step.a"),
    )


def test_what_comes_live_is_shown_and_not_in_the_log(lab: Lab, log: LogWriter, tmp_path: Path) -> None:
    log.live("one")
    log.live("tw", whole=False)
    log.live("two")
    log.write("said by the step\n")
    assert log.close() == ("said by the step",)
    assert lab.sink.of("live", "so far") == [("live", "step.a", "one"), ("so far", "step.a", "tw"), ("live", "step.a", "two")]
    assert (tmp_path / "step.log").read_text() == "said by the step\n"


def test_what_was_never_handed_over_can_be_kept(log: LogWriter, tmp_path: Path) -> None:
    for line in ("first", "again", "again", "second"):
        log.live(line)
    log.write("$ make\nfirst\nagain\n")
    log.live("test_checkout ..", whole=False)
    log.keep_live()
    log.write("stopped\n")
    assert log.close() == ("$ make", "first", "again", "again", "second", "test_checkout ..", "stopped")
    assert (tmp_path / "step.log").read_text().splitlines() == [*log.close()]


def test_a_line_that_went_on_is_not_kept_twice(log: LogWriter) -> None:
    log.live("test_checkout ..", whole=False)
    log.live("test_checkout .. ok")
    log.keep_live()
    log.keep_live()
    assert log.close() == ("test_checkout .. ok",)


def test_nothing_printed_keeps_nothing(log: LogWriter, tmp_path: Path) -> None:
    log.keep_live()
    assert log.close() == ()
    assert not (tmp_path / "step.log").exists()


def test_secrets_are_masked_in_what_comes_live(lab: Lab, log: LogWriter) -> None:
    log.live(f"token {SECRET}!")
    log.live("token correct ho", whole=False)
    log.live(f"> {SECRET}", whole=False)
    log.keep_live()
    assert log.close() == ("token ***!", "> ***")
    shown = [event[2] for event in lab.sink.of("live", "so far")]
    assert shown == ["token ***!", "token ", "> ***", "> ***"]


def test_what_a_command_leaves_for_the_step_is_nobody_elses(lab: Lab, log: LogWriter) -> None:
    log.live("\x1elockgate exit 0")
    log.close()
    log.live("too late")
    assert lab.sink.of("live") == []


def said(step_id: str, text: str) -> str:
    return f"\x1e{requester_id(step_id)}\t{text}"


@pytest.fixture
def listener(lab: Lab, log: LogWriter, tmp_path: Path) -> Iterator[EngineListener]:
    (tmp_path / "logs").mkdir()
    context = RunContext(redactor=Redactor([SECRET]), sink=lab.sink, folder=RunFolder(tmp_path))
    with contextlib.closing(EngineListener(context, "engine")) as listener:
        listener.add("step.a", log)
        yield listener


def test_every_line_finds_its_step(lab: Lab, listener: EngineListener, tmp_path: Path) -> None:
    listener.line(said("step.a", "| hello"))
    listener.line(said("step.a", "> hel"))
    listener.line(said("step.a", "pull: python 1.20s"))
    listener.line(said("step.b", "| of another run"))
    listener.line("\x1e\tnote: no egress")
    listener.line(f"not tagged: {SECRET}")
    listener.close()
    assert lab.sink.of("live", "so far", "engine") == [
        ("live", "step.a", "hello"),
        ("so far", "step.a", "hel"),
        ("live", "step.a", "pull: python 1.20s"),
        ("engine", "| of another run\n"),
        ("engine", "note: no egress\n"),
        ("engine", "not tagged: ***\n"),
    ]
    assert (tmp_path / "logs" / "engine.log").read_text().splitlines() == [
        "| hello",
        "pull: python 1.20s",
        "| of another run",
        "note: no egress",
        "not tagged: ***",
    ]


async def test_lines_that_come_together_are_masked_together(lab: Lab, listener: EngineListener, tmp_path: Path) -> None:
    """A Dagger engine repeats all that commands print: line by line that takes ten times as long."""
    first, second = SECRET[:4], SECRET[4:]
    for line in ("one", f"not tagged: {first}\x1b[0m{second}", said("step.b", "| three")):
        listener.line(line)
    assert lab.sink.of("engine") == []
    await asyncio.sleep(0)
    assert lab.sink.of("engine") == [("engine", "one\nnot tagged: ***\n| three\n")]
    listener.line("at the end")
    listener.close()
    assert lab.sink.of("engine")[1:] == [("engine", "at the end\n")]
    assert (tmp_path / "logs" / "engine.log").read_text() == "one\nnot tagged: ***\n| three\nat the end\n"


def test_what_built_in_steps_do_for_themselves_is_not_shown(lab: Lab, listener: EngineListener) -> None:
    from pipelines.engine.embedded.progress import LineProgress
    from pipelines.steps.common.wrapper import wrapped

    class Engine:
        def write(self, text: str) -> None:
            listener.line(said("step.a", text.rstrip("\n")))

        def flush(self) -> None: ...

    engine = LineProgress(Engine(), with_requester=False)
    engine.done("exec", " ".join(wrapped(["pytest", "-q"])), 1)
    engine.done("exec", '/bin/sh -c printf %s "$LOCKGATE_STAMP"', 1)
    engine.output("20260131T120000Z-20260131T115900Z-3f9a1c")
    assert lab.sink.of("live") == []
    engine.done("exec", "/bin/sh -c make", 1)
    assert lab.sink.of("live") == [("live", "step.a", "exec: /bin/sh -c make 1.00s")]


def printing(lab: Lab, *lines: str) -> Callable[[StepContext], None]:
    """Print into the log behind a context, as the engine would."""

    def print_lines(context: StepContext) -> None:
        for line in lines:
            lab.logs[context.id].live(line)

    return print_lines


def test_a_step_that_hangs_shows_what_it_printed_last(lab: Lab, make: Callable[..., StepDef]) -> None:
    print_live = printing(lab, "test_a ok", "test_b")

    async def hangs(context: StepContext) -> None:
        print_live(context)
        await anyio.sleep_forever()

    results = lab.run(make(hangs, timeout_s=60))
    assert results["step.hangs"].tail[:2] == ("test_a ok", "test_b")
    assert "stopped after its limit of 1m (last: test_b)" in results["step.hangs"].tail[2]
    assert lab.log("step.hangs").startswith("test_a ok\ntest_b\n")


def test_a_step_that_is_cancelled_shows_what_it_printed_last(lab: Lab, make: Callable[..., StepDef]) -> None:
    print_live = printing(lab, "compiling")

    async def works(context: StepContext) -> None:
        print_live(context)
        lab.stop.request(15)
        await anyio.sleep_forever()

    results = lab.run(make(works))
    assert (str(results["step.works"].status), results["step.works"].tail) == ("cancelled", ("compiling",))


def test_a_step_whose_output_came_with_the_error_does_not_say_it_twice(lab: Lab, make: Callable[..., StepDef]) -> None:
    print_live = printing(lab, "RUN one", "boom")
    lab.output = lambda error: "boom\n"

    async def fails(context: StepContext) -> None:
        print_live(context)
        raise ValueError

    assert lab.run(make(fails))["step.fails"].tail == ("boom",)


def test_a_step_that_passes_says_what_it_says(lab: Lab, make: Callable[..., StepDef]) -> None:
    print_live = printing(lab, "noise")

    async def passes(context: StepContext) -> None:
        print_live(context)
        context.log("fine\n")

    assert lab.run(make(passes))["step.passes"].tail == ("fine",)

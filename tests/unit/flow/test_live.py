"""What running commands print, on its way from the engine to a sink and, where nothing else comes, into the step's log."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING

import anyio
import pytest

from pipelines.engine.tagged import asker_of
from pipelines.flow.listener import Listener
from pipelines.flow.transcript import Transcript
from pipelines.foundation.redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pipelines.steps.definition import StepContext, StepDef
    from tests.unit.flow.conftest import Lab

SECRET = "correct horse"


@pytest.fixture
def transcript(lab: Lab, tmp_path: Path) -> Transcript:
    return Transcript(
        redactor=Redactor([SECRET]),
        path=tmp_path / "step.log",
        output=lambda text: lab.sink.step_output("step.a", text),
        progress=partial(lab.sink.step_progress, "step.a"),
    )


def test_what_comes_live_is_shown_and_not_in_the_log(lab: Lab, transcript: Transcript, tmp_path: Path) -> None:
    transcript.live("one")
    transcript.live("tw", whole=False)
    transcript.live("two")
    transcript.write("said by the step\n")
    assert transcript.close() == ("said by the step",)
    assert lab.sink.of("live", "so far") == [("live", "step.a", "one"), ("so far", "step.a", "tw"), ("live", "step.a", "two")]
    assert (tmp_path / "step.log").read_text() == "said by the step\n"


def test_what_was_never_handed_over_can_be_kept(transcript: Transcript, tmp_path: Path) -> None:
    for line in ("first", "again", "again", "second"):
        transcript.live(line)
    transcript.write("$ make\nfirst\nagain\n")
    transcript.live("test_checkout ..", whole=False)
    transcript.keep_live()
    transcript.write("stopped\n")
    assert transcript.close() == ("$ make", "first", "again", "again", "second", "test_checkout ..", "stopped")
    assert (tmp_path / "step.log").read_text().splitlines() == [*transcript.close()]


def test_a_line_that_went_on_is_not_kept_twice(transcript: Transcript) -> None:
    transcript.live("test_checkout ..", whole=False)
    transcript.live("test_checkout .. ok")
    transcript.keep_live()
    transcript.keep_live()
    assert transcript.close() == ("test_checkout .. ok",)


def test_nothing_heard_keeps_nothing(transcript: Transcript, tmp_path: Path) -> None:
    transcript.keep_live()
    assert transcript.close() == ()
    assert not (tmp_path / "step.log").exists()


def test_secrets_are_masked_in_what_comes_live(lab: Lab, transcript: Transcript) -> None:
    transcript.live(f"token {SECRET}!")
    transcript.live("token correct ho", whole=False)
    transcript.live(f"> {SECRET}", whole=False)
    transcript.keep_live()
    assert transcript.close() == ("token ***!", "> ***")
    shown = [event[2] for event in lab.sink.of("live", "so far")]
    assert shown == ["token ***!", "token ", "> ***", "> ***"]


def test_what_a_command_leaves_for_the_step_is_nobody_elses(lab: Lab, transcript: Transcript) -> None:
    transcript.live("\x1elockgate exit 0")
    transcript.close()
    transcript.live("too late")
    assert lab.sink.of("live") == []


def said(step_id: str, text: str) -> str:
    return f"\x1e{asker_of(step_id)}\t{text}"


@pytest.fixture
def listener(lab: Lab, transcript: Transcript, tmp_path: Path) -> Iterator[Listener]:
    with contextlib.closing(Listener(Redactor([SECRET]), lab.sink, tmp_path / "engine.log", lambda _error: None)) as listener:
        listener.add("step.a", transcript)
        yield listener


def test_every_line_finds_its_step(lab: Lab, listener: Listener, tmp_path: Path) -> None:
    listener.hear(said("step.a", "| hello"))
    listener.hear(said("step.a", "> hel"))
    listener.hear(said("step.a", "pull: python 1.20s"))
    listener.hear(said("step.b", "| of another run"))
    listener.hear("\x1e\tnote: no egress")
    listener.hear(f"not tagged: {SECRET}")
    listener.close()
    assert lab.sink.of("live", "so far", "engine") == [
        ("live", "step.a", "hello"),
        ("so far", "step.a", "hel"),
        ("live", "step.a", "pull: python 1.20s"),
        ("engine", "| of another run\n"),
        ("engine", "note: no egress\n"),
        ("engine", "not tagged: ***\n"),
    ]
    assert (tmp_path / "engine.log").read_text().splitlines() == [
        "| hello",
        "pull: python 1.20s",
        "| of another run",
        "note: no egress",
        "not tagged: ***",
    ]


def test_what_built_in_steps_do_for_themselves_is_not_shown(lab: Lab, listener: Listener) -> None:
    from pipelines.engine.embedded.progress import Lines
    from pipelines.steps.common.wrapper import wrapped

    class Ear:
        def write(self, text: str) -> None:
            listener.hear(said("step.a", text.rstrip("\n")))

        def flush(self) -> None: ...

    engine = Lines(Ear(), tagged=False)
    engine.done("exec", " ".join(wrapped(["pytest", "-q"])), 1)
    engine.done("exec", '/bin/sh -c printf %s "$LOCKGATE_STAMP"', 1)
    engine.output("20260131T120000Z-20260131T115900Z-3f9a1c")
    assert lab.sink.of("live") == []
    engine.done("exec", "/bin/sh -c make", 1)
    assert lab.sink.of("live") == [("live", "step.a", "exec: /bin/sh -c make 1.00s")]


def hears(lab: Lab, *lines: str) -> Callable[[StepContext], None]:
    """Speak into the transcript behind a context, as the engine would."""

    def hear(context: StepContext) -> None:
        for line in lines:
            lab.transcripts[context.id].live(line)

    return hear


def test_a_step_that_hangs_shows_what_it_printed_last(lab: Lab, make: Callable[..., StepDef]) -> None:
    hear = hears(lab, "test_a ok", "test_b")

    async def hangs(context: StepContext) -> None:
        hear(context)
        await anyio.sleep_forever()

    results = lab.run(make(hangs, timeout_s=60))
    assert results["step.hangs"].tail[:2] == ("test_a ok", "test_b")
    assert "stopped after its limit of 1m (last: test_b)" in results["step.hangs"].tail[2]
    assert lab.log("step.hangs").startswith("test_a ok\ntest_b\n")


def test_a_step_that_is_cancelled_shows_what_it_printed_last(lab: Lab, make: Callable[..., StepDef]) -> None:
    hear = hears(lab, "compiling")

    async def works(context: StepContext) -> None:
        hear(context)
        lab.stop.request(15)
        await anyio.sleep_forever()

    results = lab.run(make(works))
    assert (str(results["step.works"].status), results["step.works"].tail) == ("cancelled", ("compiling",))


def test_a_step_whose_output_came_with_the_error_does_not_say_it_twice(lab: Lab, make: Callable[..., StepDef]) -> None:
    hear = hears(lab, "RUN one", "boom")
    lab.output = lambda error: "boom\n"

    async def fails(context: StepContext) -> None:
        hear(context)
        raise ValueError

    assert lab.run(make(fails))["step.fails"].tail == ("boom",)


def test_a_step_that_passes_says_what_it_says(lab: Lab, make: Callable[..., StepDef]) -> None:
    hear = hears(lab, "noise")

    async def passes(context: StepContext) -> None:
        hear(context)
        context.log("fine\n")

    assert lab.run(make(passes))["step.passes"].tail == ("fine",)

"""Who asks, from a step's request to a line of the engine and back."""

from __future__ import annotations

import asyncio
import io
import re

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import propagate, trace

from pipelines.engine import tagged
from pipelines.engine.embedded.asker import ASKER, span_of
from pipelines.engine.embedded.progress import TAGS, Lines


@given(st.text())
def test_an_asker_is_a_span_id(name: str) -> None:
    asker = tagged.asker_of(name)
    assert re.fullmatch("[0-9a-f]{16}", asker)
    assert int(asker, 16) > 0
    assert asker == tagged.asker_of(name)


def test_steps_are_different_askers() -> None:
    names = {f"{kind}.{name}" for kind in ("image", "test", "scan") for name in ("shop", "unit", "base")}
    assert len({tagged.asker_of(name) for name in names}) == len(names)


def sent() -> str:
    """The asker as the engine reads it from a request made here and now."""
    headers: dict[str, str] = {}
    propagate.inject(headers)
    return span_of(headers.get("traceparent", "").encode())


async def test_each_task_asks_for_itself() -> None:
    async def step(name: str) -> str:
        with tagged.asking(tagged.asker_of(name)):
            await asyncio.sleep(0)
            return await asyncio.create_task(later())

    async def later() -> str:
        return sent()

    assert [*await asyncio.gather(step("a"), step("b"))] == [tagged.asker_of("a"), tagged.asker_of("b")]
    assert sent() == ""


def test_a_trace_under_way_stays_the_trace() -> None:
    with tagged.asking(tagged.asker_of("outer")):
        outer = trace.get_current_span().get_span_context().trace_id
        with tagged.asking(tagged.asker_of("inner")):
            assert trace.get_current_span().get_span_context().trace_id == outer
            assert sent() == tagged.asker_of("inner")


@given(st.text(st.characters(exclude_characters="\n", codec="utf-8"), max_size=40), st.booleans())
def test_what_the_engine_writes_is_understood(printed: str, tag: bool) -> None:
    stream = io.StringIO(newline="")
    token = ASKER.set(tagged.asker_of("step.a"))
    try:
        lines = Lines(stream, tagged=tag)
        lines.output(printed)
        lines.so_far(printed)
        lines.note("here")
    finally:
        ASKER.reset(token)
    asker = tagged.asker_of("step.a") if tag else ""
    whole, *so_far, note = [tagged.read(raw) for raw in stream.getvalue().split("\n")[:-1]]
    assert whole == tagged.Line(asker=asker, text=f"| {printed}", printed=printed)
    assert so_far == ([tagged.Line(asker=asker, text=f"> {printed}", printed=printed, whole=False)] if tag else [])
    assert note == tagged.Line(asker=asker, text="note: here")


def test_the_variable_is_the_one_the_engine_looks_at() -> None:
    assert tagged.TAGS == TAGS

"""Who asks, from a step's request to a line of the engine and back."""

from __future__ import annotations

import asyncio
import io
import re

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import propagate, trace

from pipelines.engine import engine_lines
from pipelines.engine.embedded.progress import TAGS, LineProgress
from pipelines.engine.embedded.requester import REQUESTER, span_of


@given(st.text())
def test_a_requester_is_a_span_id(name: str) -> None:
    requester = engine_lines.requester_id(name)
    assert re.fullmatch("[0-9a-f]{16}", requester)
    assert int(requester, 16) > 0
    assert requester == engine_lines.requester_id(name)


def test_steps_are_different_requesters() -> None:
    names = {f"{kind}.{name}" for kind in ("image", "test", "scan") for name in ("shop", "unit", "base")}
    assert len({engine_lines.requester_id(name) for name in names}) == len(names)


def sent() -> str:
    """The requester as the engine reads it from a request made here and now."""
    headers: dict[str, str] = {}
    propagate.inject(headers)
    return span_of(headers.get("traceparent", "").encode())


async def test_each_task_asks_for_itself() -> None:
    async def step(name: str) -> str:
        with engine_lines.requested_by(engine_lines.requester_id(name)):
            await asyncio.sleep(0)
            return await asyncio.create_task(later())

    async def later() -> str:
        return sent()

    assert [*await asyncio.gather(step("a"), step("b"))] == [engine_lines.requester_id("a"), engine_lines.requester_id("b")]
    assert sent() == ""


def test_a_trace_under_way_stays_the_trace() -> None:
    with engine_lines.requested_by(engine_lines.requester_id("outer")):
        outer = trace.get_current_span().get_span_context().trace_id
        with engine_lines.requested_by(engine_lines.requester_id("inner")):
            assert trace.get_current_span().get_span_context().trace_id == outer
            assert sent() == engine_lines.requester_id("inner")


@given(st.text(st.characters(exclude_characters="\n", codec="utf-8"), max_size=40), st.booleans())
def test_what_the_engine_writes_is_understood(printed: str, tag: bool) -> None:
    stream = io.StringIO(newline="")
    token = REQUESTER.set(engine_lines.requester_id("step.a"))
    try:
        lines = LineProgress(stream, with_requester=tag)
        lines.output(printed)
        lines.so_far(printed)
        lines.note("here")
    finally:
        REQUESTER.reset(token)
    requester = engine_lines.requester_id("step.a") if tag else ""
    whole, *so_far, note = [engine_lines.parse_line(raw) for raw in stream.getvalue().split("\n")[:-1]]
    assert whole == engine_lines.EngineLine(requester=requester, text=f"| {printed}", printed=printed)
    assert so_far == ([engine_lines.EngineLine(requester=requester, text=f"> {printed}", printed=printed, whole=False)] if tag else [])
    assert note == engine_lines.EngineLine(requester=requester, text="note: here")


def test_the_variable_is_the_one_the_engine_looks_at() -> None:
    assert engine_lines.TAGS == TAGS

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.engine.embedded.progress import RS, LineProgress, LineSplitter, NamedProgress, NoProgress
from pipelines.engine.embedded.requester import REQUESTER, span_of
from pipelines.engine.embedded.sandbox.services.container import LastOutput

if TYPE_CHECKING:
    from collections.abc import Callable


class Collector(NoProgress):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def output(self, line: str) -> None:
        self.lines.append(line)

    def so_far(self, part: str) -> None:
        self.lines.append(f"{part}…")


class Alarm:
    """A clock that rings when told."""

    def __init__(self) -> None:
        self._waiting: list[Callable[[], None]] = []

    def __call__(self, seconds: float, action: Callable[[], None]) -> Alarm:
        assert seconds > 0
        assert not self._waiting, "one at a time"
        self._waiting.append(action)
        return self

    def cancel(self) -> None:
        self._waiting.clear()

    def ring(self) -> None:
        while self._waiting:
            self._waiting.pop()()


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\n\r"), max_size=12), min_size=1), st.data())
def test_lines_come_whole_however_the_chunks_are_cut(lines: list[str], data: st.DataObject) -> None:
    written = "\n".join(lines).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(written)), max_size=6)))
    collector = Collector()
    feed = LineSplitter(collector)
    for start, end in zip([0, *cuts], [*cuts, len(written)], strict=True):
        feed.add("stdout", written[start:end])
    feed.close()
    assert collector.lines == (lines if lines[-1] else lines[:-1])


def test_the_streams_do_not_mix_within_a_line() -> None:
    collector = Collector()
    feed = LineSplitter(collector)
    feed.add("stdout", b"one ")
    feed.add("stderr", b"two\n")
    feed.add("stdout", b"three\n")
    assert collector.lines == ["two", "one three"]


def test_a_line_without_end_is_passed_on_in_pieces() -> None:
    collector = Collector()
    feed = LineSplitter(collector)
    feed.add("stdout", b"x" * 10_000)
    assert "".join(collector.lines) == "x" * 4096
    assert collector.lines


def test_a_line_that_does_not_go_on_is_told_as_it_is() -> None:
    collector, alarm = Collector(), Alarm()
    feed = LineSplitter(collector, alarm)
    feed.add("stdout", b"one\ntest_a ..")
    alarm.ring()
    feed.add("stdout", b". ok\n")
    alarm.ring()
    feed.add("stdout", b"te")
    feed.add("stdout", b"st_b")
    feed.add("stdout", b" ok\n")
    alarm.ring()
    feed.add("stdout", b"$ ")
    feed.close()
    alarm.ring()
    assert collector.lines == ["one", "test_a ..…", "test_a ... ok", "test_b ok", "$ "]


def test_a_tagged_line_names_who_asked() -> None:
    stream = io.StringIO()
    lines = LineProgress(stream, with_requester=True)
    token = REQUESTER.set("00f067aa0ba902b7")
    try:
        lines.output("hello")
    finally:
        REQUESTER.reset(token)
    lines.note("nobody asked")
    assert stream.getvalue() == f"{RS}00f067aa0ba902b7\t| hello\n{RS}\tnote: nobody asked\n"


@pytest.mark.parametrize(
    ("header", "span"),
    [
        (b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "00f067aa0ba902b7"),
        (b" 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00 ", "00f067aa0ba902b7"),
        (b"cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-the-future-will-be-like", "00f067aa0ba902b7"),
        (b"", ""),
        (b"nonsense", ""),
        (b"00-4bf92f3577b34da6a3ce929d0e0e4736-00F067AA0BA902B7-01", ""),
    ],
)
def test_the_span_of_a_trace_context(header: bytes, span: str) -> None:
    assert span_of(header) == span


def test_what_a_service_prints_has_its_name() -> None:
    collector = Collector()
    feed = LineSplitter(NamedProgress(collector, "db"))
    feed.add("stderr", b"ready\n")
    assert collector.lines == ["db: ready"]


def test_a_service_is_heard_as_long_as_somebody_listens() -> None:
    heard: list[bytes] = []
    tail = LastOutput(on_output=lambda _stream, data: heard.append(data))
    tail.add("stdout", b"starting\n")
    tail.on_output = None
    tail.add("stdout", b"serving\n")
    assert (heard, tail.text("stdout")) == ([b"starting\n"], "starting\nserving\n")

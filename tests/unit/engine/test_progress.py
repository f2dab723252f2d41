from __future__ import annotations

import io
from typing import TYPE_CHECKING

from pipelines.engine.embedded.progress import EngineProgress, LineProgress, NoProgress

if TYPE_CHECKING:
    import pytest


def test_work_is_one_line_each() -> None:
    stream = io.StringIO()
    lines = LineProgress(stream)
    lines.done("exec", "sh -c 'make\n  test'", 0.054)
    lines.done("pull", "alpine", 12.0, cached=True)
    lines.failed("exec", "false", 1, "exit code: 1\nstderr follows")
    lines.note("no egress")
    assert stream.getvalue().splitlines() == [
        "exec: sh -c 'make test' 0.05s",
        "pull: alpine 12.00s (cached)",
        "exec: false 1.00s failed: exit code: 1 stderr follows",
        "note: no egress",
    ]


def test_a_long_name_is_cut() -> None:
    stream = io.StringIO()
    LineProgress(stream).done("exec", "x" * 500, 1)
    assert len(stream.getvalue()) < 130
    assert "…" in stream.getvalue()


def test_nobody_reading_is_no_error() -> None:
    """The error of the closed stream would be raised here."""
    stream = io.StringIO()
    stream.close()
    LineProgress(stream).note("lost")


def test_standard_error_is_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    LineProgress().note("here")
    assert capsys.readouterr().err == "note: here\n"


def test_silence(capsys: pytest.CaptureFixture[str]) -> None:
    silent: EngineProgress = NoProgress()
    silent.done("exec", "x", 1)
    silent.failed("exec", "x", 1, "y")
    silent.note("z")
    assert capsys.readouterr() == ("", "")

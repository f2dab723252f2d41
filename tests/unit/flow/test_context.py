"""The context of a command, with and without a folder."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from pipelines.errors import Unavailable
from pipelines.flow.context import RunContext, recorded
from pipelines.flow.folder import ProjectHome
from pipelines.flow.lock import is_locked
from pipelines.foundation.clock import Clock
from pipelines.foundation.redaction import Redactor

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.flow.conftest import Lab

NOW = dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC)
SECRET = "hunter2-hunter2"


def test_a_command_that_writes_nothing_has_its_id_its_clock_and_masked_logs(lab: Lab, tmp_path: Path) -> None:
    seconds = iter([5.0, 7.5])
    context = RunContext(clock=Clock(now=lambda: NOW, monotonic=lambda: next(seconds)), redactor=Redactor([SECRET]), sink=lab.sink)
    assert context.id.startswith("20260131T120000Z-")
    assert context.elapsed_s() == 2.5
    context.note(f"a note with {SECRET}")
    assert lab.sink.notes == ["a note with ***"]
    said: list[str] = []
    log = context.log("history", output=said.append)
    log.write(f"a line with {SECRET}\n")
    assert (log.close(), said, log.path) == (("a line with ***",), ["a line with ***\n"], None)
    assert list(tmp_path.iterdir()) == []


def test_a_recorded_command_has_a_folder_and_keeps_others_out(tmp_path: Path) -> None:
    home = ProjectHome.of(tmp_path)
    context = RunContext()
    with recorded(home, context) as folder:
        assert folder.path == home.runs / context.id
        assert context.folder == folder
        assert is_locked(home.lock)
        with pytest.raises(Unavailable, match="another run"), recorded(home, RunContext()):
            pass
    assert not is_locked(home.lock)
    later = RunContext()
    with recorded(home, later):
        assert later.unfinished == context.id  # nobody wrote a record


def test_what_cannot_be_written_is_said_once(lab: Lab) -> None:
    context = RunContext(sink=lab.sink)
    first = OSError(28, "No space left on device")
    context.note_write_error(first)
    context.note_write_error(OSError(5, "Input/output error"))
    assert context.write_error is first
    assert len(lab.sink.notes) == 1

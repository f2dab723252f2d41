from __future__ import annotations

import errno
import io
import stat
from collections.abc import Callable
from typing import TYPE_CHECKING

import click
import pytest

from pipelines.cli.crash import write_report
from pipelines.cli.failure import explain
from pipelines.errors import (
    ConfigError,
    ExitCode,
    InternalError,
    LockgateError,
    NothingSelected,
    RegistryUnavailable,
    StepFailed,
    UsageError,
)

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.cli.terminal import Terminal

Told = Callable[[BaseException], tuple[int, str]]


@pytest.fixture
def told(screen: Callable[..., Terminal], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Told:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))

    def tell(error: BaseException) -> tuple[int, str]:
        terminal = screen()
        assert isinstance(terminal.stream, io.StringIO)
        return int(explain(error, terminal, "python -m pipelines")), terminal.stream.getvalue()

    return tell


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("a"), 2),
        (ConfigError("a"), 2),
        (NothingSelected("a"), 3),
        (RegistryUnavailable("a"), 4),
        (StepFailed("a"), 1),
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
        (click.UsageError("a"), 2),
        (click.FileError("a"), 2),
        (SystemExit(3), 3),
        (SystemExit("text"), 1),
        (OSError(errno.ENOSPC, "No space left on device"), 4),
        (OSError(errno.EDQUOT, "Quota exceeded", "/x"), 4),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), 4),
        (OSError(errno.EIO, "Input/output error"), 70),
        (RuntimeError("a"), 70),
        (InternalError("a"), 70),
        (BaseExceptionGroup("g", [ExceptionGroup("h", [RegistryUnavailable("a")])]), 4),
        (ExceptionGroup("g", [UsageError("a"), NothingSelected("b")]), 2),
        (ExceptionGroup("g", [UsageError("a"), RuntimeError("b")]), 70),
    ],
    ids=repr,
)
def test_every_error_has_its_exit_code_and_no_traceback(told: Told, error: BaseException, code: int) -> None:
    got, text = told(error)
    assert got == code
    assert "Traceback" not in text
    assert "  File " not in text


def test_an_error_is_what_happened_why_and_what_to_do(told: Told) -> None:
    error = LockgateError("it broke", cause="it was old", next_step="`lockgate doctor`")
    error.exit_code = ExitCode.UNAVAILABLE
    assert told(error) == (4, "error: it broke\ncause: it was old\nnext:  `python -m pipelines doctor`\n")


def test_problems_are_one_line_each(told: Told) -> None:
    assert told(ConfigError("x has 2 problems", problems=("a: b", "c: d")))[1] == "error: x has 2 problems\n  a: b\n  c: d\n"


def test_a_defect_is_one_line_and_a_report_only_the_owner_can_read(told: Told, tmp_path: Path) -> None:
    try:
        raise RuntimeError("first line\nsecond line")
    except RuntimeError as error:
        code, text = told(error)
    assert code == 70
    assert text.splitlines()[0] == "error: internal error: RuntimeError: first line"
    (report,) = tmp_path.rglob("crash-*.txt")
    assert f"report: {report}" in text
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    written = report.read_text()
    assert "second line" in written
    assert "test_failure.py" in written
    assert "package   click" in written


def test_a_report_names_variables_but_not_their_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("LOCKGATE_SECRET_THING", "hush")
    report = write_report(RuntimeError())
    assert report is not None
    assert "LOCKGATE_SECRET_THING" in report.read_text()
    assert "hush" not in report.read_text()


def test_old_reports_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    reports = [write_report(RuntimeError(str(number))) for number in range(25)]
    assert len(list(tmp_path.rglob("crash-*.txt"))) == 20
    last = reports[-1]
    assert last is not None
    assert last.exists()


def test_where_no_report_can_be_written_the_line_still_comes(told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(blocked))
    code, text = told(RuntimeError("a"))
    assert code == 70
    assert text.startswith("error: internal error: RuntimeError: a\nreport: ")

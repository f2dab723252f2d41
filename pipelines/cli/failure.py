"""Errors to lines and exit codes. An unexpected error becomes one line and a report file, never a traceback on the screen."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import click

from pipelines.cli.name import renamed
from pipelines.errors import ExitCode, LockgateError, Unavailable
from pipelines.foundation.exceptions import innermost, message_of
from pipelines.foundation.redaction import without_likely_secrets, without_passwords
from pipelines.foundation.text import plain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipelines.cli.terminal import Terminal

_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})
_NO_ACCESS = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


def explain(error: BaseException, terminal: Terminal, program: str) -> int:
    """Print what went wrong and return the exit code it stands for."""
    error = innermost(error)
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else ExitCode.FAILED
    if isinstance(error, (KeyboardInterrupt, click.Abort)):
        terminal.line(terminal.paint("interrupted", fg="yellow"))
        return ExitCode.INTERRUPTED
    if isinstance(error, click.ClickException):
        return _usage(error, terminal, program)
    if isinstance(error, OSError):
        error = _of_system(error)
    if isinstance(error, LockgateError) and error.exit_code is not ExitCode.INTERNAL:
        _print([renamed(line, program) for line in error.lines()], terminal)
        return error.exit_code
    return _internal(error, terminal)


def _usage(error: click.ClickException, terminal: Terminal, program: str) -> int:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        terminal.line(error.format_message())
        return ExitCode.USAGE
    command = f"{program} --help"
    if isinstance(error, click.UsageError) and error.ctx is not None:
        command = f"{error.ctx.command_path} --help"
    _print([error.format_message().rstrip("."), f"next:  {command}"], terminal)
    return ExitCode.USAGE


def _of_system(error: OSError) -> BaseException:
    """A full disk or a folder that is closed to us is the machine's state; any other OSError that came so far is our defect."""
    where = str(error.filename) if error.filename else "a file"
    if error.errno in _NO_SPACE:
        return Unavailable(
            f"no space left for {where}",
            cause="the disk or a quota is full",
            next_step="free space; `lockgate engine gc` shrinks the engine's store",
        )
    if error.errno in _NO_ACCESS:
        return Unavailable(f"{where}: {error.strerror}", next_step="run as the owner of the folder, or change its permissions")
    return error


def _internal(error: BaseException, terminal: Terminal) -> int:
    from pipelines.cli.crash import write_report

    report: Path | None = write_report(error)
    text = without_likely_secrets(message_of(error), os.environ).strip().splitlines()
    first = f"internal error: {type(error).__name__}" + (f": {text[0]}" if text else "")
    told = f"report: {report}" if report is not None else "no report could be written"
    _print([first, told, "next:  open an issue with this file; it should not contain secrets, but read it first"], terminal)
    return ExitCode.INTERNAL


def _print(lines: Sequence[str], terminal: Terminal) -> None:
    head, *tail = (plain(without_passwords(line)) for line in lines)
    terminal.line(f"{terminal.paint('error:', fg='red', bold=True)} {head}")
    for line in tail:
        label, colon, rest = line.partition(":")
        terminal.line(f"{terminal.paint(label + colon, dim=True)}{rest}" if colon and label in {"cause", "next", "report"} else line)

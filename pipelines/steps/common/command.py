"""Runs a command in a container and brings back its output and exit code, whatever it ended with."""

from __future__ import annotations

import contextlib
import shlex
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import anyio.lowlevel

from pipelines.steps.common.replay import Stamp, has_volatile, with_attempt
from pipelines.steps.common.wrapper import (
    PLACE,
    SCRIPT,
    SHELL,
    SIGNALLED,
    SIGNALS,
    STAMP_VARIABLE,
    UNTIL_VARIABLE,
    WrapperReport,
    read,
    reserve_s,
    spelled,
    wrapped,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import dagger

    from pipelines.steps.common.step_inputs import StepInputs
    from pipelines.steps.common.wrapper import Health

PRINTED = "/lockgate/output"
PRINTED_ERRORS = "/lockgate/errors"
"""Where an engine writes, in the container, what the command prints."""
LONGEST_ANSWER = 1 << 20
"""Bytes of output that are asked for as one text."""
_PART = 1 << 16
"""Characters of a file that are logged at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What to run: services in `health` are waited for first; at `until` (seconds since 1970) it is stopped, output and all kept."""

    arguments: Sequence[str]
    health: Sequence[Health] = ()
    until: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a command ended.

    Attributes:
        container: the file system after it.
        exit_code: what it ended with; `SIGNALLED` or `UNHEALTHY` where the marks say more.
        last_line: the last line it printed that says something; empty when there is none.
        stamp: of the run in which it really ran.
        marks: the wrapper's (`timeout`, `signal`, `unhealthy`).
    """

    container: dagger.Container = field(repr=False)
    exit_code: int
    last_line: str
    stamp: Stamp | None = None
    marks: Mapping[str, str] = field(default_factory=dict)


async def execute(step_inputs: StepInputs, container: dagger.Container, command: Command, token: str | None) -> Outcome:
    """Run the command with the attempt token in its key. An image without a shell runs it bare: no stamp, no waiting, no time limit.

    What it printed goes to the step's log, by way of a file: it may be more than memory holds.
    """
    import dagger

    keyed = with_attempt(container, token)
    step_inputs.context.log(f"$ {shlex.join(command.arguments)}\n")
    ready = await _volatile(step_inputs, keyed.with_new_file(PLACE, SCRIPT), command.until)
    done = ready.with_exec(wrapped(command.arguments, command.health), expect=dagger.ReturnType.ANY, redirect_stdout=PRINTED)
    try:
        report = read(await done.stderr())
    except dagger.ExecError as error:
        if is_wrapped(error) and error.exit_code in SIGNALS:
            return _killed(step_inputs, keyed, error)
        if not _lacks_shell(error):
            raise
        report = WrapperReport()
    if report.exit_code is None and not report.marks:
        step_inputs.context.log("the image has no /bin/sh: running the command without it\n")
        return await _bare(step_inputs, keyed, command.arguments)
    last_line = await log_files(step_inputs, done.file(PRINTED))
    return Outcome(
        container=done,
        exit_code=report.exit_code if report.exit_code is not None else 1,
        last_line=last_line,
        stamp=Stamp.read(report.marks.get("stamp", "")),
        marks=report.marks,
    )


def _lacks_shell(error: dagger.ExecError) -> bool:
    """Whether the wrapper itself could not start (some engines answer so, others with an exit code)."""
    said = f"{error} {error.stderr}"
    return is_wrapped(error) and SHELL in said and ("no such file" in said or "not found" in said)


def is_wrapped(error: dagger.ExecError) -> bool:
    """Whether the command that failed is a wrapped one, and not one of the image's build or of a service."""
    return error.command[:2] == [SHELL, PLACE]


async def _bare(step_inputs: StepInputs, container: dagger.Container, arguments: Sequence[str]) -> Outcome:
    import dagger

    done = container.with_exec(list(arguments), expect=dagger.ReturnType.ANY, redirect_stdout=PRINTED, redirect_stderr=PRINTED_ERRORS)
    files = done.file(PRINTED), done.file(PRINTED_ERRORS)
    try:
        if sum([await file.size() for file in files]) > LONGEST_ANSWER:
            last_line = await log_files(step_inputs, *files)  # in two pieces: only the engine knows in which order the lines came
        else:
            output = await done.combined_output()
            step_inputs.context.log(output)
            last_line = tail(output)
    except dagger.ExecError as error:
        if error.command != list(arguments) or error.exit_code not in SIGNALS:
            raise
        return _killed(step_inputs, container, error)
    return Outcome(container=done, exit_code=await done.exit_code(), last_line=last_line)


def _killed(step_inputs: StepInputs, container: dagger.Container, error: dagger.ExecError) -> Outcome:
    """What is known of a command that was ended by a signal together with its wrapper: engines keep no file system of it."""
    report = read(error.stderr)
    output = "".join(f"{part}\n" for part in (error.stdout, report.text) if part)
    step_inputs.context.log(output)
    marks = {**report.marks, "signal": str(error.exit_code - SIGNALS.start)}
    return Outcome(container=container, exit_code=SIGNALLED, last_line=tail(output), marks=marks)


async def _volatile(step_inputs: StepInputs, container: dagger.Container, until: float | None) -> dagger.Container:
    """The container with the stamp and the time limit in variables that are not part of its cache key, on engines that support this."""
    if not await has_volatile(step_inputs.client):
        return container
    stamped = container.with_volatile_variable(STAMP_VARIABLE, spelled(str(Stamp.now(step_inputs.context.run_id))))
    return stamped if until is None else stamped.with_volatile_variable(UNTIL_VARIABLE, str(int(until)))


def stop_at(began: float, timeout_s: float | None) -> float | None:
    """When the command of a step is stopped that began at `began` (seconds since 1970); None without a timeout."""
    return None if timeout_s is None else began + timeout_s - reserve_s(timeout_s)


async def log_files(step_inputs: StepInputs, *files: dagger.File) -> str:
    """Write the text of files of a container to the step's log; the last line that says something.

    They go through a file of this machine and never through memory as a whole. That file is in a folder only this user can open: a Dagger
    engine need not have masked what is in it, the log does.
    """
    last = ""
    step_inputs.context.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".printed-", dir=step_inputs.context.folder) as folder:
        for number, file in enumerate(files):
            path = Path(folder) / str(number)
            await file.export(str(path))
            with path.open(encoding="utf-8", errors="replace", newline="") as text:
                while part := text.read(_PART):
                    step_inputs.context.log(part)
                    last = (last + part)[-_PART:]
                    await anyio.lowlevel.checkpoint()  # masking much text takes long: others have their turn
    with contextlib.suppress(OSError):
        step_inputs.context.folder.rmdir()  # where the step keeps nothing else in it
    return tail(last)


def tail(text: str, lines: int = 1) -> str:
    """The last lines of a text that say something, joined by newlines."""
    return "\n".join([line.rstrip() for line in text.splitlines() if line.strip()][-lines:])

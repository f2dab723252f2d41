"""What everything in one command shares: its id, folder, clock, secrets to mask, logs, the sink it tells, and the stop that ends it.

A run of a graph works in one, and so does whatever needs no engine. Where nothing is written there is no folder, and no lock is taken.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipelines.flow.folder import new_run_id
from pipelines.flow.lock import run_lock
from pipelines.flow.log_writer import LogWriter
from pipelines.flow.progress import NullSink
from pipelines.flow.stop import Stop
from pipelines.foundation.clock import Clock
from pipelines.foundation.redaction import Redactor

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator

    from pipelines.flow.folder import ProjectHome, RunFolder
    from pipelines.flow.log_writer import ProgressListener
    from pipelines.flow.progress import Sink


@dataclass(slots=True, kw_only=True)
class RunContext:
    """The context of one command, made when it begins.

    Attributes:
        clock: the time of day, and seconds for durations.
        redactor: knows the secrets; a text for people goes through it.
        sink: is told what happens.
        stop: asks the command to end.
        folder: where logs and reports are written; None where nothing is.
        unfinished: the id of the run before this one in the same folder, when that one left no record of its end.
        write_error: the first log or artifact that could not be written.
    """

    clock: Clock = field(default_factory=Clock)
    redactor: Redactor = field(default_factory=Redactor)
    sink: Sink = field(default_factory=NullSink)
    stop: Stop = field(default_factory=Stop)
    folder: RunFolder | None = None
    unfinished: str | None = None
    write_error: OSError | None = None
    started: dt.datetime = field(init=False)
    id: str = field(init=False)
    _began: float = field(init=False)

    def __post_init__(self) -> None:
        self.started = self.clock.now()
        self.id = new_run_id(self.started)
        self._began = self.clock.monotonic()

    def elapsed_s(self) -> float:
        """Seconds since the command began."""
        return self.clock.monotonic() - self._began

    def log(self, name: str, *, output: Callable[[str], None] | None = None, progress: ProgressListener | None = None) -> LogWriter:
        """A log: in the file `<name>.log` where there is a folder, masked. `output` and `progress` get the text as well."""
        path = self.folder.log(name) if self.folder is not None else None
        return LogWriter(redactor=self.redactor, path=path, output=output, on_write_error=self.note_write_error, progress=progress)

    def note(self, text: str) -> None:
        """Tell people a remark, masked."""
        self.sink.note(self.redactor.text(text))

    def note_write_error(self, error: OSError) -> None:
        """A log or an artifact cannot be written: it is said once, and the work goes on."""
        if self.write_error is None:
            self.write_error = error
            self.note(f"logs cannot be written: {error}; free space on the disk")


@contextlib.contextmanager
def recorded(home: ProjectHome, context: RunContext) -> Iterator[RunFolder]:
    """Give a context its folder among the runs of a project, and keep other runs out of there as long as this lasts.

    Whoever writes into the folder also writes a record of the end into it.

    Raises:
        Unavailable: another run is at work in this project, or its folder cannot be written.
    """
    home.make()
    with run_lock(home.lock):
        context.unfinished = home.unfinished()
        context.folder = home.new_run(context.id)
        yield context.folder

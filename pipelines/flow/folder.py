"""The folder of a run, `.lockgate/runs/<run-id>/`: logs, artifacts, run.json; `latest` points to the newest."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.errors import Unavailable
from pipelines.foundation.clock import compact_timestamp
from pipelines.foundation.files import OWN_FOLDER, replacing
from pipelines.foundation.regular_files import reading

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator
    from pathlib import Path

KEEP_RUNS = 20
RECORD = "run.json"
_LATEST = "latest"
_RESERVE = ".reserve"
_RESERVED_BYTES = 256 << 10


def new_run_id(now: dt.datetime) -> str:
    """An id that sorts by time: `20260131T120000Z-3f9a1c`."""
    return f"{compact_timestamp(now)}-{secrets.token_hex(3)}"


@dataclass(frozen=True, slots=True)
class ProjectHome:
    """A project's `.lockgate` folder. Git ignores all of it, by a file of its own."""

    path: Path

    @classmethod
    def of(cls, root: Path) -> ProjectHome:
        """The home of a project."""
        return cls(root / OWN_FOLDER)

    @property
    def reports(self) -> Path:
        """Where the reports of the newest run are."""
        return self.path / "reports"

    @property
    def state(self) -> Path:
        """What one run leaves for the next."""
        return self.path / "state.json"

    @property
    def passes(self) -> Path:
        """What each step's last passes depended on, and what they gave."""
        return self.path / "unchanged.json"

    @property
    def kept_files(self) -> Path:
        """Artifacts of those passes, each under the digest of its content."""
        return self.path / "unchanged"

    @property
    def lock(self) -> Path:
        """Held by the run at work."""
        return self.path / "lock"

    @property
    def runs(self) -> Path:
        """One folder a run."""
        return self.path / "runs"

    def latest(self) -> RunFolder | None:
        """The newest run, if there was one."""
        path = self.runs / _LATEST
        return RunFolder(path.resolve()) if path.is_dir() else None

    def kept_runs(self) -> tuple[RunFolder, ...]:
        """The runs that are kept, newest first: their ids sort by time."""
        if not self.runs.is_dir():
            return ()
        found = (path for path in self.runs.resolve().iterdir() if path.is_dir() and not path.is_symlink())
        return tuple(RunFolder(path) for path in sorted(found, reverse=True))

    def unfinished(self) -> str | None:
        """The id of the newest run, when it left no record of its end: it is at work, was killed, or its machine stopped."""
        latest = self.latest()
        return latest.id if latest is not None and not latest.record.exists() else None

    def make(self) -> None:
        """Make the folder.

        Raises:
            Unavailable: it cannot be written.
        """
        with _writing(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            ignore = self.path / ".gitignore"
            if not ignore.exists():
                ignore.write_text("*\n", encoding="utf-8")

    def new_run(self, run_id: str) -> RunFolder:
        """Make the folder of a run, let `latest` point to it, and remove the oldest beyond the last 20.

        Raises:
            Unavailable: it cannot be written.
        """
        folder = RunFolder(self.runs / run_id)
        if (before := self.latest()) is not None:
            before.release()  # a run that was killed
        with _writing(folder.path):
            folder.logs.mkdir(parents=True)
            folder.reserve()
            link = self.runs / f".{_LATEST}.{run_id}"
            link.symlink_to(run_id)
            link.replace(self.runs / _LATEST)
        self._prune()
        return folder

    def publish(self, report: Path) -> None:
        """Put a report of a run among the newest reports, whole or not at all.

        Raises:
            OSError: it cannot be written.
        """
        self.reports.mkdir(exist_ok=True)
        with reading(report, follow=True) as source, replacing(self.reports / report.name) as copy:
            shutil.copyfileobj(source, copy)

    def retract(self) -> None:
        """Take the newest reports away: they are not those of the newest run."""
        for report in tuple(self.reports.glob("*")) if self.reports.is_dir() else ():
            with contextlib.suppress(OSError):
                report.unlink()

    def _prune(self) -> None:
        for run in self.kept_runs()[KEEP_RUNS:]:
            shutil.rmtree(run.path, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The folder of one run."""

    path: Path

    @property
    def id(self) -> str:
        """The id of the run."""
        return self.path.name

    @property
    def record(self) -> Path:
        """How the run ended. Not there while it is at work, or when it was killed."""
        return self.path / RECORD

    @property
    def work_inputs(self) -> Path:
        """What the embedded engine wrote about its session: of this run, however late an engine of another one ends."""
        return self.path / "work_inputs.json"

    @property
    def logs(self) -> Path:
        """One file a step, `<id>.log`."""
        return self.path / "logs"

    def log(self, step_id: str) -> Path:
        """Everything a step printed."""
        return self.logs / f"{step_id}.log"

    def artifacts(self, step_id: str) -> Path:
        """Where a step leaves files; made when it starts, gone again when it left none."""
        return self.path / step_id

    def reserve(self) -> None:
        """Keep a little of the disk for the record of the run's end: steps may fill the rest."""
        with contextlib.suppress(OSError), (self.path / _RESERVE).open("wb") as file:
            if sys.platform == "linux":
                os.posix_fallocate(file.fileno(), 0, _RESERVED_BYTES)
            else:
                file.write(bytes(_RESERVED_BYTES))

    def release(self) -> None:
        """Give back what `reserve` kept."""
        with contextlib.suppress(OSError):
            (self.path / _RESERVE).unlink()

    def retract(self) -> None:
        """Take the reports away that this run has written."""
        for report in self.path.glob("*"):
            if not report.is_dir():
                with contextlib.suppress(OSError):
                    report.unlink()

    def tidy(self, step_ids: Iterable[str]) -> None:
        """Remove the folders of steps that left nothing."""
        for step_id in step_ids:
            with contextlib.suppress(OSError):
                self.artifacts(step_id).rmdir()  # refuses a folder that holds something


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable(
            f"{path} cannot be written: {error.strerror or error}", next_step="free space on its disk, or correct its owner and mode"
        ) from error

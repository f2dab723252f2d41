"""The rooms a run works with, as one value: the real ones, or others in a test."""

from __future__ import annotations

import contextlib
import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipelines.foundation.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager, AbstractContextManager
    from pathlib import Path

    from pipelines.engine.choice import Choice
    from pipelines.engine.lifetime import Lifetime
    from pipelines.engine.work_inputs import OpenPastWork, PastWork
    from pipelines.errors import LockgateError
    from pipelines.flow.attempts import ForeignErrors
    from pipelines.model import EngineInfo, EngineSpec, Project, Run, Source
    from pipelines.providers import Provider
    from pipelines.steps.definition import StepDef
    from pipelines.steps.interface import RunOptions


def _past_work(environ: Mapping[str, str], folders: Mapping[str, Any] | None = None, moved: tuple[Path, Path] | None = None) -> PastWork:
    from pipelines.engine.embedded.past_work import EmbeddedPastWork

    return EmbeddedPastWork(environ, folders, moved)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDependencies:
    """What a run needs from other rooms.

    `choose` picks an engine, `open_engine` holds it open (it may write the file it is given when it ends, and tells the lifetime when it
    goes away), `client` is the dagger client while it is. `write_reports` writes a run's reports into a folder and gives their paths, the
    record of the run (run.json) last; `write_record` writes that alone, `copy_record` into the file that a person named.
    Within `asking`, what is asked of the client is said to come from that requester. `keeps_results` says, without a look
    at the machine, whether results of the embedded engine of this user outlive a run; `past_work` opens what it knows of them.
    """

    detect: Callable[[Mapping[str, str]], Provider]
    read_source: Callable[[Path], Source]
    builtin: Callable[[Project, Source, RunOptions], Sequence[StepDef]]
    choose: Callable[[EngineSpec, Mapping[str, str]], Choice]
    open_engine: Callable[[Choice, Callable[[str], None], Path, Lifetime], AbstractAsyncContextManager[EngineInfo]]
    client: Callable[[], object]
    foreign: Callable[[], ForeignErrors]
    write_reports: Callable[[Run, Path], Sequence[Path]]
    write_record: Callable[[Run, Path], Path]
    copy_record: Callable[[Run, Path], None] = lambda _run, _path: None
    clock: Clock = field(default_factory=Clock)
    asking: Callable[[str], AbstractContextManager[None]] = lambda _requester: contextlib.nullcontext()
    keeps_results: Callable[[EngineSpec, Mapping[str, str]], bool] = lambda _spec, _environ: False
    past_work: OpenPastWork = _past_work


def real_dependencies() -> RunDependencies:
    """The real rooms; each is imported when it is first used."""
    return RunDependencies(
        detect=_detect,
        read_source=_read_source,
        builtin=_builtin,
        choose=_choose,
        open_engine=_open_engine,
        client=_client,
        foreign=_foreign_errors,
        write_reports=_write_reports,
        write_record=_write_record,
        copy_record=_copy_record,
        asking=_asking,
        keeps_results=_keeps_results,
    )


def _detect(environ: Mapping[str, str]) -> Provider:
    from pipelines.providers import detect

    return detect(environ)


def _read_source(root: Path) -> Source:
    from pipelines.steps.source import read_source

    return read_source(root)


def _builtin(project: Project, source: Source, options: RunOptions) -> Sequence[StepDef]:
    from pipelines.steps.catalog import builtin

    return builtin(project, source=source, options=options)


def _choose(spec: EngineSpec, environ: Mapping[str, str]) -> Choice:
    from pipelines.engine.choice import choose
    from pipelines.engine.limits import variables

    return dataclasses.replace(choose(spec.kind, environ), variables=variables(spec))


def _keeps_results(spec: EngineSpec, environ: Mapping[str, str]) -> bool:
    from pipelines.engine.choice import keeps_results

    return keeps_results(spec.kind, environ)


def _open_engine(
    choice: Choice, log: Callable[[str], None], work_inputs: Path, lifetime: Lifetime
) -> AbstractAsyncContextManager[EngineInfo]:
    from pipelines.engine.connect import open_engine

    return open_engine(choice, log=log, work_inputs=work_inputs, lifetime=lifetime)


def _client() -> object:
    import dagger

    return dagger.dag


def _foreign_errors() -> ForeignErrors:
    from pipelines.flow.attempts import ForeignErrors

    def transient(error: BaseException) -> bool:
        from pipelines.steps.common import dagger_errors  # imported with the first error

        return dagger_errors.transient(error)

    def translate(error: BaseException) -> LockgateError | None:
        from pipelines.steps.common import dagger_errors

        return dagger_errors.translate(error)

    def output(error: BaseException) -> str:
        from pipelines.steps.common import dagger_errors

        return dagger_errors.output_of(error)

    return ForeignErrors(transient=transient, translate=translate, output=output)


def _write_reports(run: Run, folder: Path) -> Sequence[Path]:
    from pipelines.report import write_all

    return write_all(run, folder)


def _write_record(run: Run, folder: Path) -> Path:
    from pipelines.report import write_record

    return write_record(run, folder)


def _copy_record(run: Run, path: Path) -> None:
    from pipelines.foundation.named_files import write_named
    from pipelines.report import RECORD

    write_named(path, RECORD.render(run).encode())


def _asking(requester: str) -> AbstractContextManager[None]:
    from pipelines.engine.engine_lines import requested_by

    return requested_by(requester)

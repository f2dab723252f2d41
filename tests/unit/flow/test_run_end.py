"""How a run ends, and what it leaves."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from pipelines.errors import Unavailable, UsageError
from pipelines.model import Check, Finding, RunEnd, Severity, Verdict
from pipelines.report import write_all, write_record
from tests.unit.flow.fake_project import FakeProject, asks, fails, plain, statuses

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipelines.model import Run
    from pipelines.steps.definition import StepContext, StepDef

FULL = OSError(28, "No space left on device")


def test_a_contradicting_environment_is_said_before_anything_runs(fake: FakeProject, make: Callable[..., StepDef]) -> None:
    fake.choice_error = UsageError("half a session")
    fake.steps = [make(asks)]
    with pytest.raises(UsageError, match="half a session"):
        fake.run()


def test_a_failure_is_exit_code_1_and_in_the_state(fake: FakeProject, make: Callable[..., StepDef]) -> None:
    fake.steps = [make(fails)]
    assert fake.run().exit_code == 1
    assert json.loads(fake.home.state.read_text())["steps"]["step.fails"]["status"] == "failed"


def test_the_token_of_a_pass_comes_back(fake: FakeProject, make: Callable[..., StepDef]) -> None:
    seen: list[str | None] = []

    async def tokens(context: StepContext) -> None:
        seen.append(context.attempt)
        context.set_attempt(f"token-{len(seen)}")

    fake.steps = [make(tokens)]
    fake.run()
    fake.run()
    assert seen == [None, "token-1"]


def test_a_stop_ends_in_a_run_with_reports_and_a_closed_engine(fake: FakeProject, make: Callable[..., StepDef]) -> None:
    async def stopper(asks: str) -> None:
        fake.stop.request(signal.SIGTERM)
        await anyio.sleep_forever()

    fake.steps = [make(plain), make(asks), make(stopper)]
    run = fake.run()
    assert run.exit_code == 143
    assert statuses(run) == {"step.plain": "passed", "step.asks": "passed", "step.stopper": "cancelled"}
    assert fake.document()["run"]["exit_code"] == 143
    assert fake.engine == ["opening", "open", "closed"]


def test_a_cancelled_caller_gets_its_reports_too(fake: FakeProject, make: Callable[..., StepDef]) -> None:
    async def waits(plain: str) -> None:
        await anyio.sleep_forever()

    fake.steps = [make(plain), make(waits), make(asks)]

    async def main() -> bool:
        with anyio.move_on_after(5) as scope:
            await fake.go()
        return scope.cancelled_caught

    assert fake.jump(main) is True
    document = fake.document()
    assert {entry["id"]: entry["status"] for entry in document["steps"]} == {
        "step.plain": "passed",
        "step.asks": "passed",
        "step.waits": "cancelled",
    }
    assert document["run"]["exit_code"] == 130
    assert fake.engine == ["opening", "open", "closed"]


def test_reports_that_cannot_be_written_are_said(fake: FakeProject, make: Callable[..., StepDef]) -> None:
    def full(run: Run, folder: Path) -> Sequence[Path]:
        raise OSError(28, "No space left on device")

    fake.write_reports = full
    fake.steps = [make(plain)]
    assert fake.run().exit_code == 4
    assert "No space left on device" in fake.sink.notes[0]


def full_disk(times: int) -> Callable[[Run, Path], Sequence[Path]]:
    """Reports that cannot be written so many times."""
    left = iter(range(times))

    def write(run: Run, folder: Path) -> Sequence[Path]:
        if next(left, None) is not None:
            raise FULL
        return write_all(run, folder)

    return write


def test_the_exit_code_in_the_record_is_that_of_the_run_also_when_reports_could_not_be_written(
    fake: FakeProject, make: Callable[..., StepDef]
) -> None:
    fake.write_reports = full_disk(1)
    fake.steps = [make(plain)]
    run = fake.run()
    assert (run.exit_code, fake.document()["run"]["exit_code"], fake.record()["run"]["exit_code"]) == (4, 4, 4)
    assert "No space left on device" in fake.record()["run"]["error"]
    assert (Path(str(run.folder)) / "junit.xml").exists()


def test_reports_that_say_something_else_do_not_stay_when_only_the_record_can_be_written(
    fake: FakeProject, make: Callable[..., StepDef]
) -> None:
    def half(run: Run, folder: Path) -> Sequence[Path]:
        (folder / "junit.xml").write_text("half")
        raise FULL

    fake.steps = [make(plain)]
    fake.run()
    fake.write_reports = half
    run = fake.run()
    assert (run.exit_code, fake.record()["run"]["exit_code"]) == (4, 4)
    assert [path.name for path in Path(str(run.folder)).iterdir() if path.is_file()] == ["run.json"]
    assert list(fake.home.reports.iterdir()) == []


def test_where_the_whole_record_finds_no_room_a_short_one_does(fake: FakeProject, make: Callable[..., StepDef]) -> None:
    async def finds() -> Check:
        return Check(verdict=Verdict.FAIL, reason="many", findings=(Finding(rule="x", severity=Severity.LOW, message="y"),) * 1000)

    def small(run: Run, folder: Path) -> Path:
        if run.results[0].findings:
            raise FULL
        return write_record(run, folder)

    fake.write_reports, fake.write_record = full_disk(9), small
    fake.steps = [make(finds)]
    assert fake.run().exit_code == 1
    assert [(step["status"], step["findings"]) for step in fake.record()["steps"]] == [("failed", [])]


def test_a_defect_in_a_report_leaves_the_record_of_the_end(fake: FakeProject, make: Callable[..., StepDef], tmp_path: Path) -> None:
    def broken(run: Run, folder: Path) -> Sequence[Path]:
        (folder / "junit.xml").write_text("half")
        raise ValueError("a defect")

    fake.write_reports = broken
    fake.steps = [make(plain)]
    with pytest.raises(ValueError, match="a defect"):
        fake.run()
    record = fake.record()
    assert (record["run"]["exit_code"], record["run"]["end"], record["run"]["error"]) == (70, "error", "ValueError: a defect")
    assert {step["id"]: step["status"] for step in record["steps"]} == {"step.plain": "passed"}
    latest = fake.home.latest()
    assert latest is not None
    assert [path.name for path in latest.path.iterdir() if path.is_file()] == ["run.json"]


def test_where_no_record_can_be_written_there_is_none_and_it_is_said(fake: FakeProject, make: Callable[..., StepDef]) -> None:
    def never(run: Run, folder: Path) -> Path:
        raise FULL

    fake.write_reports, fake.write_record = full_disk(9), never
    fake.steps = [make(plain)]
    run = fake.run()
    assert run.exit_code == 4
    assert [path for path in Path(str(run.folder)).iterdir() if path.is_file()] == []
    assert fake.sink.notes[-1] == "not even the record of this run (run.json) can be written"


@pytest.mark.parametrize(
    ("error", "code", "raised"),
    [
        (UsageError("half a session", cause="one variable"), 2, UsageError),
        (OSError(28, "No space left on device", "/x"), 4, Unavailable),
        (PermissionError(13, "Permission denied", "/x"), 4, Unavailable),
        (ValueError("a defect"), 70, ValueError),
        (KeyboardInterrupt(), 130, KeyboardInterrupt),
    ],
)
def test_a_run_that_an_error_ends_has_a_record_of_it(
    fake: FakeProject, make: Callable[..., StepDef], error: BaseException, code: int, raised: type[BaseException]
) -> None:
    fake.choice_error = error
    fake.steps = [make(plain), make(asks)]
    with pytest.raises(raised):
        fake.run()
    record = fake.record()
    assert (record["run"]["end"], record["run"]["exit_code"]) == ("error", code)
    assert {step["id"]: step["status"] for step in record["steps"]} == {"step.plain": "cancelled", "step.asks": "cancelled"}
    assert type(error).__name__ in record["run"]["error"] or "half a session (one variable)" in record["run"]["error"] or code == 4
    assert fake.document() == record


def test_a_secret_in_the_error_that_ends_a_run_is_masked_in_its_record(fake: FakeProject, make: Callable[..., StepDef]) -> None:
    fake.environ["DAGGER_SESSION_TOKEN"] = "hunter2-hunter2"
    fake.choice_error = UsageError("not a token: hunter2-hunter2")
    fake.steps = [make(asks)]
    with pytest.raises(UsageError):
        fake.run()
    assert fake.record()["run"]["error"] == "not a token: ***"


def test_how_a_run_ended_is_in_its_record(fake: FakeProject, make: Callable[..., StepDef]) -> None:
    async def stopper() -> None:
        fake.stop.request(signal.SIGTERM)
        await anyio.sleep_forever()

    fake.steps = [make(plain)]
    assert (fake.run().end, fake.record()["run"]["end"]) == (RunEnd.COMPLETED, "completed")
    fake.steps = [make(stopper)]
    assert (fake.run().end, fake.record()["run"]["end"]) == (RunEnd.STOPPED, "stopped")


def test_a_run_that_is_killed_leaves_its_record_at_once(fake: FakeProject, make: Callable[..., StepDef]) -> None:
    seen: list[dict[str, Any]] = []

    async def ignores_the_stop(plain: str) -> None:
        fake.stop.request(signal.SIGINT)
        fake.stop.kill(signal.SIGINT)
        seen.append(fake.record())

    fake.steps = [make(plain), make(ignores_the_stop)]
    fake.run()
    (record,) = seen
    assert (record["run"]["end"], record["run"]["exit_code"]) == ("killed", 130)
    assert {step["id"]: step["status"] for step in record["steps"]} == {"step.plain": "passed", "step.ignores_the_stop": "cancelled"}


def test_the_next_run_says_that_the_one_before_left_no_record(fake: FakeProject, make: Callable[..., StepDef]) -> None:
    fake.steps = [make(plain)]
    before = fake.run()
    (Path(str(before.folder)) / "run.json").unlink()
    fake.run()
    assert fake.sink.notes == [
        f"the run before this one ({before.id}) did not record its end: it was killed, or the machine stopped",
    ]
    fake.run()
    assert len(fake.sink.notes) == 1


def test_a_little_of_the_disk_is_kept_for_the_record(fake: FakeProject, make: Callable[..., StepDef]) -> None:
    kept: list[int] = []

    async def looks(context: StepContext) -> None:
        kept.extend(path.stat().st_size for path in context.folder.parent.iterdir() if path.is_file())

    fake.steps = [make(looks)]
    run = fake.run()
    assert kept == [256 << 10]
    assert sorted(path.name for path in Path(str(run.folder)).iterdir() if path.is_file()) == ["junit.xml", "run.json", "summary.md"]


def test_the_file_that_was_asked_for_says_what_the_record_says(fake: FakeProject, make: Callable[..., StepDef]) -> None:
    fake.write_reports = full_disk(1)
    fake.steps = [make(plain)]
    fake.run(output=fake.root / "copy.json")
    assert json.loads((fake.root / "copy.json").read_text()) == fake.record()
    assert fake.record()["run"]["exit_code"] == 4


def test_a_file_that_was_asked_for_and_cannot_be_written_is_exit_code_4_in_the_record(
    fake: FakeProject, make: Callable[..., StepDef]
) -> None:
    fake.steps = [make(plain)]
    run = fake.run(output=fake.root)
    assert (run.exit_code, fake.record()["run"]["exit_code"]) == (4, 4)
    assert fake.record()["run"]["error"] == f"--output {fake.root} cannot be written: Is a directory"


def test_a_process_that_is_killed_after_its_run_had_ended_has_its_exit_code_in_the_record(
    fake: FakeProject, make: Callable[..., StepDef]
) -> None:
    fake.steps = [make(plain)]
    fake.run()
    fake.stop.kill(signal.SIGTERM)
    record = fake.record()
    assert (record["run"]["end"], record["run"]["exit_code"], record["steps"][0]["status"]) == ("killed", 143, "passed")

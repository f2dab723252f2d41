"""What a run keeps on disk: folders, lock, state, logs."""

from __future__ import annotations

import datetime as dt
import json
import os
from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import Unavailable
from pipelines.flow.folder import KEEP_RUNS, ProjectHome, new_run_id
from pipelines.flow.lock import run_lock
from pipelines.flow.log_writer import SMALL, TAIL_LINES, LogWriter
from pipelines.flow.secret_values import secret_values
from pipelines.flow.state_file import StateFile
from pipelines.foundation.redaction import Redactor
from pipelines.model import Project, Registry, Result, SecretRef, Status
from pipelines.steps.definition import StepContext
from pipelines.steps.image.spec import ImageSpec, ImageTarget
from pipelines.steps.test.spec import TestSpec
from tests.projects import project_with

FULL = Path("/dev/full")


@pytest.fixture
def home(tmp_path: Path) -> ProjectHome:
    home = ProjectHome.of(tmp_path)
    home.make()
    return home


def test_ids_of_runs_sort_by_time() -> None:
    early, late = (dt.datetime(2026, 1, day, 12, tzinfo=dt.timezone(dt.timedelta(hours=2))) for day in (1, 2))
    assert new_run_id(early) < new_run_id(late)
    assert new_run_id(early).startswith("20260101T100000Z-")


def test_git_ignores_the_home(home: ProjectHome) -> None:
    assert (home.path / ".gitignore").read_text() == "*\n"


def test_latest_follows_and_old_runs_go(home: ProjectHome) -> None:
    assert home.latest() is None
    for number in range(KEEP_RUNS + 3):
        home.new_run(f"run-{number:02}").log("step.a").write_text("x")
    latest = home.latest()
    assert latest is not None
    assert latest.path.name == f"run-{KEEP_RUNS + 2:02}"
    kept = sorted(path.name for path in home.runs.iterdir() if not path.is_symlink())
    assert kept == [f"run-{number:02}" for number in range(3, KEEP_RUNS + 3)]


def test_folders_without_artifacts_go(home: ProjectHome) -> None:
    run = home.new_run("run")
    for step_id in ("step.empty", "step.full"):
        run.artifacts(step_id).mkdir()
    (run.artifacts("step.full") / "junit.xml").write_text("x")
    run.tidy(["step.empty", "step.full", "step.none"])
    assert not run.artifacts("step.empty").exists()
    assert run.artifacts("step.full").exists()


def test_a_home_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / ".lockgate").write_text("a file")
    with pytest.raises(Unavailable, match="cannot be written"):
        ProjectHome.of(tmp_path).make()


def test_one_run_at_a_time(home: ProjectHome) -> None:
    with run_lock(home.lock):
        with pytest.raises(Unavailable, match=f"another run is at work in .* \\(process {os.getpid()}\\)") as caught, run_lock(home.lock):
            pass
        assert caught.value.exit_code == 4
    with run_lock(home.lock):
        assert home.lock.read_text() == f"{os.getpid()}\n"


def test_a_lock_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="cannot be opened"), run_lock(tmp_path):
        pass


def ended(step_id: str, status: Status) -> Result:
    return Result(id=step_id, kind="test", name="unit", status=status)


def context(step_id: str, run_id: str, attempt: str | None, used: str | None) -> StepContext:
    made = StepContext(id=step_id, run_id=run_id, folder=Path(), attempt=attempt)
    made.set_attempt(used)
    return made


def test_the_token_of_the_last_pass_is_kept(home: ProjectHome) -> None:
    state = StateFile.read(home.state)
    assert state.attempt("test.unit") is None
    state.note([ended("test.unit", Status.PASSED)], {"test.unit": context("test.unit", "r1", None, "r1")})
    state.write()
    state = StateFile.read(home.state)
    assert state.attempt("test.unit") == "r1"
    state.note([ended("test.unit", Status.FAILED)], {"test.unit": context("test.unit", "r2", "r1", "r2")})
    state.write()
    assert StateFile.read(home.state).attempt("test.unit") == "r1"
    entry = json.loads(home.state.read_text())["steps"]["test.unit"]
    assert entry == {"status": "failed", "run": "r2", "attempt": "r1"}


def test_a_step_that_did_not_work_changes_nothing(home: ProjectHome) -> None:
    state = StateFile.read(home.state)
    state.note([ended("test.unit", Status.PASSED)], {"test.unit": context("test.unit", "r1", None, "r1")})
    state.note([ended("test.unit", Status.BLOCKED)], {})
    assert state.attempt("test.unit") == "r1"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"schema": 2, "steps": {}}',
        '{"schema": 1}',
        '{"schema": 1, "steps": {"a": 3}}',
        '{"schema": 1, "steps": {"a": {"status": 1, "run": "r"}}}',
    ],
)
def test_a_state_that_cannot_be_understood_is_an_empty_one(home: ProjectHome, text: str) -> None:
    home.state.write_text(text)
    assert StateFile.read(home.state).attempt("a") is None


async def test_a_large_text_is_masked_in_a_thread_and_what_comes_next_comes_after_it(tmp_path: Path) -> None:
    lines = "".join(f"line {number} of secret-secret\n" for number in range(20_000))
    assert len(lines) > 2 * SMALL
    printed: list[str] = []
    log = LogWriter(redactor=Redactor(["secret-secret"]), path=tmp_path / "x.log", output=printed.append)
    log.write("$ command\n")
    log.write(lines + "no end, and secret-")
    assert printed == ["$ command\n"]  # nothing of the large text yet
    log.write("secret")
    log.end_line()
    log.write("last\n")
    await log.drain()
    assert log.close()[-3:] == ("line 19999 of ***", "no end, and ***", "last")
    expected = "$ command\n" + lines.replace("secret-secret", "***") + "no end, and ***\nlast\n"
    assert "".join(printed) == expected
    assert (tmp_path / "x.log").read_text() == expected


def test_a_log_keeps_the_last_lines(tmp_path: Path) -> None:
    printed: list[str] = []
    log = LogWriter(redactor=Redactor(), path=tmp_path / "x.log", output=printed.append)
    for number in range(TAIL_LINES + 5):
        log.write(f"line {number}\r\n")
    log.write("no end")
    assert log.close() == (*(f"line {number}" for number in range(6, TAIL_LINES + 5)), "no end")
    assert (tmp_path / "x.log").read_bytes().decode() == "".join(printed)


def test_a_full_disk_is_said_once_and_ends_nothing() -> None:
    write_errors: list[OSError] = []
    printed: list[str] = []
    log = LogWriter(redactor=Redactor(), path=FULL, output=printed.append, on_write_error=write_errors.append)
    log.write("one\n")
    log.write("two\n")
    assert log.close() == ("one", "two")
    assert len(write_errors) == 1
    assert printed == ["one\n", "two\n"]


def test_text_that_is_no_unicode_is_written_all_the_same(tmp_path: Path) -> None:
    log = LogWriter(redactor=Redactor(), path=tmp_path / "x.log")
    log.write("\udcff\n")
    log.close()
    assert (tmp_path / "x.log").read_text() == "\\udcff\n"


def project(root: Path, **tables: Any) -> Project:
    return project_with(name="shop", root=root, **tables)


def test_secrets_that_can_be_read_are_known_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "pip.conf").write_text("index = secret-of-file")
    found = secret_values(
        project(
            tmp_path,
            registry=Registry(url="a", auth=SecretRef("env://TOKEN")),
            images={
                "shop": ImageSpec(
                    name="shop",
                    secrets={"pip": SecretRef("file://pip.conf"), "gone": SecretRef("file://gone"), "cmd": SecretRef("cmd://exit 1")},
                )
            },
            tests={"unit": TestSpec(name="unit", image=ImageTarget(name="shop"), command=("x",), secrets={"A": SecretRef("env://UNSET")})},
            build_secrets={"index": SecretRef("env://INDEX")},
        ),
        {"TOKEN": "secret-of-env", "DAGGER_SESSION_TOKEN": "session-secret", "INDEX": "secret-of-builds"},
    )
    assert sorted(found) == ["index = secret-of-file", "secret-of-builds", "secret-of-env", "session-secret"]

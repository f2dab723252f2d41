from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import jsonschema
import pytest

from pipelines.flow.folder import ProjectHome
from pipelines.flow.lock import run_lock

if TYPE_CHECKING:
    from pathlib import Path


class Said(Protocol):
    code: int
    out: str
    err: str


Lockgate = Callable[..., Said]


def test_the_log_of_a_step_of_the_latest_run(project: Path, lockgate: Lockgate) -> None:
    lockgate("run")
    said = lockgate("logs", "step.bad")
    assert (said.code, said.out) == (0, "first\nlast words\n")


def test_without_an_id_the_steps_are_listed(project: Path, lockgate: Lockgate) -> None:
    lockgate("run")
    rows = [line.split() for line in lockgate("logs").out.splitlines()]
    assert [row[:2] for row in rows] == [["step.good", "passed"], ["step.bad", "failed"], ["step.after", "blocked"]]
    assert rows[0][2].startswith(".lockgate/runs/")
    assert (project / rows[0][2]).read_text() == "logged by good\n"


def test_an_earlier_run_by_its_id(project: Path, lockgate: Lockgate) -> None:
    lockgate("run")
    lockgate("run", "step.good")
    listed = lockgate("logs", "--list").out.splitlines()
    ids = [line.split()[0] for line in listed]
    assert len(ids) == 2
    by_code = {line.split()[2]: line.split()[0] for line in listed}
    assert lockgate("logs", "--run", by_code["1"], "step.bad").out == "first\nlast words\n"
    assert lockgate("logs", "step.bad").code == 3


def test_what_steers_a_terminal_is_taken_out(project: Path, lockgate: Lockgate) -> None:
    lockgate("run", "step.good")
    log = next((project / ".lockgate" / "runs" / "latest" / "logs").glob("step.good.log"))
    log.write_bytes(b"\x1b]0;title\x07\x1b[31mred\x1b[0m\xff\n")
    assert lockgate("logs", "step.good").out == "red\N{REPLACEMENT CHARACTER}\n"


def test_no_run_yet(project: Path, lockgate: Lockgate) -> None:
    said = lockgate("logs", "step.good")
    assert (said.code, said.err) == (2, "error: there are no logs of a run here\nnext:  lockgate run\n")


def test_a_step_without_a_log_is_guessed(project: Path, lockgate: Lockgate) -> None:
    lockgate("run")
    said = lockgate("logs", "step.goood")
    assert said.code == 3
    assert "did you mean step.good?" in said.err


def test_a_run_that_is_not_there(project: Path, lockgate: Lockgate) -> None:
    lockgate("run")
    said = lockgate("logs", "--run", "nope", "step.good")
    assert said.code == 2
    assert "no run 'nope' is kept here" in said.err


def test_a_name_with_slashes_reads_no_file_elsewhere(project: Path, lockgate: Lockgate) -> None:
    lockgate("run")
    (project / "secret.log").write_text("hush")
    assert lockgate("logs", "../../../../secret").code == 3


def test_a_run_that_was_killed_still_has_its_logs_and_is_said_to_have_no_record(project: Path, lockgate: Lockgate) -> None:
    lockgate("run")
    (project / ".lockgate" / "runs" / "latest" / "run.json").unlink()
    said = lockgate("logs")
    assert said.out.splitlines()[0].startswith("step.")
    assert "left no record of its end: it was killed" in said.err
    assert lockgate("logs", "--list").out.split(maxsplit=3)[1:] == [
        "exit",
        "?",
        "no record of its end: it was killed, or the machine stopped\n",
    ]
    assert lockgate("logs", "step.good").code == 0


def test_a_run_at_work_has_no_record_yet(project: Path, lockgate: Lockgate) -> None:
    lockgate("run")
    home = ProjectHome.of(project)
    (home.runs / "latest" / "run.json").unlink()
    with run_lock(home.lock):
        assert lockgate("logs", "--list").out.endswith("exit ?  at work\n")
        assert lockgate("logs").err == ""


def test_a_record_of_another_version_is_not_taken_for_a_run_that_was_killed(project: Path, lockgate: Lockgate) -> None:
    lockgate("run", "step.good")
    file = project / ".lockgate" / "runs" / "latest" / "run.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"schema": 99}))
    assert "exit ?  a record that cannot be read: the record of a run has schema 99, not 1" in lockgate("logs", "--list").out
    said = lockgate("logs")
    assert said.out.startswith("step.good  .lockgate/runs/")
    assert "left a record that cannot be read" in said.err


def test_the_list_says_how_runs_ended(project: Path, lockgate: Lockgate) -> None:
    lockgate("run", "step.good")
    assert lockgate("logs", "--list").out.split()[1:4] == ["exit", "0", "completed"]


def test_the_schema_of_the_record_is_printed_and_a_real_one_is_as_it_says(project: Path, lockgate: Lockgate) -> None:
    lockgate("run")
    schema = json.loads(lockgate("schema", "run").out)
    jsonschema.validate(json.loads((project / ".lockgate" / "reports" / "run.json").read_text()), schema)
    jsonschema.validate(json.loads(lockgate("run", "step.good", "--json").out), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"schema": 1}, schema)

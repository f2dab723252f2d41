from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

if TYPE_CHECKING:
    from pathlib import Path
from typing import Protocol

Lockgate = Callable[..., "Said"]


class Said(Protocol):
    code: int
    out: str
    err: str


def test_a_failing_step_is_exit_1_and_told_with_its_last_lines_and_how_to_repeat_it(project: Path, lockgate: Lockgate) -> None:
    said = lockgate("run")
    assert said.code == 1
    assert said.out == ""
    summary = said.err[said.err.index("step.bad failed: one thing is bad") :]
    order = [
        "high: bad::rule [app.py:3]: it is bad",
        "│ last words",
        "log:",
        "again:   lockgate run step.bad",
        "failed: 1 failed, 1 blocked, 1 passed",
    ]
    assert [summary.find(text) for text in order] == sorted(summary.find(text) for text in order)
    assert summary.find(order[0]) > 0
    assert "reports: .lockgate/reports" in summary


def test_data_and_nothing_else_is_on_standard_output(project: Path, lockgate: Lockgate) -> None:
    said = lockgate("--json")
    document = json.loads(said.out)
    assert (document["schema"], document["run"]["exit_code"], said.code) == (1, 1, 1)
    assert [(step["id"], step["status"]) for step in document["steps"]] == [
        ("step.good", "passed"),
        ("step.bad", "failed"),
        ("step.after", "blocked"),
    ]
    assert "printed by the step" in said.err


def test_the_document_can_go_to_a_file(project: Path, lockgate: Lockgate) -> None:
    said = lockgate("run", "-o", "out.json", "step.good")
    assert (said.code, said.out) == (0, "")
    assert json.loads((project / "out.json").read_text())["run"]["exit_code"] == 0
    assert json.loads(lockgate("run", "-o", "-", "step.good").out)["schema"] == 1


def test_one_step_runs_with_what_it_needs_and_others_are_not_mentioned(project: Path, lockgate: Lockgate) -> None:
    said = lockgate("step.good")
    assert said.code == 0
    assert "step.bad" not in said.err
    assert said.err.splitlines()[-1].startswith("ok: 1 passed in ")
    assert "p95_ms 12" in said.err


def test_an_output_that_cannot_be_written_is_said_before_the_run_where_possible(project: Path, lockgate: Lockgate) -> None:
    said = lockgate("run", "step.good", "-o", "missing/run.json")
    assert (said.code, "there is no folder" in said.err, "printed by" in said.err) == (2, True, False)
    assert not (project / ".lockgate" / "reports").exists()
    (project / "file").write_text("")
    assert lockgate("run", "step.good", "-o", "file/run.json").code == 2


def test_the_output_goes_through_a_link(project: Path, lockgate: Lockgate) -> None:
    (project / "link").symlink_to("real.json")
    assert lockgate("run", "step.good", "-o", "link").code == 0
    assert (project / "link").is_symlink()
    assert json.loads((project / "real.json").read_text())["schema"] == 1


def test_reports_are_left_behind(project: Path, lockgate: Lockgate) -> None:
    lockgate()
    reports = project / ".lockgate" / "reports"
    assert {path.name for path in reports.iterdir()} >= {"run.json", "junit.xml", "summary.md"}
    assert ET.parse(reports / "junit.xml").getroot().get("failures") == "1"


def test_quiet_says_only_what_went_wrong(project: Path, lockgate: Lockgate) -> None:
    assert lockgate("-q", "step.good").err == "printed by the step\n"
    assert lockgate("-q").err.count("one thing is bad") == 1


def test_verbose_shows_output_as_it_comes(project: Path, lockgate: Lockgate) -> None:
    assert "step.good | logged by good" in lockgate("-v", "step.good").err


def test_a_dry_run_is_a_plan(project: Path, lockgate: Lockgate) -> None:
    said = lockgate("run", "--dry-run", "step.bad")
    assert said.code == 0
    assert "wave 2" in said.out
    assert not (project / ".lockgate").exists()


def test_a_word_that_is_no_step_is_exit_3(project: Path, lockgate: Lockgate) -> None:
    said = lockgate("run", "step.goood")
    assert said.code == 3
    assert said.err.startswith("error: 'step.goood' is not a step; did you mean step.good?\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "--jbs", "3"], "No such option '--jbs'"),
        (["run", "--jobs", "0"], "0 is not in the range"),
        (["run", "--width", "3"], "the option --width is now called --jobs"),
        (["--width", "3", "run"], "the option --width is now called --jobs"),
        (["run", "--set", "width=3"], "width: renamed: write jobs instead (set by the command line)"),
        (["run", "--engine", "docker"], "is not one of 'auto', 'dagger', 'embedded'"),
        (["run", "--set", "novalue"], "is not KEY=VALUE"),
        (["run", "--set", "pref.x=1"], "pref: unknown key; did you mean perf?"),
        (["-C", "nowhere", "run"], "'nowhere' does not exist"),
        (["--config", "nowhere.toml"], "nowhere.toml"),
        (["docter"], "did you mean doctor?"),
    ],
)
def test_what_cannot_be_meant_is_exit_2_and_one_message(project: Path, lockgate: Lockgate, words: list[str], message: str) -> None:
    said = lockgate(*words)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("error: ")
    assert message in said.err
    assert "Traceback" not in said.err


def test_a_project_with_pipelines_of_its_own_is_told_to_say_lockgate(project: Path, lockgate: Lockgate) -> None:
    (project / "pipelines").mkdir()
    assert "again:   lockgate run step.bad" in lockgate("run").err


def test_how_to_repeat_it_names_folder_and_configuration(project: Path, lockgate: Lockgate, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "other.toml").write_text((project / "lockgate.toml").read_text())
    monkeypatch.chdir(project.parent)
    said = lockgate("run", "-C", project.name, "--config", "other.toml")
    assert f"again:   lockgate run -C {project.name} --config other.toml step.bad" in said.err


def test_github_gets_annotations_and_a_summary(project: Path, lockgate: Lockgate, monkeypatch: pytest.MonkeyPatch) -> None:
    summary = project / "summary"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(project.parent))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    said = lockgate("run")
    expected = f"::error file={project.name}/app.py,line=3,title=step.bad%3A bad%3A%3Arule::high: bad::rule [app.py:3]: it is bad"
    assert expected in said.err.splitlines()
    assert "### ❌ step.bad" in summary.read_text()


SPEAKS_TO_CI = """
from __future__ import annotations
import subprocess, sys
from pipelines import pipeline

@pipeline.step
async def talks(ctx: StepContext) -> None:
    print("::set-", end="")
    print("env name=PATH::/printed")
    print("a ##[add-mask]printed")
    ctx.log("::add-path::/logged\\n")
    raise ValueError("::add-mask::raised")
"""


def test_what_a_step_prints_is_no_command_to_github(project: Path, lockgate: Lockgate, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "lockgate.py").write_text(SPEAKS_TO_CI)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    said = lockgate("run")
    logs = lockgate("logs", "step.talks")
    lines = said.err.splitlines()
    assert lines[0].startswith("::stop-commands::")
    assert lines[-1] == f"::{lines[0].removeprefix('::stop-commands::')}::"
    ours = ("::stop-commands::", lines[-1], "::error title=step.talks::")
    assert not [line for line in lines if line.lstrip().startswith("::") and not line.startswith(ours)]
    assert ": :set-env name=PATH::/printed" in lines
    assert "a ## [add-mask]printed" in lines
    assert not any(line.lstrip().startswith("::") for line in logs.out.splitlines())
    assert ": :add-path::/logged" in logs.out


def test_gitlab_gets_sections(project: Path, lockgate: Lockgate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITLAB_CI", "true")
    assert lockgate("run").err.count("section_start") == 2


def test_a_project_without_steps_is_exit_3_unless_that_is_fine(tmp_path: Path, lockgate: Lockgate, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lockgate.toml").write_text('[project]\nname = "empty"\n')
    monkeypatch.chdir(tmp_path)
    assert lockgate("run").code == 3
    assert lockgate("run", "--allow-empty").code == 0


def test_two_runs_in_one_folder_are_exit_4(project: Path, lockgate: Lockgate) -> None:
    import fcntl

    lockgate("run", "step.good")
    with (project / ".lockgate" / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        said = lockgate("run", "step.good")
    assert said.code == 4
    assert "another run" in said.err


def test_reports_that_cannot_be_written_are_exit_4(project: Path, lockgate: Lockgate) -> None:
    (project / ".lockgate").mkdir()
    (project / ".lockgate" / "reports").write_text("a file where a folder should be")
    said = lockgate("run", "step.good")
    assert said.code == 4
    assert "the reports cannot be written" in said.err
    assert said.err.splitlines()[-1].startswith("unavailable: 1 passed")

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from pipelines.cli.plan import explained, waves
from pipelines.flow.plan import PlannedStep
from pipelines.flow.unchanged.prediction import Expected, Prediction

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from pipelines.cli.terminal import Terminal


class Said(Protocol):
    code: int
    out: str
    err: str


Lockgate = Callable[..., Said]


def test_the_plan_is_in_waves(project: Path, lockgate: Lockgate) -> None:
    said = lockgate("plan")
    assert said.code == 0
    assert said.out.splitlines() == [
        "demo: 3 of 3 steps would run",
        "wave 1",
        "  step.good",
        "wave 2",
        "  step.bad      after step.good",
        "wave 3",
        "  step.after    after step.bad",
    ]


def test_what_is_not_selected_is_named(project: Path, lockgate: Lockgate) -> None:
    said = lockgate("plan", "step.good")
    assert said.out.splitlines()[:3] == ["demo: 1 of 3 steps would run", "wave 1", "  step.good"]
    assert "not now" in said.out


def test_the_plan_as_a_document(project: Path, lockgate: Lockgate) -> None:
    document = json.loads(lockgate("plan", "--json", "step.bad").out)
    assert (document["schema"], document["project"]) == (1, "demo")
    assert [(step["id"], step["needs"], step["wave"]) for step in document["steps"]] == [
        ("step.good", [], 1),
        ("step.bad", ["step.good"], 2),
        ("step.after", ["step.bad"], None),
    ]


def test_nothing_is_written(project: Path, lockgate: Lockgate) -> None:
    before = sorted(path.name for path in project.iterdir())
    lockgate("plan")
    assert sorted(path.name for path in project.iterdir() if path.name != "__pycache__") == before


def test_a_wave_comes_after_the_latest_need() -> None:
    steps = [
        PlannedStep(id="a", kind="k", name="a"),
        PlannedStep(id="b", kind="k", name="b", skip="not now"),
        PlannedStep(id="c", kind="k", name="c", needs=("a",)),
        PlannedStep(id="d", kind="k", name="d", needs=("a", "c")),
        PlannedStep(id="e", kind="k", name="e", needs=("b",)),
    ]
    assert waves(steps) == {"a": 1, "c": 2, "d": 3, "e": 1}


def test_why_a_step_would_run(project: Path, lockgate: Lockgate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCKGATE_ENGINE", "embedded")
    said = lockgate("plan", "--explain")
    assert said.code == 0
    assert said.out.splitlines() == [
        "step.good   runs    its own code runs every time",
        "step.bad    runs    its own code runs every time",
        "step.after  runs    its own code runs every time",
    ]
    document = json.loads(lockgate("plan", "--explain", "--json", "step.good").out)
    assert document["steps"][0]["explain"] == {"verdict": "runs", "reasons": ["its own code runs every time"], "because": []}
    assert "explain" not in document["steps"][1]


def test_an_explanation_names_the_step_that_is_to_blame(screen: Callable[..., Terminal]) -> None:
    predictions = (
        Prediction(id="image.shop", verdict=Expected.RUNS, reasons=("host file a changed", "host file b changed")),
        Prediction(id="test.unit", verdict=Expected.RUNS, reasons=("host file a changed",), because=("image.shop",)),
        Prediction(id="scan.shop", verdict=Expected.CACHED),
    )
    unsure = Prediction(id="perf.x", verdict=Expected.UNSURE, reasons=("a tag",))
    assert [line.count("\x1b[") for line in explained((*predictions, unsure), screen(color=True))] == [4, 0, 4, 4, 4]
    assert list(explained(predictions, screen())) == [
        "image.shop  runs    host file a changed",
        "                    host file b changed",
        "test.unit   runs    image.shop runs",
        "scan.shop   cached",
    ]


def test_checks_that_publishing_does_not_wait_for_are_said(project: Path, lockgate: Lockgate) -> None:
    (project / "lockgate.py").unlink()
    (project / "Dockerfile").write_text("FROM scratch\n")
    text = (
        '[project]\nname = "demo"\n[registry]\nurl = "r.example"\n[images.demo]\n[tests.unit]\nimage = "demo"\ncommand = ["true"]\n[scan]\n'
    )
    (project / "lockgate.toml").write_text(f'{text}[publish]\nwhen = "always"\nafter = ["test"]\n')
    said = lockgate("plan", "--json")
    document = json.loads(said.out)
    (publish,) = (step for step in document["steps"] if step["kind"] == "publish")
    assert publish["needs"] == ["image.demo", "test.unit"]
    assert document["notes"] == ["publishing does not wait for scan.demo, scan.sources: see [publish] after"]
    (project / "lockgate.toml").write_text(f'{text}[publish]\nwhen = "always"\nafter = ["test.unti"]\n')
    said = lockgate("plan")
    assert (said.code, said.out) == (2, "")
    assert "did you mean test.unit?" in said.err

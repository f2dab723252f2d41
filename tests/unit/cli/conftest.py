from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from pipelines.__main__ import main
from pipelines.cli.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SPEAKS = (
    *("CI", "GITLAB_CI", "GITHUB_ACTIONS", "JENKINS_URL", "TF_BUILD", "TEAMCITY_VERSION"),
    *("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TERM", "DAGGER_SESSION_PORT", "DAGGER_SESSION_TOKEN", "LOCKGATE_SESSION"),
)

STEPS = """
from __future__ import annotations

from pipelines import Check, Finding, Location, Severity, Verdict, pipeline


@pipeline.step
async def good(ctx: StepContext) -> Check:
    print("printed by the step")
    ctx.log("logged by good\\n")
    return Check(verdict=Verdict.PASS, facts={"p95_ms": 12})


@pipeline.step
async def bad(ctx: StepContext, good: Check) -> Check:
    ctx.log("first\\nlast words\\n")
    finding = Finding(rule="bad::rule", severity=Severity.HIGH, message="it is bad", location=Location(path="app.py", line=3))
    return Check(verdict=Verdict.FAIL, reason="one thing is bad", findings=(finding,))


@pipeline.step
async def after(bad: Check) -> Check:
    return Check(verdict=Verdict.PASS)
"""


@pytest.fixture(autouse=True)
def calm(monkeypatch: pytest.MonkeyPatch) -> None:
    """No CI, no colour wishes, no open session, whatever the tests run in."""
    for name in SPEAKS:
        monkeypatch.delenv(name, raising=False)


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


@pytest.fixture
def lockgate(capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Run the command line in this process."""

    def call(*words: str) -> Said:
        capsys.readouterr()
        code = main(words)
        out, err = capsys.readouterr()
        return Said(code, out, err)

    return call


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of three steps in Python: one passes, one fails, one is blocked; the current folder."""
    (tmp_path / "lockgate.toml").write_text('[project]\nname = "demo"\n')
    (tmp_path / "lockgate.py").write_text(STEPS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def screen() -> Callable[..., Terminal]:
    """A terminal that remembers: `screen().stream.getvalue()`."""

    def make(*, color: bool = False, live: bool = False, unicode: bool = True, width: int = 80) -> Terminal:
        return Terminal(stream=io.StringIO(), color=color, live=live, unicode=unicode, width=width)

    return make

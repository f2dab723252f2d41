"""Fakes of the two interfaces set-up talks through, and a machine made of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ci.machine.errors import SetupError
from ci.machine.part import Machine
from ci.machine.paths import Paths
from ci.machine.terminal import Clock

if TYPE_CHECKING:
    from collections.abc import Mapping

Answer = str | SetupError | Callable[[Sequence[str]], str]


@dataclass
class FakeRunner:
    """Answers by the first words of a command, longest match first; records every command."""

    answers: dict[str, Answer] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    programs: set[str] = field(default_factory=set)
    environments: list[Mapping[str, str]] = field(default_factory=list)

    def which(self, program: str) -> str | None:
        return f"/usr/bin/{program}" if program in self.programs else None

    def output(self, args: Sequence[str], *, cwd: Path | None = None, timeout: float | None = None) -> str:
        del cwd, timeout
        return self._answer(args)

    def long(
        self,
        title: str,
        args: Sequence[str],
        *,
        log: Path,
        estimate_s: float,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdout: Path | None = None,
    ) -> None:
        del title, log, estimate_s, cwd
        self.environments.append(env or {})
        text = self._answer(args)
        if stdout:
            stdout.write_text(text)

    def root(self, args: Sequence[str]) -> list[str]:
        return ["root", *args]

    def _answer(self, args: Sequence[str]) -> str:
        line = " ".join(args)
        self.calls.append(line)
        for start in sorted(self.answers, key=len, reverse=True):
            if line.startswith(start):
                answer = self.answers[start]
                if isinstance(answer, SetupError):
                    raise answer
                return answer(args) if callable(answer) else answer
        return ""


@dataclass
class FakeVoice:
    said: list[str] = field(default_factory=list)
    agrees: bool = True

    def say(self, text: str) -> None:
        self.said.append(text)

    def confirm(self, question: str) -> bool:
        self.said.append(question)
        return self.agrees

    def clock(self, title: str, estimate_s: float) -> Clock:
        return Clock(title, estimate_s, terminal=False)


@pytest.fixture
def runner() -> FakeRunner:
    return FakeRunner()


@pytest.fixture
def voice() -> FakeVoice:
    return FakeVoice()


@pytest.fixture
def machine(tmp_path: Path, runner: FakeRunner, voice: FakeVoice) -> Machine:
    """A machine whose checkout, cache and state are folders of the test."""
    checkout = tmp_path / "checkout"
    (checkout / "ci").mkdir(parents=True)
    paths = Paths(checkout=checkout, cache=tmp_path / "cache", state=tmp_path / "state", config=tmp_path / "config")
    return Machine(paths=paths, environ={"TMPDIR": str(tmp_path)}, runner=runner, voice=voice, system="debian 12")


@pytest.fixture(scope="session")
def checkout() -> Path:
    """This repository."""
    return Path(__file__).resolve().parents[3]

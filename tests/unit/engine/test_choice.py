from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipelines.engine.choice import Choice, How, choose
from pipelines.engine.machine import ProgramResult
from pipelines.errors import EngineUnavailable, UsageError
from pipelines.model import EngineKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SESSION = {"DAGGER_SESSION_PORT": "1234", "DAGGER_SESSION_TOKEN": "t"}
RUNNER = {"_EXPERIMENTAL_DAGGER_RUNNER_HOST": "tcp://runner:1"}
EVERYTHING = ("runc", "skopeo", "unshare", "pasta", "dagger", "podman")


@dataclass
class FakeMachine:
    """A machine with the given programs, on which a jail works or not."""

    programs: Sequence[str] = ()
    jail: bool = True
    sockets: Sequence[str] = ()
    uid: int = 0
    store: Path = Path("/")
    asked: list[str] = field(default_factory=list)

    def which(self, name: str) -> str | None:
        return f"/usr/bin/{name}" if name in self.programs else None

    def run(self, command: Sequence[str], *, timeout_s: float = 10.0) -> ProgramResult:
        self.asked.append(command[0])
        return (
            ProgramResult(0, "namespaces\nproc\noverlay\n")
            if self.jail
            else ProgramResult(1, err="unshare failed: Operation not permitted")
        )

    def read(self, path: str) -> str | None:
        return None

    def can_open(self, path: str) -> str | None:
        return None

    def is_socket(self, path: str) -> bool:
        return path in self.sockets


@pytest.mark.parametrize(
    ("environ", "machine", "kind", "how", "reason"),
    [
        (SESSION | RUNNER, FakeMachine(EVERYTHING), "dagger", How.SESSION, "a session is open"),
        (SESSION | {"LOCKGATE_SESSION": "embedded"}, FakeMachine(), "embedded", How.SESSION, "engine run"),
        (RUNNER, FakeMachine(EVERYTHING), "dagger", How.COMMAND, "RUNNER_HOST"),
        (RUNNER, FakeMachine(("runc", "skopeo", "unshare")), "dagger", How.PROVISION, "downloads"),
        ({}, FakeMachine(EVERYTHING), "dagger", How.COMMAND, "/usr/bin/dagger"),
        ({"_EXPERIMENTAL_DAGGER_CLI_BIN": "/opt/lockgate-engine"}, FakeMachine(EVERYTHING), "embedded", How.COMMAND, "CLI_BIN"),
        ({"DAGGER_SESSION_PORT": ""}, FakeMachine(("runc", "skopeo", "unshare", "podman")), "embedded", How.COMMAND, "no Dagger found"),
        ({}, FakeMachine(("crun", "skopeo", "unshare")), "embedded", How.COMMAND, "no Dagger found"),
        ({}, FakeMachine(("runc", "podman")), "dagger", How.PROVISION, "/usr/bin/podman"),
        ({}, FakeMachine(sockets=("/var/run/docker.sock",)), "dagger", How.PROVISION, "docker.sock"),
        ({"DOCKER_HOST": "tcp://d:1"}, FakeMachine(("runc", "skopeo", "unshare"), jail=False), "dagger", How.PROVISION, "tcp://d:1"),
    ],
)
def test_auto_takes_the_first_that_is_there(environ: Mapping[str, str], machine: FakeMachine, kind: str, how: How, reason: str) -> None:
    choice = choose(EngineKind.AUTO, environ, machine)
    assert (choice.kind, choice.how) == (kind, how)
    assert reason in choice.reason


def test_nothing_there_is_an_error_that_says_what_is_lacking() -> None:
    with pytest.raises(EngineUnavailable) as caught:
        choose(EngineKind.AUTO, {}, FakeMachine(("runc", "unshare")))
    assert caught.value.exit_code == 4
    assert caught.value.cause == "no Dagger found; the embedded engine lacks skopeo: skopeo is not installed"
    assert caught.value.next_step == "sudo apt-get install skopeo"


def test_a_machine_that_refuses_namespaces_says_so() -> None:
    with pytest.raises(EngineUnavailable, match="no engine can run containers here") as caught:
        choose(EngineKind.AUTO, {}, FakeMachine(("runc", "skopeo", "unshare"), jail=False))
    assert "unshare failed: Operation not permitted" in str(caught.value.cause)


def test_dagger_asked_for_leaves_the_embedded_engine_out() -> None:
    assert choose(EngineKind.DAGGER, {}, FakeMachine(EVERYTHING)).command == ("/usr/bin/dagger",)
    machine = FakeMachine(("runc", "skopeo", "unshare"))
    with pytest.raises(EngineUnavailable) as caught:
        choose(EngineKind.DAGGER, {}, machine)
    assert "LOCKGATE_ENGINE=embedded" in str(caught.value.next_step)
    assert machine.asked == []


def test_embedded_asked_for_takes_nothing_else_and_asks_the_machine_nothing() -> None:
    machine = FakeMachine(EVERYTHING)
    for environ in ({}, SESSION, RUNNER):
        choice = choose(EngineKind.EMBEDDED, environ, machine)
        assert (choice.kind, choice.how, choice.reason) == ("embedded", How.COMMAND, "asked for")
    assert machine.asked == []


def test_embedded_asked_for_uses_the_session_of_engine_run() -> None:
    environ = SESSION | {"LOCKGATE_SESSION": "embedded"}
    assert choose(EngineKind.EMBEDDED, environ, FakeMachine()).how is How.SESSION


@pytest.mark.parametrize(
    "environ",
    [
        {"DAGGER_SESSION_PORT": "1234"},
        {"DAGGER_SESSION_PORT": "http", "DAGGER_SESSION_TOKEN": "t"},
        {"DAGGER_SESSION_PORT": "0", "DAGGER_SESSION_TOKEN": "t"},
        {"DAGGER_SESSION_PORT": "70000", "DAGGER_SESSION_TOKEN": "t"},
        {"DAGGER_SESSION_PORT": "²", "DAGGER_SESSION_TOKEN": "t"},
    ],
)
def test_session_variables_that_make_no_sense_are_a_usage_error(environ: Mapping[str, str]) -> None:
    with pytest.raises(UsageError, match="DAGGER_SESSION_PORT"):
        choose(EngineKind.AUTO, environ, FakeMachine())


def test_the_embedded_engine_is_ours_whatever_the_folder_holds(tmp_path: Path) -> None:
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "pipelines" / "__init__.py").write_text("raise SystemExit('the wrong package')")
    choice: Choice = choose(EngineKind.EMBEDDED, {}, FakeMachine())
    *interpreter, _program = choice.command
    found = subprocess.run(
        [*interpreter, "import pipelines; print(pipelines.__file__)"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert str(tmp_path) not in found.stdout

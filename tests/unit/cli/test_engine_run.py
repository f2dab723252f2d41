"""`engine run` with a small program that plays the engine."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

import anyio
import pytest

from pipelines.cli.engine_run import run_with_session
from pipelines.cli.options import Settings
from pipelines.engine.choice import Choice, How
from pipelines.errors import EngineUnavailable

if TYPE_CHECKING:
    from pathlib import Path

ENGINE = """
import sys
print('{"port": 4711, "session_token": "secret"}', flush=True)
print("note: no way out", file=sys.stderr, flush=True)
print("exec: something", file=sys.stderr, flush=True)
sys.stdin.read()
open(%r, "w").close()
"""


@pytest.fixture
def ended(tmp_path: Path) -> Path:
    return tmp_path / "ended"


@pytest.fixture
def engine(ended: Path) -> Choice:
    return Choice(kind="embedded", reason="a test", how=How.COMMAND, command=(sys.executable, "-S", "-c", ENGINE % str(ended)))


async def test_the_command_gets_the_session_and_its_exit_code_is_ours(engine: Choice, ended: Path, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    script = f'echo "$DAGGER_SESSION_PORT $DAGGER_SESSION_TOKEN $LOCKGATE_SESSION $PWD" > {seen}; exit 7'
    assert await run_with_session(["sh", "-c", script], Settings(directory=tmp_path), engine) == 7
    assert seen.read_text() == f"4711 secret embedded {tmp_path}\n"
    assert ended.exists()


async def test_notes_of_the_engine_are_shown_and_the_rest_on_demand(engine: Choice, capfd: pytest.CaptureFixture[str]) -> None:
    await run_with_session(["true"], Settings(), engine)
    assert capfd.readouterr().err == "engine: note: no way out\n"
    await run_with_session(["true"], Settings(verbosity=1), engine)
    assert "engine: exec: something" in capfd.readouterr().err


async def test_a_command_that_is_not_there(engine: Choice, ended: Path, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert await run_with_session(["no-such-program"], Settings(), engine) == 127
    assert "no-such-program: No such file or directory" in capfd.readouterr().err
    (tmp_path / "data").touch()
    assert await run_with_session([str(tmp_path / "data")], Settings(), engine) == 126
    assert ended.exists()


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGUSR1])
async def test_signals_go_to_the_command(engine: Choice, signum: int, tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    os.mkfifo(ready)
    script = f"trap 'exit 9' TERM USR1; echo > {ready}; while :; do sleep 0.01; done"

    async def send() -> None:
        await anyio.to_thread.run_sync(ready.read_text)
        os.kill(os.getpid(), signum)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(send)
        assert await run_with_session(["sh", "-c", script], Settings(), engine) == 9


async def test_a_command_ended_by_a_signal_is_128_and_the_signal(engine: Choice) -> None:
    assert await run_with_session(["sh", "-c", "kill -KILL $$"], Settings(), engine) == 137


async def test_without_an_engine_the_command_does_not_start(tmp_path: Path) -> None:
    broken = Choice(kind="dagger", reason="a test", how=How.COMMAND, command=("false",))
    with pytest.raises(EngineUnavailable):
        await run_with_session(["touch", str(tmp_path / "started")], Settings(), broken)
    assert not (tmp_path / "started").exists()


async def test_an_engine_that_does_not_close_is_not_waited_for_after_a_signal(tmp_path: Path) -> None:
    endless = 'import signal, sys\nprint(\'{"port": 4711, "session_token": "secret"}\', flush=True)\nwhile True: signal.pause()'
    choice = Choice(kind="dagger", reason="a test", how=How.COMMAND, command=(sys.executable, "-S", "-c", endless))
    with anyio.fail_after(60):
        assert await run_with_session(["sh", "-c", "kill -TERM $$"], Settings(directory=tmp_path), choice) == 143

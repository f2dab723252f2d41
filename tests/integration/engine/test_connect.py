"""Connecting to a real embedded engine, by every way that needs no Dagger."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pipelines.engine.choice import Choice, How, choose, embedded
from pipelines.engine.connect import open_engine, open_session
from pipelines.errors import EngineUnavailable
from pipelines.model import EngineKind

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.engine, pytest.mark.root]
VARIABLES = ("DAGGER_SESSION_PORT", "DAGGER_SESSION_TOKEN", "LOCKGATE_SESSION")


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LOCKGATE_STORE", str(tmp_path / "store"))
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


async def test_the_sdk_is_connected_and_the_environment_is_as_before_afterwards() -> None:
    lines: list[str] = []
    async with open_engine(embedded("a test"), log=lines.append) as info:
        import dagger

        assert (info.kind, info.reason) == ("embedded", "a test")
        assert info.version
        assert await dagger.dag.directory().with_new_file("a", "b").file("a").contents() == "b"
        assert os.environ["LOCKGATE_SESSION"] == "embedded"
    assert not any(name in os.environ for name in VARIABLES)


async def test_an_open_session_is_used_and_left_open(monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_session(embedded("a test"), environ=os.environ, log=lambda _line: None) as session:
        for name, value in session.variables("embedded").items():
            monkeypatch.setenv(name, value)
        choice = choose(EngineKind.AUTO, os.environ)
        assert choice.how is How.SESSION
        for _ in range(2):
            async with open_engine(choice) as info:
                assert info.kind == "embedded"


async def test_a_session_that_has_ended_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_session(embedded("a test"), environ=os.environ, log=lambda _line: None) as session:
        variables = session.variables("embedded")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(EngineUnavailable, match="does not answer") as caught:
        async with open_engine(choose(EngineKind.AUTO, os.environ)):
            pass
    assert "DAGGER_SESSION_PORT is set" in str(caught.value.cause)


async def test_an_engine_without_its_runtime_says_what_is_lacking(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Choice(kind="embedded", reason="a test", how=How.COMMAND, command=(sys.executable, "-c", "raise SystemExit('no runtime')"))
    with pytest.raises(EngineUnavailable, match="ended before it was open") as caught:
        async with open_engine(broken):
            pass
    assert caught.value.cause == "no runtime"


async def test_nothing_of_a_session_is_left_when_it_is_cancelled() -> None:
    async def hold() -> None:
        async with open_session(embedded("a test"), environ=os.environ, log=lambda _line: None):
            opened.set()
            await asyncio.sleep(60)

    opened = asyncio.Event()
    task = asyncio.create_task(hold())
    await opened.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    children = await asyncio.create_subprocess_exec("pgrep", "-P", str(os.getpid()), "-f", "embedded.main", stdout=asyncio.subprocess.PIPE)
    found, _ = await children.communicate()
    assert found == b""


def test_engine_run_lends_a_session_to_any_program_of_the_sdk(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import anyio, dagger\n"
        "async def main():\n"
        "    async with dagger.connection():\n"
        "        print(await dagger.dag.directory().with_new_file('a', 'hello').file('a').contents())\n"
        "anyio.run(main)\n"
    )
    command = [sys.executable, "-m", "pipelines", "engine", "run", "--", sys.executable, str(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (0, "hello\n"), done.stderr
    broken = subprocess.run([*command[:6], "sh", "-c", f"kill -{signal.SIGKILL} $$"], capture_output=True, check=False, timeout=60)
    assert broken.returncode == 137

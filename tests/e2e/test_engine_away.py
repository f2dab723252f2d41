"""An engine that is not there, never answers, or goes away: exit code 4 soon, and a complete record of the run.

Stand-ins play the `dagger` program; where steps must run, it is the embedded engine under that name.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.test_stopping import processes, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.e2e.conftest import Checkout

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.registry, pytest.mark.timeout(300)]

ENGINE = Path(sys.executable).with_name("lockgate-engine")
CONFIG = '[project]\nname = "small"\n[images.app]\nbase = "python"\n[tests.long]\nimage = "app"\ncommand = ["sleep", "4219"]\n'


@pytest.fixture
def small(make: Callable[..., Checkout]) -> Checkout:
    return make(lockgate_dot_toml=CONFIG, Dockerfile="ARG BASE\nFROM $BASE\n")


@pytest.fixture
def address(tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    """Where an engine seems to listen."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(tmp_path / "engine.sock"))
        sock.listen(128)
        yield f"unix://{tmp_path}/engine.sock", sock


def dagger(folder: Path, script: str) -> dict[str, str]:
    """The variables that make a script the `dagger` program. It writes its process id to a file beside it."""
    program = folder / "dagger"
    program.write_text(f"#!/bin/sh\necho $$ > {folder}/pid\n{script}\n")
    program.chmod(0o755)
    return {"_EXPERIMENTAL_DAGGER_CLI_BIN": str(program), "LOCKGATE_ENGINE": "dagger"}


def record(project: Checkout) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((project.root / ".lockgate/runs/latest/run.json").read_text())
    return document


@contextlib.contextmanager
def running(project: Checkout, **environ: str) -> Iterator[subprocess.Popen[str]]:
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen(project.command("run"), cwd=project.root, env={**project.environ, **environ}, **pipes) as run:  # type: ignore[call-overload]
        try:
            yield run
        finally:
            run.kill()


def test_an_engine_whose_socket_is_missing_is_said_at_once(small: Checkout, tmp_path: Path) -> None:
    environ = dagger(tmp_path, "exec sleep 600") | {"_EXPERIMENTAL_DAGGER_RUNNER_HOST": f"unix://{tmp_path}/none.sock"}
    began = time.monotonic()
    ended = small.run(**environ, timeout_s=60)
    assert ended.code == 4
    assert f"unix://{tmp_path}/none.sock" in ended.stderr
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_session_that_never_opens_is_left_at_the_first_signal(small: Checkout, tmp_path: Path, signum: signal.Signals) -> None:
    with running(small, **dagger(tmp_path, "trap '' TERM\nwhile :; do sleep 1; done")) as run:
        assert until((tmp_path / "pid").exists, 60)
        assert until(lambda: (tmp_path / "pid").read_text().endswith("\n"), 60)
        run.send_signal(signum)
        output, _ = run.communicate(timeout=60)
    assert run.returncode == 128 + signum, output
    assert record(small)["run"]["exit_code"] == 128 + signum
    pid = int((tmp_path / "pid").read_text())
    assert until(lambda: not Path(f"/proc/{pid}").exists(), 20)


@pytest.mark.parametrize("what", ["session", "engine"])
def test_an_engine_that_goes_away_in_the_middle_of_a_step(
    small: Checkout, tmp_path: Path, address: tuple[str, socket.socket], what: str
) -> None:
    host, sock = address
    environ = dagger(tmp_path, f'exec {ENGINE} "$@"') | {"_EXPERIMENTAL_DAGGER_RUNNER_HOST": host}
    with running(small, **environ) as run:
        assert until(lambda: bool(processes("4219")), 200)
        began = time.monotonic()
        if what == "session":
            os.killpg(int((tmp_path / "pid").read_text()), signal.SIGKILL)
        else:
            sock.close()
        output, _ = run.communicate(timeout=60)
    assert run.returncode == 4, output
    assert time.monotonic() - began < 30
    document = record(small)
    assert document["run"]["exit_code"] == 4
    assert {step["id"]: (step["status"], step["error_kind"]) for step in document["steps"]}["test.long"] == ("error", "unavailable")
    assert until(lambda: not processes("4219"), 20)

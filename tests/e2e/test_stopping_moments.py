"""A run is stopped at whatever moment: what it started ends with it, and a push that was under way names nothing."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.e2e.registries import Stalling
from tests.e2e.test_stopping import processes, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.e2e.conftest import Checkout

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.registry, pytest.mark.timeout(300)]

DOCKERFILE = "ARG BASE\nFROM $BASE\nRUN mkdir /reports\n"
CONFIG = '[project]\nname = "small"\n[images.app]\nbase = "python"\n'
STUBBORN = "[tests.long]\nimage = 'app'\ncommand = ['sh', '-c', '''trap '' TERM INT; echo at-work; while :; do sleep 4223; done''']\n"
SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER, prctl(2)


class Stopped(NamedTuple):
    code: int
    stdout: str
    stderr: str


@pytest.fixture
def nursery() -> Iterator[None]:
    """Whatever a run leaves behind becomes a child of this process, and is found."""
    become_subreaper(yes=True)
    before = living()
    yield
    gone = until(lambda: not living() - before, 15)
    told = [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in living() - before]
    become_subreaper(yes=False)
    assert gone, told


def become_subreaper(*, yes: bool) -> None:
    prctl: Callable[..., int] = ctypes.CDLL(None, use_errno=True).prctl
    assert prctl(SUBREAPER, int(yes), 0, 0, 0) == 0


def living() -> set[int]:
    """Children of this process that are no zombies."""
    tasks = Path("/proc/self/task").iterdir()
    pids = {int(pid) for task in tasks for pid in (task / "children").read_text().split()}
    return {pid for pid in pids if _state(pid) not in {"Z", "X", ""}}


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


@contextmanager
def started(project: Checkout, *words: str) -> Iterator[subprocess.Popen[str]]:
    pipe = subprocess.PIPE
    command = project.command("run", "--json", *words)
    with subprocess.Popen(command, cwd=project.root, env=project.environ, stdout=pipe, stderr=pipe, text=True) as run:
        yield run


def hear(run: subprocess.Popen[str], word: str) -> None:
    """Wait for a line of progress."""
    assert run.stderr is not None
    assert any(word in line for line in run.stderr), f"never said: {word}"


def stop(run: subprocess.Popen[str], signum: signal.Signals) -> Stopped:
    began = time.monotonic()
    run.send_signal(signum)
    stdout, stderr = run.communicate(timeout=60)
    assert time.monotonic() - began < 30
    assert "Traceback" not in stderr
    return Stopped(run.returncode, stdout, stderr)


@pytest.mark.usefixtures("nursery")
@pytest.mark.parametrize(("signum", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)])
def test_while_the_engine_starts(make: Callable[..., Checkout], signum: signal.Signals, code: int) -> None:
    project = make(lockgate_dot_toml=CONFIG, Dockerfile=DOCKERFILE)
    with started(project) as run:
        hear(run, "small: 1 step")
        stopped = stop(run, signum)
    assert stopped.code == code
    assert '"status": "cancelled"' in stopped.stdout


@pytest.mark.usefixtures("nursery")
def test_while_an_image_is_built(make: Callable[..., Checkout]) -> None:
    project = make(lockgate_dot_toml=CONFIG, Dockerfile=DOCKERFILE + "RUN sleep 4221\n")
    with started(project) as run:
        assert until(lambda: bool(processes("4221")), 60)
        stopped = stop(run, signal.SIGTERM)
    assert stopped.code == 143
    assert until(lambda: not processes("4221"), 10)
    assert (project.root / ".lockgate/reports/junit.xml").is_file()


@pytest.mark.usefixtures("nursery")
@pytest.mark.parametrize(("signum", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_while_an_image_is_pushed(make: Callable[..., Checkout], signum: signal.Signals, code: int) -> None:
    with Stalling() as registry:
        publish = f'[registry]\nurl = "{registry.address}"\n[publish]\nwhen = "always"\n'
        project = make(lockgate_dot_toml=CONFIG + publish, Dockerfile=DOCKERFILE)
        with started(project) as run:
            assert registry.uploading.wait(60)
            stopped = stop(run, signum)
    assert stopped.code == code
    assert '"status": "passed"' in stopped.stdout  # the image
    assert '"published": true' not in stopped.stdout
    assert not [path for method, path in registry.asked if method == "PUT"]
    assert not processes(registry.address)


@pytest.mark.usefixtures("nursery")
def test_a_second_ctrl_c_ends_it_at_once(make: Callable[..., Checkout]) -> None:
    project = make(lockgate_dot_toml=CONFIG + STUBBORN, Dockerfile=DOCKERFILE)
    with started(project, "--verbose") as run:
        hear(run, "at-work")
        run.send_signal(signal.SIGINT)
        hear(run, "a second signal kills at once")
        stopped = stop(run, signal.SIGINT)
    assert stopped.code == 130
    assert until(lambda: not processes("4223"), 10)


@pytest.mark.usefixtures("nursery")
def test_an_engine_that_is_killed_is_told_and_leaves_nothing(make: Callable[..., Checkout]) -> None:
    project = make(lockgate_dot_toml=CONFIG + STUBBORN, Dockerfile=DOCKERFILE)
    with started(project, "--verbose") as run:
        hear(run, "at-work")
        (engine,) = (int(pid) for pid in Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split())
        os.kill(engine, signal.SIGKILL)
        stdout, stderr = run.communicate(timeout=60)
    assert run.returncode == 4, stderr
    assert '"error_kind": "unavailable"' in stdout
    assert "Traceback" not in stderr
    assert until(lambda: not processes("4223"), 10)

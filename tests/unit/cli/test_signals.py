"""Signals are sent to real processes: nothing else tells the truth about them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STEPS = """
from __future__ import annotations

import sys

import anyio

from pipelines import Check, Verdict, pipeline


@pipeline.step
async def slow(ctx: StepContext) -> Check:
    ctx.log("at work\\n")
    try:
        await anyio.sleep(60)
    finally:
        STUBBORN
    return Check(verdict=Verdict.PASS)
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []

    def run(*words: str, stubborn: bool = False) -> subprocess.Popen[str]:
        (tmp_path / "lockgate.toml").write_text('[project]\nname = "demo"\n')
        last_words = 'import time; print("stubborn", file=sys.stderr, flush=True); time.sleep(60)' if stubborn else "pass"
        (tmp_path / "lockgate.py").write_text(STEPS.replace("STUBBORN", last_words))
        process = subprocess.Popen(
            [sys.executable, "-m", "pipelines", "run", "-v", *words],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def wait_for(process: subprocess.Popen[str], words: str) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if words in line:
            return
    pytest.fail(f"ended without {words!r}")


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_the_first_signal_stops_the_run_and_leaves_its_report(
    start: Callable[..., subprocess.Popen[str]], tmp_path: Path, signum: int, code: int
) -> None:
    process = start("--json")
    wait_for(process, "at work")
    process.send_signal(signum)
    out, err = process.communicate(timeout=30)
    assert process.returncode == code
    document = json.loads(out)
    assert (document["run"]["exit_code"], document["steps"][0]["status"]) == (code, "cancelled")
    assert json.loads((tmp_path / ".lockgate" / "reports" / "run.json").read_text()) == document
    assert "stopping, within 10 s; a second signal kills at once" in err


def test_the_second_signal_ends_it_at_once_and_its_record_says_so(start: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> None:
    process = start(stubborn=True)
    wait_for(process, "at work")
    process.send_signal(signal.SIGINT)
    wait_for(process, "stubborn")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    record = json.loads((tmp_path / ".lockgate" / "runs" / "latest" / "run.json").read_text())
    assert (record["run"]["end"], record["run"]["exit_code"], record["steps"][0]["status"]) == ("killed", 130, "cancelled")


def test_a_signal_ignored_from_outside_stays_ignored(tmp_path: Path) -> None:
    code = (
        "import asyncio, os, signal\n"
        "from pipelines.cli.signals import stopping\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "async def main():\n"
        "    with stopping(print, print, overdue=print, patience_s=60):\n"
        "        os.kill(os.getpid(), signal.SIGHUP)\n"
        "        return signal.getsignal(signal.SIGHUP) is signal.SIG_IGN\n"
        "assert asyncio.run(main())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_a_stop_that_is_ignored_ends_by_itself() -> None:
    code = (
        "import asyncio, os, signal, sys\n"
        "from pipelines.cli.signals import stopping\n"
        "def say(*words): print(*words, flush=True)\n"
        "async def main():\n"
        "    with stopping(print, lambda signum: say('killed', signum), overdue=lambda: say('overdue'), patience_s=0.05):\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n"
        "        signal.pause()\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stdout) == (143, "overdue\nkilled 15\n")


def test_a_stop_in_time_is_not_overdue() -> None:
    code = (
        "import asyncio, os, signal, threading\n"
        "from pipelines.cli.signals import stopping\n"
        "async def main():\n"
        "    stopped = asyncio.Event()\n"
        "    with stopping(lambda _: stopped.set(), print, overdue=print, patience_s=600):\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n"
        "        await stopped.wait()\n"
        "        timer = threading.enumerate()[-1]\n"
        "    timer.join(10)\n"
        "    assert not timer.is_alive()\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


JUST_BEFORE_THE_WAIT = """
import asyncio, ctypes, functools, operator, select, selectors, signal
from pipelines.cli.signals import stopping

class Selector(selectors.SelectSelector):  # raises a signal and waits without a step of Python between them, once
    def __init__(self):
        super().__init__()
        self.raises = [functools.partial(ctypes.CDLL(None)["raise"], signal.SIGTERM)]

    def _select(self, read, write, _, timeout=None):
        first = [self.raises.pop()] if self.raises and timeout is None else []
        return list(map(operator.call, [*first, functools.partial(select.select, read, write, [], timeout)]))[-1]

async def main():
    stopped = asyncio.Event()
    with stopping(lambda _: stopped.set(), lambda _: None, overdue=lambda: None, patience_s=60):
        await stopped.wait()

with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(Selector())) as runner:
    runner.run(main())
"""


def test_a_signal_that_comes_just_before_the_loop_waits_is_handled_at_once() -> None:
    done = subprocess.run([sys.executable, "-c", JUST_BEFORE_THE_WAIT], timeout=30, check=False)
    assert done.returncode == 0

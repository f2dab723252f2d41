from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ci.machine import process

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        yield child
        child.kill()


def test_a_start_time_is_one_process(child: subprocess.Popen[bytes]) -> None:
    mine, other = process.started(os.getpid()), process.started(child.pid)
    assert mine is not None
    assert other is not None
    assert mine == process.started(os.getpid())


def test_a_name_with_brackets_and_spaces_is_read_past(tmp_path: Path) -> None:
    (tmp_path / "sys/kernel/random").mkdir(parents=True)
    (tmp_path / "sys/kernel/random/boot_id").write_text("boot\n")
    (tmp_path / "7").mkdir()
    (tmp_path / "7/stat").write_text("7 (a) S 1 (b) R " + " ".join(str(field) for field in range(4, 53)))
    assert process.started(7, tmp_path) == "boot/22"  # field 22 of proc_pid_stat(5)


def test_no_process_and_a_zombie_have_none(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # dead, not yet reaped
    assert process.started(child.pid) is None
    child.wait()
    assert process.started(child.pid) is None


def test_stop_ends_exactly_that_process(child: subprocess.Popen[bytes]) -> None:
    start = process.started(child.pid)
    assert start is not None
    assert not process.stop(child.pid, f"{start}0")
    assert child.poll() is None
    assert process.stop(child.pid, start)
    assert child.wait() == -15
    assert not process.stop(child.pid, start)


def test_stop_kills_what_does_not_listen() -> None:
    script = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as deaf:
        assert deaf.stdout is not None
        deaf.stdout.readline()
        start = process.started(deaf.pid)
        assert start is not None
        assert process.stop(deaf.pid, start, grace_s=0.2)
        assert deaf.wait() == -9

"""The jail, in processes of its own: a test that entered one could not leave it.

Each runs as the user who runs the tests, and once more in a user namespace; where namespaces are refused it is skipped.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.engine.embedded import jail
from pipelines.engine.embedded.errors import EmbeddedUnavailable

LIMIT = 30  # seconds until a test that hangs fails
PROGRAM = """
import json, os, subprocess, sys
from pipelines.engine.embedded import jail, kernel
from pipelines.engine.embedded.errors import InvalidInput, EmbeddedUnavailable

def say(value):
    os.write(1, json.dumps(value).encode() + b"\\n")

def inside(cell):
{inside}

{before}
try:
    jailed = jail.start(inside, sys.argv[1], rootless=sys.argv[2] == "rootless")
    jailed.ready()
except EmbeddedUnavailable as error:
    sys.exit(f"unavailable: {{error}}")
say(jailed.pid)
{outside}
sys.exit(jailed.wait() % 256)
"""
SHARED_MOUNTS = """
try:  # as on most machines: what is mounted in one place shows in the others
    kernel.unshare(kernel.CLONE_NEWNS)
    kernel.mount("none", "/", flags=kernel.MS_REC | kernel.MS_SHARED)
except PermissionError:
    pass
"""
Spawn = Callable[..., "Jail"]


class Jail:
    """A program that has started a jail. What it says comes line by line: the pid of process 1 first, unless the inside was quicker."""

    def __init__(self, program: str, run_dir: Path, mode: str, fds: tuple[int, ...]) -> None:
        command = [sys.executable, "-c", program, str(run_dir), mode]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=fds)

    def said(self) -> list[Any]:
        """All it says until its end."""
        out, err = self.process.communicate(timeout=LIMIT)
        self.skip_if_refused(err)
        assert not err, err.decode()
        return [json.loads(line) for line in out.splitlines()]

    def skip_if_refused(self, err: bytes) -> None:
        if err.startswith(b"unavailable"):
            pytest.skip(err.decode())

    @property
    def code(self) -> int:
        return self.process.wait(LIMIT)


@pytest.fixture(params=["root", "rootless"])
def spawn(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Spawn]:
    jails: list[Jail] = []

    def start(inside: str, outside: str = "", before: str = "", fds: tuple[int, ...] = ()) -> Jail:
        indented = "\n".join("    " + line for line in (*inside.strip().splitlines(), "return 0"))
        program = PROGRAM.format(inside=indented, outside=outside, before=before)
        jails.append(Jail(program, tmp_path / "run", request.param, fds))
        return jails[-1]

    yield start
    for one in jails:
        with one.process as process:
            process.kill()


def test_a_folder_that_cannot_be_made_is_named_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EmbeddedUnavailable, match=r"cannot make .*/file/run: Not a directory; set LOCKGATE_CACHE"):
        jail.start(lambda _: 0, str(tmp_path / "file" / "run"))


def test_the_inside_sees_only_itself(spawn: Spawn) -> None:
    said = spawn("say([os.getpid(), sorted(int(one) for one in os.listdir('/proc') if one.isdecimal())])").said()
    assert [2, [1, 2]] in said


def test_container_tools_are_told_who_the_user_is(spawn: Spawn) -> None:
    said = spawn("say([cell.rootless, os.getuid(), os.environ.get('_CONTAINERS_ROOTLESS_UID')])").said()
    assert [True, 0, str(os.getuid())] in said or [False, 0, None] in said


def test_the_result_is_the_exit_code(spawn: Spawn) -> None:
    one = spawn("return 7")
    one.said()
    assert one.code == 7


@pytest.mark.parametrize(("error", "code"), [("EmbeddedUnavailable", 4), ("InvalidInput", 1)])
def test_an_error_is_one_line(spawn: Spawn, error: str, code: int) -> None:
    one = spawn(f"raise {error}('a clear word')")
    _, err = one.process.communicate(timeout=LIMIT)
    one.skip_if_refused(err)
    assert err == b"engine: a clear word\n"
    assert one.code == code


def test_a_defect_shows_where(spawn: Spawn) -> None:
    one = spawn("return 1 // 0")
    _, err = one.process.communicate(timeout=LIMIT)
    one.skip_if_refused(err)
    assert b"ZeroDivisionError" in err
    assert one.code == 70


def test_run_time_state_is_in_memory_and_nobody_elses(spawn: Spawn, tmp_path: Path) -> None:
    said = spawn("""
open(sys.argv[1] + "/secret", "w").close()
say([line.split()[2] for line in open("/proc/self/mounts") if line.split()[1] == sys.argv[1]])
""").said()
    assert ["tmpfs"] in said
    assert list((tmp_path / "run").iterdir()) == []


def test_modes_do_not_depend_on_the_callers_mask(spawn: Spawn) -> None:
    previous = os.umask(0o077)
    try:
        one = spawn("say(['umask', os.umask(0)])")
    finally:
        os.umask(previous)
    assert ["umask", 0o022] in one.said()


def test_mounts_inside_do_not_show_outside(spawn: Spawn, tmp_path: Path) -> None:
    target = tmp_path / "mounted"
    target.mkdir()
    said = spawn(
        f"""
kernel.mount("tmpfs", {str(target)!r}, "tmpfs")
open({str(target / "file")!r}, "w").close()
say("mounted")
os.write(mounted, b"1")
""",
        f"os.read(told, 1); say(os.listdir({str(target)!r}))",
        before=SHARED_MOUNTS + "told, mounted = os.pipe()",
    ).said()
    assert "mounted" in said
    assert [] in said


def test_it_stops_when_asked(spawn: Spawn) -> None:
    one = spawn("os.read(cell.stop, 1)\nsay('stopping')\nreturn 3", "jailed.stop(); jailed.stop()")
    assert "stopping" in one.said()
    assert one.code == 3


def test_orphans_are_reaped_and_own_children_are_left_to_their_parent(spawn: Spawn) -> None:
    said = spawn("""
import select
orphans = []
for code in range(20):
    script = "(exec sleep 0 &) ; exit $0"
    assert subprocess.run(["sh", "-c", script, str(code)]).returncode == code
def zombies():
    found = []
    for one in filter(str.isdecimal, os.listdir("/proc")):
        try:
            state, parent = open(f"/proc/{one}/stat").read().rpartition(")")[2].split()[:2]
        except FileNotFoundError:
            continue
        if parent == "1" and one != "2":
            found.append(one)
    return found
for _ in range(1000):
    if not zombies():
        break
    select.select([], [], [], 0.01)
say(zombies())
""").said()
    assert [] in said


FAMILY = """
fd = {fd}
subprocess.Popen(["sleep", "1000"], pass_fds=[fd])
subprocess.run(["sh", "-c", "setsid sleep 1000 & exit 0"], pass_fds=[fd])
os.close(fd)
say("up")
import time
time.sleep(1000)  # it does not stop by itself, whatever it is told
"""


@pytest.mark.parametrize("victim", ["caller", "process 1", "engine"])
def test_kill_9_of_any_process_ends_all_of_them(spawn: Spawn, victim: str) -> None:
    """Every process inside holds a pipe open: its end of file is the end of them all."""
    alive, held = os.pipe()
    one = spawn(FAMILY.format(fd=held), f"os.close({held})", fds=(held,))
    os.close(held)
    assert one.process.stdout is not None
    said = [json.loads(line) for _ in range(2) if (line := one.process.stdout.readline())]
    if len(said) < 2:
        _, err = one.process.communicate(timeout=LIMIT)
        one.skip_if_refused(err)
    first = next(value for value in said if isinstance(value, int))
    pids = {"caller": one.process.pid, "process 1": first, "engine": child_of(first)}
    os.kill(pids[victim], signal.SIGKILL)
    with os.fdopen(alive, "rb") as pipe:
        assert pipe.read() == b""
    assert one.code in {-signal.SIGKILL, 256 - signal.SIGKILL, 128 + signal.SIGKILL}


def child_of(pid: int) -> int:
    """The first child of a process: the engine, of process 1."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
            except OSError:
                continue
            if parent == str(pid):
                found.append(int(entry.name))
    return min(found)

"""However a command ends, nothing of it is left."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipelines.engine.embedded import kernel
from pipelines.engine.embedded.sandbox.cgroups.cgroups import sweep
from pipelines.engine.embedded.sandbox.cgroups.controllers import own_path
from tests.integration.engine.machine import processes_of, processes_with

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.engine.embedded.sandbox.spec import Stream
    from tests.integration.engine.machine import Box

pytestmark = pytest.mark.root


class Ready:
    """Set when a command has said `ready`."""

    def __init__(self) -> None:
        self.said = asyncio.Event()

    def __call__(self, stream: Stream, data: bytes) -> None:
        if b"ready" in data:
            self.said.set()


def left(box: Box) -> list[Path]:
    """What containers leave behind when they are not tidied: bundles, runtime state, cgroups."""
    state = box.folder / "state"
    folders = [state / "bundles", state / "runtime", Path("/sys/fs/cgroup")]
    return [entry for folder in folders for entry in folder.iterdir() if entry.is_dir()]


async def cancelled(box: Box, script: str, *, init: bool = True) -> float:
    """Cancel a script once it is ready; returns the seconds it took to end. It and all its children are gone then."""
    ready = Ready()
    task = asyncio.ensure_future(box.sh(script, on_output=ready, init=init))
    await ready.said.wait()
    loop = asyncio.get_running_loop()
    started = loop.time()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert left(box) == []
    return loop.time() - started


@pytest.mark.parametrize("init", [True, False])
async def test_a_cancelled_command_ends_at_once(box: Box, init: bool) -> None:
    assert await cancelled(box, "sleep 1000 & sleep 1000 & echo ready; wait", init=init) < 1


async def test_an_interrupted_command_may_say_good_bye(box: Box) -> None:
    ready = Ready()
    script = "trap 'echo bye > /tmp/said; exit' INT; echo ready; while :; do sleep 0.01; done"
    running = await box.runtime.start(box.spec("sh", "-c", script), ready)
    await ready.said.wait()
    await running.interrupt(grace=20)
    assert (box.rootfs / "tmp/said").read_text() == "bye\n"


async def test_a_cancelled_command_that_does_not_listen_is_killed_soon(box: Box) -> None:
    """A Dagger engine kills at once; a stop there takes 0.2 s."""
    assert await cancelled(box, "trap '' INT TERM; echo ready; while :; do sleep 0.1; done") < 1.5


async def test_cancelling_while_it_starts_leaves_nothing(box: Box) -> None:
    await box.runtime.prepare()
    for steps in range(12):
        task = asyncio.ensure_future(box.sh("sleep 1000"))
        for _ in range(steps):
            await asyncio.sleep(0.002)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert left(box) == []


async def test_children_left_behind_end_with_the_command(box: Box) -> None:
    forever = f"1000.{os.getpid()}"
    result = await box.sh(f"(setsid sleep {forever} > /dev/null 2>&1 &) ; echo done")
    assert result.stdout == "done\n"
    assert processes_with(forever) == []
    assert left(box) == []


async def test_closing_the_runtime_kills_what_runs(box: Box) -> None:
    ready = Ready()
    running = await box.runtime.start(box.spec("sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done"), ready)
    await ready.said.wait()
    await box.runtime.close()
    assert (await running.wait()).signal == signal.SIGKILL
    assert not Path(f"/proc/{running.pid}").exists()


async def test_stopping_asks_first_and_then_kills(box: Box) -> None:
    ready = Ready()
    polite = await box.runtime.start(box.spec("sh", "-c", "trap 'exit 4' TERM; echo ready; while :; do sleep 0.01; done"), ready)
    await ready.said.wait()
    assert (await polite.stop()).code == 4
    deaf = Ready()
    stubborn = await box.runtime.start(box.spec("sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.01; done", init=False), deaf)
    await deaf.said.wait()
    assert (await stubborn.stop(grace=0.2)).signal == signal.SIGKILL


async def test_eight_at_once_take_hardly_longer_than_one(box: Box) -> None:
    loop = asyncio.get_running_loop()
    started = loop.time()
    results = await asyncio.gather(*(box.sh(f"sleep 0.5; echo {number}") for number in range(8)))
    assert [result.stdout for result in results] == [f"{number}\n" for number in range(8)]
    assert loop.time() - started < 2


async def test_another_command_in_a_running_container(box: Box) -> None:
    running = await box.runtime.start(box.spec("sleep", "1000", env=("A=1",)))
    said: list[bytes] = []
    result = await running.exec(("sh", "-c", "echo $A; cat /proc/1/cmdline; exit 3"), lambda _, data: said.append(data))
    assert result.code == 3
    assert b"".join(said).startswith(b"1\n")
    assert b"sleep" in b"".join(said)
    await running.kill()


SESSION = """
import asyncio, os, sys
from pathlib import Path
from pipelines.engine.embedded import jail
from pipelines.engine.embedded.network.switch import Switch
from pipelines.engine.embedded.sandbox.runtime import Runtime
from pipelines.engine.embedded.sandbox.spec import Bind, ContainerSpec

def inside(cell):
    asyncio.run(serve())
    return 0

async def serve():
    folder = Path(sys.argv[1])
    (folder / "state").mkdir()
    binds = []
    for name in ("usr", "bin", "lib", "lib64"):
        (folder / "rootfs" / name).mkdir(parents=True)
        if Path("/", name).exists():
            binds.append(Bind(Path("/", name), "/" + name, readonly=True))
    runtime = Runtime(folder / "state")
    async with Switch.open(folder) as switch:
        spec = ContainerSpec(folder / "rootfs", ("sleep", "1000"), mounts=tuple(binds), network=await switch.lease())
        running = await runtime.start(spec)
        os.write(running_pipe, b"running")
        await running.wait()

ready, running_pipe = os.pipe()
jailed = jail.start(inside, sys.argv[1])
jailed.ready()
os.read(ready, 7)
print(jailed.pid, flush=True)
jailed.wait()
"""


@pytest.fixture
def hierarchy(private_mounts: Path, tmp_path: Path) -> Iterator[Path]:
    """All cgroups of the machine."""
    (tmp_path / "cgroup").mkdir()
    kernel.mount("cgroup2", tmp_path / "cgroup", "cgroup2")
    yield tmp_path / "cgroup" / own_path(Path("/proc/self/cgroup").read_text())
    kernel.umount(tmp_path / "cgroup")


@pytest.mark.parametrize("victim", ["front", "process 1", "engine"])
def test_killing_a_session_ends_everything_and_the_next_one_sweeps(tmp_path: Path, victim: str, hierarchy: Path) -> None:
    front = subprocess.Popen([sys.executable, "-c", SESSION, str(tmp_path / "run")], stdout=subprocess.PIPE, text=True)
    assert front.stdout is not None
    one = int(front.stdout.readline())
    namespace = str(Path(f"/proc/{one}/ns/pid").readlink())
    engine = int(Path(f"/proc/{one}/task/{one}/children").read_text().split()[0])
    assert len(processes_of(namespace)) >= 2
    held = [entry.readlink() for entry in Path(f"/proc/{engine}/fd").iterdir()]
    (cgroup,) = (path.name for path in held if path.name.startswith("lockgate-") and "cgroup" in path.parts)
    assert (hierarchy / cgroup).is_dir()
    jail = os.pidfd_open(one)
    os.kill({"front": front.pid, "process 1": one, "engine": engine}[victim], signal.SIGKILL)
    assert select.select([jail], [], [], 10)[0] == [jail]
    os.close(jail)
    front.communicate()
    assert processes_of(namespace) == []
    assert str(tmp_path / "run") not in Path("/proc/mounts").read_text()
    sweep(hierarchy)
    assert not (hierarchy / cgroup).exists()

"""What may happen to a store: its process killed at any instant, several processes at it, no space left."""

from __future__ import annotations

import asyncio
import json
import os
import random
import select
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from pipelines.engine.embedded import kernel
from pipelines.engine.embedded.errors import DiskFull, EmbeddedUnavailable
from pipelines.engine.embedded.store.snapshot import SCRATCH, Snapshot
from pipelines.engine.embedded.store.space.reserve import RESERVE
from pipelines.engine.embedded.store.store import Store
from tests.integration.engine.store_trees import read_tree

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.root

# Commits chains of layers as fast as it can and says on stdout, before and after, what it is doing. Its own mounts: a kill leaves none.
WORKER = """
import asyncio, json, os, sys
from pathlib import Path
from pipelines.engine.embedded import kernel
kernel.unshare(kernel.CLONE_NEWNS)
kernel.make_private()
from pipelines.engine.embedded.store.snapshot import SCRATCH, Snapshot
from pipelines.engine.embedded.store.store import Store

async def main(root, who, chains, length):
    with Store.open(Path(root), rootless=False) as store:
        for chain in range(chains):
            snapshot = SCRATCH
            for index in range(length):
                key = f"{who}-{chain}-{index}"
                async with store.lock(key):
                    known = store.get(key)
                    if known is None:
                        with store.draft(snapshot) as draft:
                            path = draft.mount()
                            (path / f"f{index}").write_text(f"{who}-{chain} at {index}")
                            if index:
                                (path / f"f{index - 1}").unlink()
                            made = draft.commit(key)
                        output = store.new_output()
                        output.write_text(os.urandom(8).hex())
                        known = {"layers": made.layers, "output": output.name, "said": output.read_text()}
                        store.put(key, known, layers=made.layers, outputs=[output.name], alias=[f"alias of {key}"])
                    print(json.dumps([key, known]), flush=True)
                    snapshot = Snapshot(key, tuple(known["layers"]))

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
"""


def worker(root: Path, who: str, chains: int, length: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", WORKER, str(root), who, str(chains), str(length)], stdout=subprocess.PIPE)


def check(store: Store, key: str) -> None:
    """A result is either not there or true in every part."""
    known = store.get(key)
    if known is None:
        return
    who, chain, index = key.rsplit("-", 2)
    with store.view(Snapshot(key, tuple(known["layers"]))) as view:
        assert read_tree(view.path) == {f"f{index}": f"file:{who}-{chain} at {index}"}
    assert store.output_path(known["output"]).read_text() == known["said"]
    assert store.get(f"alias of {key}") == known


def check_rest(store: Store) -> None:
    """Nothing is left of dead sessions: what is there is used, and is named."""
    assert [path.name for path in (store.root / "tmp").iterdir()] == [store.workspace.token]
    with store.workspace.index.reading() as db:
        named = {name for (name,) in db.execute("SELECT name FROM objects WHERE kind != 'volume'")}
        used = {name for (name,) in db.execute("SELECT name FROM uses")}
    assert named == used
    assert {f"{kind}/{path.name}" for kind in ("l", "outputs", "blobs/sha256") for path in (store.root / kind).iterdir()} == named


def killed_after(process: subprocess.Popen[bytes], delay: float) -> list[str]:
    """The lines a process said until it was killed, `delay` seconds after its first."""
    assert process.stdout is not None
    lines = [process.stdout.readline()]
    deadline = time.monotonic() + delay
    while (left := deadline - time.monotonic()) > 0 and select.select([process.stdout], [], [], left)[0]:
        lines.append(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    lines += process.stdout.readlines()
    process.wait()
    process.stdout.close()
    return [line.decode() for line in lines if line.endswith(b"\n")]


def crash(root: Path, times: int, seed: int) -> None:
    chance, done = random.Random(seed), 0
    for attempt in range(times):
        lines = killed_after(worker(root, f"w{attempt}", 1000, 8), chance.uniform(0, 0.25))
        said = dict(json.loads(line) for line in lines)
        with Store.open(root, rootless=False) as store:
            store.wait_until_swept()
            for key, known in said.items():
                assert store.get(key) == known  # what was put is there
            for chain in range(len(said) // 8 + 2):
                for index in range(8):
                    check(store, f"w{attempt}-{chain}-{index}")
            check_rest(store)
        done += len(said)
    assert done > times


def test_a_store_whose_process_is_killed_at_any_instant_lies_about_nothing(private_mounts: Path, tmp_path: Path) -> None:
    crash(tmp_path / "store", times=8, seed=time.time_ns())


@pytest.mark.slow
def test_a_hundred_kills(private_mounts: Path, tmp_path: Path) -> None:
    crash(tmp_path / "store", times=100, seed=time.time_ns())


def one_session(root: Path) -> None:
    """Everything a session does that changes a store."""
    with Store.open(root, rootless=False) as store:
        snapshot = SCRATCH
        for index in range(2):
            with store.draft(snapshot) as draft:
                (draft.mount() / f"f{index}").write_text(f"one-0 at {index}")
                if index:
                    (draft.mount() / f"f{index - 1}").unlink()
                snapshot = draft.commit(f"one-0-{index}")
            output = store.new_output()
            output.write_text("said")
            known = {"layers": snapshot.layers, "output": output.name, "said": "said"}
            store.put(f"one-0-{index}", known, layers=snapshot.layers, outputs=[output.name], alias=[f"alias of one-0-{index}"])
        blob = store.blobs.add(lambda path: path.write_bytes(b"blob"))
        store.put("blob", {"digest": blob}, blobs=[blob])
        asyncio.run(use_volume(store))


async def use_volume(store: Store) -> None:
    async with store.volume("volume") as path:
        (path / "x").write_text("x")


def one_collection(root: Path) -> None:
    with Store.open(root, rootless=False) as store:
        store.gc(0)


def killed_at(point: int, work: Callable[[Path], None], root: Path) -> bool:
    """Have a child do `work` and die before its call number `point` into C (the system calls among them); whether it got there."""
    child = os.fork()
    if child:
        status = os.waitpid(child, 0)[1]
        assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
        return os.WIFSIGNALED(status)
    calls = 0

    def count(_: object, event: str, __: object) -> None:
        nonlocal calls
        calls += event == "c_call"
        if calls == point:
            os.kill(os.getpid(), signal.SIGKILL)

    try:
        kernel.unshare(kernel.CLONE_NEWNS)
        sys.setprofile(count)
        work(root)
        os._exit(0)
    finally:
        os._exit(1)


def check_all(root: Path) -> None:
    with Store.open(root, rootless=False) as store:
        store.wait_until_swept()
        for index in range(2):
            check(store, f"one-0-{index}")
        if known := store.get("blob"):
            found = store.blobs.find(known["digest"])
            assert found is not None
            assert found.read_bytes() == b"blob"
        check_rest(store)


def crash_step_by_step(root: Path, stride: int) -> None:
    """Die at every `stride`th call of a session and of a collection, over and over in one store that nobody repairs but itself."""
    for work in (one_session, one_collection):
        point = 1 + random.randrange(stride)
        while killed_at(point, work, root):
            check_all(root)
            point += stride
        check_all(root)


def test_a_session_killed_before_any_of_its_calls_leaves_a_store_that_is_right(private_mounts: Path, tmp_path: Path) -> None:
    crash_step_by_step(tmp_path / "store", stride=97)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_session_killed_before_every_single_call(private_mounts: Path, tmp_path: Path) -> None:
    crash_step_by_step(tmp_path / "store", stride=1)


def test_processes_that_hammer_one_store_get_the_same_answers(private_mounts: Path, tmp_path: Path) -> None:
    processes = [worker(tmp_path / "store", "shared", 6, 10) for _ in range(3)]
    outputs = [process.communicate(timeout=100)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    answers = [sorted(output.decode().splitlines()) for output in outputs]
    assert answers[0] == answers[1] == answers[2]
    assert len(answers[0]) == 60
    with Store.open(tmp_path / "store", rootless=False) as store:
        for chain in range(6):
            for index in range(10):
                check(store, f"shared-{chain}-{index}")


def test_a_full_disk_is_one_clean_error_and_the_store_goes_on(private_mounts: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    kernel.mount("tmpfs", disk, "tmpfs", data="size=7m")
    try:
        with Store.open(disk / "store", rootless=False) as store:
            with store.draft(SCRATCH) as draft:
                (draft.mount() / "kept").write_bytes(b"x" * (1 << 20))
                kept = draft.commit("kept")
            store.put("kept", {"layers": kept.layers}, layers=kept.layers)
            filler = disk / "filler"
            with pytest.raises(DiskFull, match=r"no space left on the disk of .*lockgate-engine gc"):
                store.add_layer(lambda root: (root / "big").write_bytes(b"x" * (4 << 20)), "big")
            fill_up(filler)
            with pytest.raises(DiskFull):
                store.blobs.add(lambda path: path.write_bytes(b"x" * (1 << 20)))
            with pytest.raises(DiskFull):
                store.put("many", {"text": "x" * (1 << 20)})
            assert store.get("many") is None
            assert store.get("kept") == {"layers": list(kept.layers)}
            with store.view(kept) as view:
                assert (view.path / "kept").stat().st_size == 1 << 20
            filler.unlink()
            store.put("after", {"text": "x" * 1000})
        with Store.open(disk / "store", rootless=False) as store:
            assert store.get("after") == {"text": "x" * 1000}
            assert store.get("kept") is not None
            assert {path.name for path in (disk / "store" / "l").iterdir()} == set(kept.layers)
    finally:
        kernel.umount(disk, kernel.MNT_DETACH)


def test_a_store_on_a_disk_with_no_room_at_all_can_be_pruned(private_mounts: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    kernel.mount("tmpfs", disk, "tmpfs", data="size=12m")
    try:
        with Store.open(disk / "store", rootless=False) as store:
            for index in range(50):
                with store.draft(SCRATCH) as draft:
                    (draft.mount() / "f").write_bytes(b"x" * (1 << 16))
                    layers = draft.commit(f"{index}").layers
                store.put(f"key {index}", {"layers": layers}, layers=layers)
        fill_up(disk / "filler")
        with Store.open(disk / "store", rootless=False, scarce=True) as store:
            report = store.prune()
            assert (len(report.removed), report.kept) == (50, 0)
            assert (disk / "store" / "reserve").stat().st_size == RESERVE
    finally:
        kernel.umount(disk, kernel.MNT_DETACH)


def fill_up(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 12):
            try:
                while file.write(os.urandom(size)):
                    pass
            except OSError:
                continue


def test_a_store_on_a_read_only_file_system_is_said_with_the_way_out(private_mounts: Path) -> None:
    place = private_mounts / "read-only"
    place.mkdir()
    kernel.mount("tmpfs", place, "tmpfs")
    with Store.open(place / "store", rootless=False):
        pass
    kernel.mount("tmpfs", place, "tmpfs", kernel.MS_REMOUNT | kernel.MS_RDONLY)
    try:
        for root in (place / "store", place / "new"):
            with pytest.raises(
                EmbeddedUnavailable, match="cannot be used: its file system is read-only; set LOCKGATE_STORE to a folder that you own"
            ):
                Store.open(root, rootless=False)
    finally:
        kernel.umount(place, kernel.MNT_DETACH)

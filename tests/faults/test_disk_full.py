"""A full disk is one clear error; what the store had, it still has."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import dagger
import pytest

from pipelines.engine.embedded import kernel
from tests.faults.engine import PROGRAM, Engines

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

pytestmark = [pytest.mark.engine, pytest.mark.root]

ADVICE = r"^no space left on the disk of {}.*`lockgate-engine prune`, or move it by LOCKGATE_STORE$"
MEGABYTE = 10**6


@pytest.fixture
def disk(own_mounts: None, tmp_path: Path) -> Iterator[Path]:
    """A disk of 400 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    kernel.mount("tmpfs", folder, "tmpfs", data="size=400m")
    yield folder
    kernel.umount(folder, kernel.MNT_DETACH)


@pytest.fixture
def engines(disk: Path, tmp_path: Path) -> Iterator[Engines]:
    started = Engines(disk, tmp_path, {"LOCKGATE_STORE_BUDGET": "10GB"})
    yield started
    started.end()


@contextmanager
def filled(disk: Path, *, left: int = 0) -> Iterator[None]:
    """Somebody else takes all but `left` bytes."""
    filler = disk / "filler"
    try:
        with filler.open("wb", buffering=0) as file:
            seen = os.statvfs(disk)
            os.posix_fallocate(file.fileno(), 0, max(1, seen.f_bavail * seen.f_frsize - left))
        yield
    finally:
        filler.unlink()


def command(disk: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([PROGRAM, *words], env=os.environ | {"LOCKGATE_STORE": str(disk)}, capture_output=True, text=True, check=False)


def marked(client: dagger.Client, image: str) -> dagger.Container:
    """A command whose output differs each time it really runs."""
    return client.container().from_(image).with_exec(["sh", "-c", "date +%s%N; seq 100000 > /numbers"])


WRITES: dict[str, Callable[[dagger.Client, dagger.Container, Path], object]] = {
    "a command's files": lambda _, base, __: base.with_exec(["sh", "-ec", "head -c 50000000 /dev/zero > /f; sync"]).sync(),
    "a command's output": lambda _, base, __: base.with_exec(["head", "-c", "50000000", "/dev/zero"]).sync(),
    "a file": lambda client, _, __: client.directory().with_new_file("a", "x" * 20 * MEGABYTE).digest(),
    "a copy": lambda client, base, _: client.directory().with_directory("usr", base.directory("/usr")).digest(),
    "a host directory": lambda client, _, host: client.host().directory(str(host)).entries(),
    "a tarball": lambda _, base, __: base.as_tarball().size(),
    "an export": lambda _, base, host: base.directory("/usr").export(f"{host.parent}/disk/export"),
    "an exported file": lambda _, base, host: base.file("/bulk").export(f"{host.parent}/disk/exported"),
}


@pytest.mark.timeout(200)
async def test_every_way_to_fill_the_disk_is_one_clear_error_and_harms_nothing(
    engines: Engines, disk: Path, tmp_path: Path, image: str
) -> None:
    host = tmp_path / "host"
    host.mkdir()
    (host / "bulk").write_bytes(os.urandom(30 * MEGABYTE))
    engine = engines.start()
    async with engine.client() as client:
        before = await marked(client, image).stdout()
        base = client.container().from_(image).with_exec(["sh", "-c", "head -c 30000000 /dev/zero > /bulk"])
        await base.sync()
        with filled(disk, left=10 * MEGABYTE):
            for name, write in WRITES.items():
                with pytest.raises(dagger.QueryError) as caught:
                    await write(client, base, host)  # type: ignore[misc]
                expected = re.compile(ADVICE.format(re.escape(str(disk))))
                assert expected.match(str(caught.value)), f"{name}: {caught.value}"
            assert await marked(client, image).stdout() == before
        await base.with_exec(["sh", "-c", "head -c 50000000 /dev/zero > /f"]).sync()  # the same, now that there is room
    assert engine.close() == 0
    assert "Traceback" not in engine.said
    engine = engines.start()
    async with engine.client() as client:
        assert await marked(client, image).stdout() == before
        assert (await marked(client, image).file("/numbers").contents()).endswith("\n100000\n")


@pytest.fixture
async def client(engines: Engines) -> AsyncIterator[dagger.Client]:
    async with engines.start().client() as connected:
        yield connected


async def test_an_image_that_does_not_fit(client: dagger.Client, disk: Path, image: str) -> None:
    with filled(disk, left=50 * MEGABYTE), pytest.raises(dagger.QueryError, match=ADVICE.format(re.escape(str(disk)))):
        await client.container().from_(image).sync()
    assert await client.container().from_(image).with_exec(["echo", "fits"]).stdout() == "fits\n"


async def test_a_store_on_a_disk_without_a_free_block_says_so_and_can_be_emptied(engines: Engines, disk: Path, image: str) -> None:
    engine = engines.start()
    async with engine.client() as client:
        await marked(client, image).sync()
    assert engine.close() == 0
    with filled(disk):
        engine = engines.start()
        async with engine.client() as client:
            with pytest.raises(dagger.QueryError, match=ADVICE.format(re.escape(str(disk)))):
                await marked(client, image).stdout()
        assert engine.close() == 0
        pruned = await asyncio.to_thread(command, disk, "prune")
        assert (pruned.returncode, pruned.stderr) == (0, "")
        assert "removed   exec sh -c date +%s%N; seq 100000 > /numbers" in pruned.stdout
        assert pruned.stdout.endswith("kept      0 B\n")

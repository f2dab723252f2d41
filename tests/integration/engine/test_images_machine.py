"""Images and this machine: mirrors, privileges, a full disk, memory."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pipelines.engine.embedded import kernel
from pipelines.engine.embedded.errors import DiskFull
from pipelines.engine.embedded.images.images import Images
from pipelines.engine.embedded.images.layout import Variant
from pipelines.engine.embedded.store.store import Store
from tests.integration.engine.registries import Registry
from tests.unit.engine.images.trees import Entry, tar

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.root, pytest.mark.registry]

NET_RAW = "\x01\x00\x00\x02\x00 \x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"  # cap_net_raw=ep, as in the attribute
SPECIAL = [
    Entry("bin/ping", text="ping", mode=0o755, pax={"SCHILY.xattr.security.capability": NET_RAW}),
    Entry("dev/null", "char", mode=0o666),
    Entry("home/me/file", text="mine", owner=(1000, 70000)),
    Entry("bin/su", text="su", mode=0o4755, owner=(0, 12)),
]


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    made = Registry.start(tmp_path_factory.mktemp("registry"))
    yield made
    made.stop()


@pytest.fixture
def place(private_mounts: Path, tmp_path: Path) -> Path:
    folder = private_mounts / tmp_path.name
    folder.mkdir()
    return folder


def check_special(root: Path) -> None:
    assert os.getxattr(root / "bin/ping", "security.capability") == NET_RAW.encode()
    null, mine, su = ((root / name).lstat() for name in ("dev/null", "home/me/file", "bin/su"))
    assert (stat.S_ISCHR(null.st_mode), null.st_rdev, stat.S_IMODE(null.st_mode)) == (True, os.makedev(1, 3), 0o666)
    assert (mine.st_uid, mine.st_gid) == (1000, 70000)
    assert (stat.S_IMODE(su.st_mode), su.st_gid) == (0o4755, 12)


async def test_capabilities_devices_and_owners_go_there_and_back(place: Path, registry: Registry) -> None:
    with Store.open(place / "one", rootless=False) as store:
        images = Images(store)
        image = await images.pull(await images.resolve(registry.push("special:1", [tar(SPECIAL)])))
        check_special(store.layer_path(image.snapshot.layers[0]))
        variant = Variant(image.snapshot, image.config, "linux/amd64")
        reference = await images.publish([variant], f"{registry.address}/special:2", compression="zstd")
    with Store.open(place / "two", rootless=False) as store:
        image = await Images(store).pull(await Images(store).resolve(reference))
        check_special(store.layer_path(image.snapshot.layers[0]))


async def test_mirrors_of_the_machine_are_used(place: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    registry.push("mirror/team/app:1", [tar(SPECIAL)])
    settings = place / ".config/containers/registries.conf"
    settings.parent.mkdir(parents=True)
    settings.write_text(
        '[[registry]]\nprefix = "registry.invalid/team"\nlocation = "registry.invalid/team"\n'
        f'[[registry.mirror]]\nlocation = "{registry.address}/mirror/team"\ninsecure = true\n'
    )
    monkeypatch.setenv("HOME", str(place))
    with Store.open(place / "store", rootless=False) as store:
        images = Images(store)
        image = await images.pull(await images.resolve("registry.invalid/team/app:1"))
        assert image.ref.startswith("registry.invalid/team/app:1@sha256:")


async def test_a_full_disk_is_said_and_forgotten(place: Path, registry: Registry) -> None:
    reference = registry.push(
        "big:1", [tar([Entry("a", text="x")]), tar([Entry(f"f{number}", text="x" * 1_000_000) for number in range(20)])]
    )
    small = place / "small"
    small.mkdir()
    kernel.mount("tmpfs", small, "tmpfs", data="size=24m")
    try:
        with Store.open(small / "store", rootless=False) as store:
            images = Images(store)
            with pytest.raises(DiskFull):
                await images.pull(await images.resolve(reference))
            other = registry.push("little:1", [tar([Entry("b", text="y")])])
            assert (await images.pull(await images.resolve(other))).snapshot.layers
    finally:
        kernel.umount(small, kernel.MNT_DETACH)


MEASURE = """
import asyncio, json, resource, sys
from pathlib import Path
from pipelines.engine.embedded.images.images import Images
from pipelines.engine.embedded.images.layout import Variant
from pipelines.engine.embedded.store.store import Store

async def main():
    with Store.open(Path(sys.argv[1]), rootless=False) as store:
        images = Images(store)
        image = await images.pull(await images.resolve(sys.argv[2]))
        await images.save([Variant(image.snapshot, image.config, "linux/amd64")], Path(sys.argv[1]) / "image.tar", compression="zstd")

asyncio.run(main())
own = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))  # not the process before exec, as rusage
print(json.dumps([int(own), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss]))
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_layers(place: Path, registry: Registry) -> None:
    noise = os.urandom(1 << 20).hex()
    reference = registry.push("heavy:1", [tar([Entry(f"f{number}", text=f"{number}" + noise * 20) for number in range(5)])])
    done = subprocess.run([sys.executable, "-c", MEASURE, str(place / "store"), reference], capture_output=True, text=True, check=True)
    engine, helpers = json.loads(done.stdout)
    assert engine < 60_000  # kilobytes; the layer has 200 MB
    assert helpers < 100_000

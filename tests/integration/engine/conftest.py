"""A machine of the tests' own, made of namespaces: private mounts, a network of two (the machine and something outside), no image.

Containers get the programs of the real machine: /usr and friends, mounted read-only over an otherwise empty root file system.
"""

from __future__ import annotations

import os
import shutil
import socket
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from pipelines.engine.embedded import kernel
from pipelines.engine.embedded.network.namespaces import entered, new_namespace
from pipelines.engine.embedded.network.netlink import LOOPBACK, Netlink
from pipelines.engine.embedded.network.switch import Switch
from pipelines.engine.embedded.sandbox.runtime import Runtime
from tests.integration.engine.machine import MACHINE_IP, OUTSIDE_IP, Box, Machine, in_thread, programs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from pipelines.engine.embedded.network.lease import Lease


PASSWD = "root:x:0:0:root:/root:/bin/sh\ndev:x:1234:1234::/home/dev:/bin/sh\n"
GROUP = "root:x:0:\ndev:x:1234:\nstaff:x:50:dev\n"


@pytest.fixture(scope="session")
def private_mounts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This process's mounts are its own from here on; returns a directory in memory."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    kernel.unshare(kernel.CLONE_NEWNS)
    kernel.make_private()
    memory = tmp_path_factory.mktemp("memory")
    kernel.mount("tmpfs", memory, "tmpfs")
    return memory


@pytest.fixture
def machine(private_mounts: Path) -> Iterator[Machine]:
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    kernel.unshare(kernel.CLONE_NEWNET)
    try:
        outside = in_thread(new_namespace)
        with Netlink() as netlink:
            netlink.up(LOOPBACK)
            netlink.add_veth("uplink0", 0, peer_name="eth0", peer_index=2, peer_netns=outside)
            index = socket.if_nametoindex("uplink0")
            netlink.add_address(index, MACHINE_IP, 24)
            netlink.add_default_route(OUTSIDE_IP)
        in_thread(lambda: _configure_outside(outside))
        yield Machine(outside)
        os.close(outside)
    finally:
        kernel.setns(home, kernel.CLONE_NEWNET)
        os.close(home)


def _configure_outside(outside: int) -> None:
    with entered(outside), Netlink() as netlink:
        netlink.up(LOOPBACK)
        netlink.add_address(2, OUTSIDE_IP, 24)
        netlink.up(2)


@pytest.fixture
async def box(private_mounts: Path, tmp_path: Path) -> AsyncIterator[Box]:
    folder = private_mounts / tmp_path.name
    for name in ("state", "upper", "work", "rootfs", "lower/etc", "lower/root", "lower/tmp"):
        (folder / name).mkdir(parents=True)
    (folder / "lower/etc/passwd").write_text(PASSWD)
    (folder / "lower/etc/group").write_text(GROUP)
    mounts = tuple(programs(folder / "lower"))
    options = f"lowerdir={folder}/lower,upperdir={folder}/upper,workdir={folder}/work"
    kernel.mount("overlay", folder / "rootfs", "overlay", data=options)
    runtime = Runtime(folder / "state")
    with ExitStack() as stack:
        stack.callback(kernel.umount, folder / "rootfs", kernel.MNT_DETACH)
        yield Box(runtime, folder, folder / "rootfs", mounts)
        await runtime.close()


@pytest.fixture
async def switch(machine: Machine, box: Box) -> AsyncIterator[Switch]:
    notes: list[str] = []
    async with Switch.open(box.folder, note=notes.append) as opened:
        yield opened
    assert notes == []


@pytest.fixture(params=["pasta", "slirp4netns"])
def helper(request: pytest.FixtureRequest, private_mounts: Path, tmp_path: Path) -> Iterator[str]:
    """The program that connects the switch; another one that would be chosen is hidden."""
    name: str = request.param
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    hidden = shutil.which("pasta") if name != "pasta" else None
    if hidden is None:
        yield name
        return
    (tmp_path / "nothing").touch(mode=0o644)
    kernel.bind(tmp_path / "nothing", os.path.realpath(hidden))
    yield name
    kernel.umount(os.path.realpath(hidden))


@pytest.fixture
async def lease(switch: Switch) -> AsyncIterator[Lease]:
    leased = await switch.lease()
    yield leased
    await switch.release(leased)

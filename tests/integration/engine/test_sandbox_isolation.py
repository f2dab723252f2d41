"""What a container can reach is tried, not read off its configuration."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.engine.machine import MACHINE_IP, OUTSIDE_IP

if TYPE_CHECKING:
    from pipelines.engine.embedded.network.lease import Lease
    from tests.integration.engine.machine import Box

pytestmark = pytest.mark.root


async def test_files_of_the_machine_are_not_there(box: Box, tmp_path: Path) -> None:
    secret = tmp_path / "of-the-machine"
    secret.write_text("x")
    ways = [str(secret), f"/proc/1/root{secret}", f"/proc/1/cwd/../../..{secret}", f"/proc/self/root/..{secret}"]
    script = 'for way; do test -e "$way" && echo "reached $way"; done; true'
    assert (await box.run("sh", "-c", script, "sh", *ways)).stdout == ""


async def test_processes_of_the_machine_are_not_there(box: Box) -> None:
    result = await box.sh(f"ls -d /proc/[0-9]* | wc -l; kill -0 {os.getpid()} && echo reached")
    assert int(result.stdout) < 10


async def test_shared_memory_of_the_machine_is_not_there(box: Box) -> None:
    name = f"/dev/shm/lockgate-test-{os.getpid()}"
    Path(name).touch()
    try:
        assert (await box.sh(f"test -e {name} && echo reached")).stdout == ""
    finally:
        Path(name).unlink()


async def test_mounts_come_from_nowhere_else(box: Box) -> None:
    targets = (await box.sh("cut -d' ' -f2 /proc/mounts")).stdout.split()
    given = [bind.target for bind in box.mounts]
    system = {"/", "/proc", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue", "/sys", "/sys/fs/cgroup", "/etc/hosts", "/dev/init"}
    hidden = ("/proc/", "/sys/")  # masked paths, and those made read-only
    assert [target for target in targets if target not in (*system, *given) and not target.startswith(hidden)] == []


async def test_devices_cannot_be_opened_even_if_they_can_be_made(box: Box) -> None:
    """10:229 is the character device of FUSE: harmless to try, and not on the list of those allowed."""
    script = "mknod /tmp/fuse c 10 229 && echo made; cat < /tmp/fuse; echo $?"
    assert (await box.sh(script)).stdout == "made\n2\n"


@pytest.mark.parametrize(
    "attempt",
    [
        "mount -t tmpfs none /tmp",
        "unshare -m true",
        "unshare -U true",
        "unshare -n true",
        "echo x > /proc/sys/kernel/hostname",
        "echo b > /proc/sysrq-trigger",
        "mkdir /sys/fs/cgroup/mine",
        "head -c 1 /proc/kcore | grep -q .",
        "echo x > /usr/written",
        "date -s 2030-01-01",
        "hostname other",
        "nsenter -t 1 -m true",
    ],
)
async def test_what_administers_the_machine_is_refused(box: Box, attempt: str) -> None:
    assert (await box.sh(attempt)).exit.code != 0


async def test_keys_of_the_session_are_out_of_reach(box: Box) -> None:
    script = "import ctypes; libc = ctypes.CDLL(None, use_errno=True); print(libc.syscall(250, 0, -3, 0), ctypes.get_errno())"
    assert (await box.python(script)).stdout == "-1 1\n"  # keyctl on x86-64: EPERM


async def test_abstract_sockets_of_the_machine_are_out_of_reach(box: Box) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"\0lockgate-test-{os.getpid()}")
        server.listen()
        script = f"import socket; socket.socket(socket.AF_UNIX).connect(chr(0) + 'lockgate-test-{os.getpid()}')"
        assert "ConnectionRefusedError" in (await box.python(script)).stderr


async def test_containers_do_not_see_each_other(box: Box) -> None:
    other = await box.runtime.start(box.spec("sleep", "1000"))
    result = await box.sh("cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    assert "1000" not in result.stdout
    await other.kill()


async def test_the_loopback_of_the_machine_is_out_of_reach(helper: str, box: Box, lease: Lease) -> None:
    """The engine's own port is one of these: by every address the machine might be known under."""
    script = """
import socket, sys
for address in sys.argv[2:]:
    try:
        socket.create_connection((address, int(sys.argv[1])), 0.5)
        print("reached", address)
    except OSError:
        pass
"""
    gateway = lease.ip.rsplit(".", 2)[0] + ".0.1"
    ways = ["127.0.0.1", "localhost", gateway, MACHINE_IP, OUTSIDE_IP, "10.0.2.2", "10.0.2.3", "169.254.1.1", "0.0.0.0"]
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        result = await box.python(script, str(server.getsockname()[1]), *ways, network=lease)
        assert (result.stdout, result.exit.code) == ("", 0)
        with pytest.raises(BlockingIOError):
            server.accept()


async def test_without_a_network_there_is_only_loopback(box: Box) -> None:
    assert (await box.sh("tail -n +3 /proc/net/dev | cut -d: -f1")).stdout.split() == ["lo"]

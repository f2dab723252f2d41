"""What a command in a container can see and reach of the machine: nothing but what it was given. Tried, not read."""

from __future__ import annotations

import json
import os
import socket
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    import dagger

    from tests.faults.engine import Engines

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.rootless, pytest.mark.asyncio(loop_scope="session")]

REACH = """
import json, socket, sys
gateway, reached = None, []
for line in open("/proc/net/route").read().splitlines()[1:]:
    fields = line.split()
    if fields[1] == "00000000":
        gateway = socket.inet_ntoa(bytes.fromhex(fields[2])[::-1])
resolvers = [line.split()[1] for line in open("/etc/resolv.conf") if line.startswith("nameserver")]
usual = ["127.0.0.1", "localhost", "10.0.2.2", "10.0.2.3", "169.254.1.1", "169.254.2.2", "0.0.0.0"]
for host in {gateway, *resolvers, *usual, *sys.argv[2:]} - {None}:
    try:
        socket.create_connection((host, int(sys.argv[1])), timeout=1).close()
        reached.append(host)
    except OSError:
        pass
print(json.dumps([bool(gateway), reached]))
"""


def sh(base: dagger.Container, script: str) -> dagger.Container:
    return base.with_exec(["sh", "-c", script])


async def test_files_of_the_host_are_not_there(base: dagger.Container, tmp_path: Path, shared_engines: Engines) -> None:
    (tmp_path / "private").write_text("of the host")
    await base.sync()  # from now on there is a store
    for path in (tmp_path / "private", shared_engines.root, __file__):
        assert await sh(base, f"test -e '{path}' || echo absent").stdout() == "absent\n"
    mounted = await sh(base, "awk '{ print $5 }' /proc/self/mountinfo | grep -v -e '^/proc' -e '^/sys' -e '^/dev' | sort -u").stdout()
    assert {"/"} < set(mounted.split()) <= {"/", "/etc/hosts", "/etc/resolv.conf", "/etc/hostname"}


async def test_processes_and_variables_of_the_host_are_not_there(base: dagger.Container) -> None:
    listed = await sh(base, "for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline; echo; done").stdout()
    assert "lockgate" not in listed.replace("/.lockgate", "")
    assert "pytest" not in listed
    variables = await sh(base, "env; cat /proc/1/environ /proc/self/environ | tr '\\0' '\\n'").stdout()
    assert "visible-on-the-host-only" not in variables
    assert "DAGGER_SESSION_TOKEN" not in variables


@pytest.mark.parametrize("address", ["file", "abstract"])
async def test_unix_sockets_of_the_host_cannot_be_reached(base: dagger.Container, tmp_path: Path, address: str) -> None:
    path = f"\0lockgate-test-{os.getpid()}" if address == "abstract" else str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        script = f"import socket; socket.socket(socket.AF_UNIX).connect({path!r})"
        said = await sh(base, f'python3 -c "{script}" 2>&1 | tail -1'.replace("\x00", "\\0")).stdout()
    assert "FileNotFoundError" in said or "ConnectionRefusedError" in said


@contextmanager
def listening() -> Iterator[int]:
    """A server on this machine's loopback."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        accepting = threading.Thread(target=_accept, args=(server,))
        accepting.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        accepting.join()


def _accept(server: socket.socket) -> None:
    try:
        while True:
            server.accept()[0].close()
    except OSError:
        return


def own_addresses() -> list[str]:
    """Addresses of this machine's interfaces that lead elsewhere."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing: asks for the route
        except OSError:
            return []
        return [probe.getsockname()[0]]


def gateways() -> list[str]:
    """Routers of this machine: the helper that connects containers might take their addresses for the machine's own."""
    rows = [line.split() for line in Path("/proc/net/route").read_text().splitlines()[1:]]
    return [socket.inet_ntoa(bytes.fromhex(row[2])[::-1]) for row in rows if row[2] != "00000000"]


async def test_loopback_of_the_host_and_the_engines_own_port_are_out_of_reach(base: dagger.Container, shared_engines: Engines) -> None:
    with listening() as port:
        for number in (port, shared_engines.newest.port):
            out = await base.with_exec(["python3", "-c", REACH, str(number), *own_addresses(), *gateways()]).stdout()
            assert json.loads(out) == [True, []]


async def test_a_port_that_was_given_can_be_reached_and_no_other(base: dagger.Container, client: dagger.Client) -> None:
    import dagger as sdk

    script = "import socket,sys; socket.create_connection(('given', int(sys.argv[1])), timeout=3); print('reached')"
    with listening() as given, listening() as other:
        bound = base.with_service_binding("given", client.host().service([sdk.PortForward(backend=given, frontend=given)]))
        assert await bound.with_exec(["python3", "-c", script, str(given)]).stdout() == "reached\n"
        refused = bound.with_exec(["python3", "-c", script, str(other)], expect=sdk.ReturnType.FAILURE)
        assert "reached" not in await refused.stdout()


async def test_disks_of_the_host_cannot_be_opened_by_number(base: dagger.Container) -> None:
    device = Path("/").stat().st_dev
    made = f"mknod /disk b {os.major(device)} {os.minor(device)} && head -c 512 /disk | wc -c; mknod /kmsg c 1 11 && head -c 1 /kmsg"
    said = await sh(base, f"({made}) 2>&1; true").stdout()
    assert "not permitted" in said
    assert "512" not in said


@pytest.mark.parametrize(
    "script",
    [
        "mount -t tmpfs tmpfs /mnt",
        "mount -t proc proc /mnt",
        "echo 1 > /proc/sys/kernel/sysrq",
        "echo b > /proc/sysrq-trigger",
        "head -c 1 /proc/kcore | grep -q .",
        "mkdir /sys/fs/cgroup/mine",
        "unshare -r true",
        "nsenter -t 1 -m true && test -e /home/lockgate-none",
        "ip link add x type dummy",
        "hostname changed",
        "chroot /proc/1/root/.. test -e /proc/1/root/../lockgate-none",
        "test -e /proc/1/cwd/lockgate-none",
        "swapoff -a && grep -q . /proc/swaps && false",
        "date -s 2001-01-01",
        "test -r /dev/mem",
        "ls /dev | grep -E '^(sd|vd|nvme|loop|kvm|fuse|net)'",
    ],
)
async def test_what_would_change_or_show_the_machine_is_refused(base: dagger.Container, script: str) -> None:
    assert await sh(base, f"({script}) >/dev/null 2>&1 || echo refused").stdout() == "refused\n"


async def ask(port: int, token: str, **headers: str) -> int:
    async with httpx.AsyncClient() as http:
        url = f"http://127.0.0.1:{port}/query"
        return (await http.post(url, json={"query": "{version}"}, auth=(token, ""), headers=headers)).status_code


async def test_the_api_wants_its_token_and_a_loopback_host(client: dagger.Client, shared_engines: Engines) -> None:
    engine = shared_engines.newest
    assert await ask(engine.port, engine.token) == 200
    assert await ask(engine.port, "wrong") == 401
    assert await ask(engine.port, "") == 401
    assert await ask(engine.port, engine.token[:-1]) == 401
    for host in ("example.org", f"example.org:{engine.port}", f"127.0.0.1.example.org:{engine.port}"):
        assert await ask(engine.port, engine.token, host=host) in {400, 403, 421}
    for address in own_addresses():
        with pytest.raises(OSError, match="refused"):
            socket.create_connection((address, engine.port), timeout=3)

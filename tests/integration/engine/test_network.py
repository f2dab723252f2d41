"""The switch on a machine made of namespaces: egress, name service, what is shared and what is not."""

from __future__ import annotations

import asyncio
import signal
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipelines.engine.embedded import kernel
from pipelines.engine.embedded.errors import NetworkError
from pipelines.engine.embedded.network.netlink import Netlink
from pipelines.engine.embedded.network.switch import SPARE, Switch
from tests.integration.engine.machine import MACHINE_IP, OUTSIDE_IP, PYTHON

if TYPE_CHECKING:
    from pipelines.engine.embedded.network.lease import Lease
    from tests.integration.engine.machine import Box, Machine

pytestmark = pytest.mark.root

CONNECT = "import socket, sys; s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 5); print(s.recv(100).decode())"
SERVE = "import socket; s = socket.create_server(('', 8000)); print('ready', flush=True); c, a = s.accept(); c.sendall(a[0].encode())"


async def greet(server: socket.socket) -> str:
    """Accept one connection, say hello; returns where it came from."""
    loop = asyncio.get_running_loop()
    client, address = await loop.sock_accept(server)
    with client:
        await loop.sock_sendall(client, b"hello from outside")
    return str(address[0])


async def test_containers_get_out_under_the_machines_address(helper: str, box: Box, lease: Lease, machine: Machine, switch: Switch) -> None:
    with machine.listen_outside() as server:
        greeting = asyncio.ensure_future(greet(server))
        result = await box.python(CONNECT, OUTSIDE_IP, str(server.getsockname()[1]), network=lease)
        assert result.stdout == "hello from outside\n"
        assert await greeting == MACHINE_IP
    assert switch._egress.helper is not None
    program = Path(f"/proc/{switch._egress.helper.pid}/exe").readlink().name
    assert program.startswith("passt" if helper == "pasta" else helper)


async def test_datagrams_get_out_and_back(box: Box, lease: Lease, machine: Machine) -> None:
    with machine.listen_outside(socket.SOCK_DGRAM) as server:
        echo = asyncio.ensure_future(echo_once(server))
        script = (
            "import socket, sys; s = socket.socket(type=socket.SOCK_DGRAM); s.settimeout(5); s.connect((sys.argv[1], int(sys.argv[2])))"
        )
        result = await box.python(
            script + "; s.send(b'ping'); print(s.recv(100).decode())", OUTSIDE_IP, str(server.getsockname()[1]), network=lease
        )
        assert result.stdout == "echo ping\n"
        await echo


async def echo_once(server: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    data, address = await loop.sock_recvfrom(server, 100)
    await loop.sock_sendto(server, b"echo " + data, address)


async def test_resolvers_on_the_machines_loopback_are_forwarded(helper: str, box: Box, machine: Machine, tmp_path: Path) -> None:
    """As with systemd-resolved: 127.0.0.53 in resolv.conf, which in a container would be the container itself."""
    (tmp_path / "resolv.conf").write_text("search example.com\nnameserver 127.0.0.53\n")
    kernel.bind(tmp_path / "resolv.conf", "/etc/resolv.conf")
    resolver = socket.socket(type=socket.SOCK_DGRAM)
    resolver.setblocking(False)
    resolver.bind(("127.0.0.53", 53))
    try:
        async with Switch.open(box.folder) as switch:
            lease = await switch.lease()
            echo = asyncio.ensure_future(echo_once(resolver))
            script = """
import socket
lines = [line.split() for line in open("/etc/resolv.conf")]
s = socket.socket(type=socket.SOCK_DGRAM)
s.settimeout(5)
s.connect((next(words[1] for words in lines if words[0] == "nameserver"), 53))
s.send(b"?" * 20)
print(lines[0], s.recv(100).decode())
"""
            result = await box.python(script, network=lease)
            assert result.stdout == "['search', 'example.com'] echo " + "?" * 20 + "\n"
            await echo
    finally:
        kernel.umount("/etc/resolv.conf")
        resolver.close()


async def test_services_of_the_machine_do_not_answer_at_any_of_its_addresses(helper: str, box: Box, machine: Machine) -> None:
    """What listens at 0.0.0.0 of the machine is for the machine; `Host.service` is how a container is given a port of it."""
    secondary = "192.0.2.77"
    with Netlink() as netlink:
        netlink.add_address(socket.if_nametoindex("uplink0"), secondary, 32)
    async with Switch.open(box.folder) as switch:
        lease = await switch.lease()
        with socket.create_server(("0.0.0.0", 0)) as server:
            answer = f"import socket, sys; s = socket.create_connection((sys.argv[1], {server.getsockname()[1]}), 5); print('connected')"
            for address in (MACHINE_IP, secondary):
                assert (await box.python(answer, address, network=lease)).stdout == "", address
        with machine.listen_outside() as outside:  # and others still do
            greeting = asyncio.ensure_future(greet(outside))
            assert (await box.python(CONNECT, OUTSIDE_IP, str(outside.getsockname()[1]), network=lease)).stdout == "hello from outside\n"
            await greeting


async def test_containers_reach_each_other_but_not_each_others_loopback(box: Box, switch: Switch) -> None:
    one, two = [await switch.lease() for _ in range(2)]
    ready = asyncio.Event()
    server = await box.runtime.start(box.spec(PYTHON, "-c", SERVE, network=one), lambda *_: ready.set())
    await ready.wait()
    assert "ConnectionRefusedError" in (await box.python(CONNECT, "127.0.0.1", "8000", network=two)).stderr
    assert (await box.python(CONNECT, one.ip, "8000", network=two)).stdout == f"{two.ip}\n"
    await server.wait()


async def test_the_engine_dials_into_containers_and_listens_for_them(box: Box, switch: Switch, lease: Lease) -> None:
    loop = asyncio.get_running_loop()
    ip = await switch.take_address()
    with await switch.bind(ip, 0, socket.SOCK_STREAM) as server:
        server.listen()
        greeting = asyncio.ensure_future(greet(server))
        assert (await box.python(CONNECT, ip, str(server.getsockname()[1]), network=lease)).stdout == "hello from outside\n"
        assert await greeting == lease.ip
    await switch.drop_address(ip)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.wait_for(switch.dial(lease.ip, 9), 5)
    assert loop.is_running()


async def test_a_used_place_is_used_again_unless_it_may_have_been_changed(box: Box, switch: Switch) -> None:
    used, changed = [await switch.lease() for _ in range(2)]
    await box.sh("true", network=used)
    await box.sh("true", network=changed, privileged=True)
    assert (used.modified, changed.modified) == (False, True)
    for lease in (used, changed):
        await switch.release(lease)
    await asyncio.gather(*switch._tasks)
    others = {(await switch.lease()).ip for _ in range(SPARE)}
    assert used.ip in others
    assert changed.ip not in others


async def test_a_port_is_free_for_the_next_container_though_connections_linger(box: Box, switch: Switch) -> None:
    """A server that closes first leaves its port in TIME-WAIT: the next one must not find it taken."""
    seen: set[str] = set()
    for _ in range(SPARE + 2):
        lease = await switch.lease()
        seen.add(lease.ip)
        ready = asyncio.Event()
        script = SERVE.replace("socket.create_server(('', 8000))", "socket.socket(); s.bind(('', 8000)); s.listen()")
        server = await box.runtime.start(box.spec(PYTHON, "-c", script, network=lease), lambda *_, ready=ready: ready.set())
        await asyncio.wait_for(ready.wait(), 5)
        with await switch.dial(lease.ip, 8000) as client:
            await asyncio.get_running_loop().sock_recv(client, 100)
            assert (await server.wait()).code == 0
        await switch.release(lease)


async def test_users_may_listen_on_low_ports(box: Box, lease: Lease) -> None:
    result = await box.python("import socket; socket.create_server(('', 80)); print('listens')", user="dev", network=lease)
    assert result.stdout == "listens\n"


async def test_without_a_way_out_containers_still_have_each_other_and_it_is_said_once(box: Box, machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "tun").touch()
    kernel.bind(tmp_path / "tun", "/dev/net/tun")
    notes: list[str] = []
    try:
        async with Switch.open(box.folder, note=notes.append) as switch:
            one, two = [await switch.lease() for _ in range(2)]
            assert one.ip != two.ip
            assert (await box.sh("true", network=one)).exit.code == 0
    finally:
        kernel.umount("/dev/net/tun")
    assert len(notes) == 1
    assert notes[0].startswith("no egress: containers reach each other, but nothing outside (")


async def test_running_out_of_addresses_is_an_error_with_a_reason(switch: Switch) -> None:
    async def take_all() -> None:
        while True:
            taken.append(await switch.take_address())

    taken: list[str] = []
    with pytest.raises(NetworkError, match="every address of the session's network is in use"):
        await take_all()
    assert len(taken) == len(set(taken)) == 254


async def test_losing_the_way_out_is_said(box: Box, machine: Machine) -> None:
    notes: asyncio.Queue[str] = asyncio.Queue()
    async with Switch.open(box.folder, note=notes.put_nowait) as switch:
        await switch.lease()
        assert switch._egress.helper is not None
        switch._egress.helper.send(signal.SIGKILL)
        assert (await asyncio.wait_for(notes.get(), 5)).startswith("no egress: the program")

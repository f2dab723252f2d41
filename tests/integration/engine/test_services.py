"""Services in real containers and networks."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.engine.embedded.errors import EngineError, ExecError, NetworkError
from pipelines.engine.embedded.sandbox.services.container import ContainerService
from pipelines.engine.embedded.sandbox.services.health import HealthProbe
from pipelines.engine.embedded.sandbox.services.ports import HostService, PortForward, Tunnel
from pipelines.engine.embedded.sandbox.services.runner import ServicePort, ServiceRunner, while_up
from tests.integration.engine.machine import PYTHON

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from pipelines.engine.embedded.network.switch import Switch
    from pipelines.engine.embedded.sandbox.services.runner import RunningService
    from pipelines.engine.embedded.sandbox.spec import ContainerSpec
    from tests.integration.engine.machine import Box

pytestmark = pytest.mark.root

SERVE = """
import socket, sys
server = socket.create_server(("", int(sys.argv[2])))
while True:
    client, _ = server.accept()
    client.sendall(sys.argv[1].encode())
    client.close()
"""
ASK = "import socket, sys; s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 5); print(s.recv(100).decode())"
ECHO = "import socket; s = socket.socket(type=socket.SOCK_DGRAM); s.bind(('', 53)); d, a = s.recvfrom(100); s.sendto(b'echo ' + d, a)"


@dataclass
class Stage:
    """Services and the commands that use them."""

    box: Box
    switch: Switch
    runner: ServiceRunner

    def container(
        self,
        *args: str,
        ports: tuple[ServicePort, ...] = (),
        health: HealthProbe | None = None,
        used: Mapping[str, RunningService] | None = None,
        **changes: Any,
    ) -> ContainerService:
        @asynccontextmanager
        async def prepare() -> AsyncIterator[tuple[ContainerSpec, Mapping[str, RunningService]]]:
            lease = await self.switch.lease()
            yield self.box.spec(*args, network=lease, **changes), used or {}
            await self.switch.release(lease)

        return ContainerService(self.box.runtime, self.switch, "sv1", args, prepare, ports, health)

    def web(self, text: str) -> ContainerService:
        return self.container(PYTHON, "-c", SERVE, text, "8000", ports=(ServicePort(8000),))

    async def ask(self, host: str, port: int, **hosts: str) -> str:
        lease = await self.switch.lease()
        result = await self.box.python(ASK, host, str(port), network=lease, hosts=hosts)
        await self.switch.release(lease)
        return result.stdout or result.stderr.splitlines()[-1]


@pytest.fixture
async def stage(box: Box, switch: Switch) -> AsyncIterator[Stage]:
    runner = ServiceRunner(grace=0)
    yield Stage(box, switch, runner)
    await runner.close()


async def test_two_services_on_one_port_are_told_apart_by_name(stage: Stage) -> None:
    async with stage.runner.using("1", stage.web("one")) as one, stage.runner.using("2", stage.web("two")) as two:
        assert await stage.ask("one", 8000, one=one.ip, two=two.ip) == "one\n"
        assert await stage.ask("two", 8000, one=one.ip, two=two.ip) == "two\n"


async def test_a_service_that_dies_says_how_and_what_it_said(stage: Stage) -> None:
    dead = stage.container("sh", "-c", "echo dying >&2; exit 3", ports=(ServicePort(9000),))
    with pytest.raises(ExecError) as raised:
        async with stage.runner.using("k", dead, alias="dead"):
            pass
    error = raised.value
    assert error.message == "start sv1 (aliased as dead): exit code: 3"
    assert (error.cmd, error.exit_code, error.stdout, error.stderr) == (["sh", "-c", "echo dying >&2; exit 3"], 3, "", "dying\n")


async def test_a_service_whose_command_is_missing(stage: Stage) -> None:
    with pytest.raises(ExecError) as raised:
        await stage.runner.start("k", stage.container("no-such-program", ports=(ServicePort(9000),)))
    assert raised.value.exit_code == 1
    assert raised.value.stderr == 'exec: "no-such-program": executable file not found in $PATH\n'


async def test_a_port_that_opens_late_is_waited_for(stage: Stage) -> None:
    late = stage.container(PYTHON, "-c", f"import time; time.sleep(0.5)\n{SERVE}", "late", "8000", ports=(ServicePort(8000),))
    up = await stage.runner.start("k", late)
    assert await stage.ask(up.ip, 8000) == "late\n"


async def test_ports_not_to_be_checked_are_not_waited_for(stage: Stage) -> None:
    """A port that is waited for and never opens is an error."""
    await stage.runner.start("k", stage.container("sleep", "1000", ports=(ServicePort(9000, check=False), ServicePort(53, "UDP"))))


async def test_a_health_command_decides_where_there_is_one(stage: Stage) -> None:
    health = HealthProbe(("test", "-e", "/tmp/healthy"), interval=0.02, retries=100)
    await stage.runner.start("k", stage.container("sh", "-c", "sleep 0.3; touch /tmp/healthy; sleep 1000", health=health))
    assert (stage.box.rootfs / "tmp/healthy").exists()
    check = ("sh", "-c", "echo not yet; exit 5")
    with pytest.raises(ExecError) as raised:
        await stage.runner.start("k2", stage.container("sleep", "1000", health=HealthProbe(check, interval=0.01, retries=2)))
    error = raised.value
    assert error.message == "start sv1: health check errored: exit code: 5"
    assert (error.cmd, error.exit_code, error.stdout) == (list(check), 5, "not yet")


async def test_a_health_command_that_never_ends_or_does_not_exist_is_unwell(stage: Stage) -> None:
    for check, told in ((("sleep", "1000"), "no answer within 0.1 s: sleep 1000"), (("no-such",), "executable file not found")):
        health = HealthProbe(check, interval=0.01, timeout=0.1, retries=1)
        with pytest.raises(EngineError, match=rf"start sv1 \(aliased as db\): health check errored: .*{told}"):
            async with stage.runner.using(check[0], stage.container("sleep", "1000", health=health), alias="db"):
                pass


@pytest.mark.parametrize("code", [42, 0])
async def test_a_service_that_ends_fails_whoever_uses_it_at_once(stage: Stage, code: int) -> None:
    ends = stage.container("sh", "-c", f"echo bye; sleep 0.3; exit {code}")
    with pytest.raises(ExecError) as raised:
        async with stage.runner.using("k", ends, alias="www") as up:
            await asyncio.wait_for(while_up({"www": up}, stage.box.sh("sleep 1000")), 20)
    error = raised.value
    assert error.message == f"bound service sv1 (aliased as www) exited: exit code: {code}"
    assert (error.exit_code, error.stdout) == (code, "bye\n")


async def test_a_command_that_ends_before_its_service_does_not_care(stage: Stage) -> None:
    async with stage.runner.using("k", stage.container("sleep", "1000"), alias="www") as up:
        assert (await while_up({"www": up}, stage.box.sh("echo fine"))).stdout == "fine\n"


async def test_a_service_ends_with_the_one_it_uses_and_that_one_is_to_blame(stage: Stage) -> None:
    async with stage.runner.using("db", stage.container("sh", "-c", "sleep 0.5; exit 7"), alias="db") as db:
        web = stage.container("sleep", "1000", used={"db": db})
        with pytest.raises(ExecError, match=r"bound service sv1 \(aliased as db\) exited: exit code: 7"):
            async with stage.runner.using("web", web, alias="web") as up:
                await asyncio.wait_for(while_up({"web": up}, stage.box.sh("sleep 1000")), 20)


async def test_a_stopped_service_is_gone(stage: Stage) -> None:
    up = await stage.runner.start("k", stage.web("up"))
    await stage.runner.stop("k")
    assert "ConnectionRefusedError" in await stage.ask(up.ip, 8000) or "No route" in await stage.ask(up.ip, 8000)


async def test_ports_of_the_machine_and_only_those(stage: Stage) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_server(("127.0.0.1", 0)) as hidden:
        server.setblocking(False)
        offered, other = (made.getsockname()[1] for made in (server, hidden))
        up = await stage.runner.start("h", HostService(stage.switch, (PortForward(offered, 80),)))
        asking = asyncio.ensure_future(stage.ask("machine", 80, machine=up.ip))
        client, _ = await asyncio.get_running_loop().sock_accept(server)
        with client:
            client.send(b"from the host")
        assert await asking == "from the host\n"
        assert "ConnectionRefusedError" in await stage.ask(up.ip, other)


async def test_two_host_services_on_one_port(stage: Stage) -> None:
    ups = [await stage.runner.start(f"h{n}", HostService(stage.switch, (PortForward(1, 80),))) for n in range(2)]
    assert ups[0].ip != ups[1].ip
    assert ups[0].ports == ups[1].ports == (ServicePort(80),)


async def test_a_tunnel_leads_to_a_service_that_runs_as_long_as_it_is_open(stage: Stage) -> None:
    up = await stage.runner.start("t", Tunnel(stage.switch, "w", stage.web("tunnelled"), (PortForward(8000),)))
    assert up.ip == "127.0.0.1"
    reader, writer = await asyncio.open_connection(up.ip, up.ports[0].number)
    assert await reader.read() == b"tunnelled"
    writer.close()
    await stage.runner.stop("t")
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(up.ip, up.ports[0].number)


async def test_a_tunnel_on_a_port_that_is_taken(stage: Stage) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        with pytest.raises(NetworkError, match=f"tunnel: port {number} of 127.0.0.1 cannot be used: Address already in use"):
            await stage.runner.start("t", Tunnel(stage.switch, "w", stage.web("x"), (PortForward(8000, number),)))


async def test_a_tunnel_for_datagrams(stage: Stage) -> None:
    loop = asyncio.get_running_loop()
    service = stage.container(
        PYTHON,
        "-c",
        ECHO,
        ports=(ServicePort(53, "UDP"),),
        health=HealthProbe(("grep", "-q", ":0035", "/proc/net/udp"), interval=0.02, retries=200),
    )
    up = await stage.runner.start("t", Tunnel(stage.switch, "w", service, (PortForward(53, protocol="UDP"),)))
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        client.setblocking(False)
        await loop.sock_connect(client, (up.ip, up.ports[0].number))
        await loop.sock_sendall(client, b"ping")
        assert await asyncio.wait_for(loop.sock_recv(client, 100), 5) == b"echo ping"

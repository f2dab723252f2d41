"""Asking an address whether an engine listens there, with real sockets."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import anyio
import pytest

from pipelines.engine.lifetime import Lifetime
from pipelines.engine.reach import can_be_asked, reach
from pipelines.engine.watch import watching
from pipelines.errors import EngineLost, EngineUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[str]:
    path = tmp_path / "engine.sock"
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path))
        sock.listen()
        yield f"unix://{path}"


async def test_somebody_listens_at_a_socket(listener: str) -> None:
    """What does not answer is raised."""
    await reach(listener)


async def test_somebody_listens_at_a_port() -> None:
    """What does not answer is raised."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        await reach(f"tcp://127.0.0.1:{sock.getsockname()[1]}")


async def test_no_socket_is_said_with_its_address(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match=r"none\.sock") as caught:
        await reach(f"unix://{tmp_path}/none.sock")
    assert caught.value.cause == "there is no socket at that path"


async def test_a_file_that_nobody_listens_at(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EngineUnavailable) as caught:
        await reach(f"unix://{tmp_path}/file")
    assert caught.value.cause == "nothing listens there"


async def test_a_port_that_nobody_listens_at() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        with pytest.raises(EngineUnavailable, match=r"tcp://127\.0\.0\.1") as caught:
            await reach(f"tcp://127.0.0.1:{sock.getsockname()[1]}")
    assert caught.value.cause == "nothing listens there"


async def test_one_that_never_accepts_is_given_up(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as sock, socket.socket(socket.AF_UNIX) as first:
        sock.bind(str(tmp_path / "full"))
        sock.listen(0)
        first.connect(str(tmp_path / "full"))
        with pytest.raises(EngineUnavailable) as caught:
            await reach(f"unix://{tmp_path}/full", within_s=0.1)
    assert caught.value.cause


@pytest.mark.parametrize("address", ["tcp://host", "tcp://", "tcp://host:99999", "tcp://host:x", "unix://", "tcp://[::1"])
async def test_an_address_that_is_not_one_is_said(address: str) -> None:
    with pytest.raises(EngineUnavailable, match="does not answer"):
        await reach(address)


def test_other_kinds_of_address_are_left_to_the_cli() -> None:
    assert can_be_asked("unix:///run/engine.sock")
    assert not can_be_asked("docker-container://engine")
    assert not can_be_asked("")


async def test_an_engine_that_stops_listening_is_lost(tmp_path: Path) -> None:
    path, lifetime = tmp_path / "engine.sock", Lifetime()
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path))
        sock.listen()
        sock.setblocking(False)
        loop = asyncio.get_running_loop()
        async with watching({f"unix://{path}": "the engine there"}, lifetime, every_s=0.01):
            with anyio.fail_after(20):
                for _ in range(2):  # it was asked twice, and answered
                    asked, _address = await loop.sock_accept(sock)
                    asked.close()
                assert lifetime.error is None
                sock.close()
                error = await lifetime.lost()
    assert error.message == "the engine there went away while it was needed"


async def test_an_engine_that_is_closed_is_not_lost(tmp_path: Path) -> None:
    lifetime = Lifetime()
    async with watching({f"unix://{tmp_path}/none": "the engine"}, lifetime, every_s=1000):
        pass
    lifetime.lose(EngineLost("too late"))
    assert lifetime.error is None

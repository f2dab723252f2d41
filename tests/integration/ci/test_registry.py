from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
from typing import TYPE_CHECKING

import pytest

from ci.machine import process
from ci.machine.errors import SetupError
from ci.machine.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ci.machine.part import Machine


def test_one_is_started_remembered_reused_and_stopped(machine: Machine) -> None:
    registry = Registry(machine)
    assert registry.todo() != []
    registry.provide()
    record = registry.record()
    assert record is not None
    assert registry.todo() == []
    assert Registry(machine).record() == record  # another checkout of this user
    with pytest.raises(ConnectionRefusedError), socket.create_connection((_other_address(), record.port), timeout=2):
        pass
    assert registry.stop()
    assert process.started(record.pid) is None
    os.waitpid(record.pid, 0)
    assert not registry.stop()
    assert registry.todo() != []


def test_a_taken_port_is_left_to_its_owner(machine: Machine) -> None:
    with socket.socket() as taken:
        with contextlib.suppress(OSError):  # somebody else's already, which serves the test as well
            taken.bind(("127.0.0.1", 5000))
        registry = Registry(machine)
        registry.provide()
        record = registry.record()
    assert record is not None
    assert record.port != 5000


def test_a_killed_registry_is_started_again_with_its_data(machine: Machine) -> None:
    registry = Registry(machine)
    registry.provide()
    first = registry.record()
    assert first is not None
    os.kill(first.pid, signal.SIGKILL)
    os.waitpid(first.pid, 0)
    assert registry.record() is None
    registry.provide()
    second = registry.record()
    assert second is not None
    assert (second.pid != first.pid, second.data) == (True, first.data)


def test_a_server_that_is_not_the_recorded_process_does_not_count(machine: Machine) -> None:
    registry = Registry(machine)
    registry.provide()
    file = machine.paths.registry_record
    recorded = file.read_text()
    file.write_text(json.dumps({**json.loads(recorded), "pid": os.getpid()}))
    assert registry.record() is None
    file.write_text(recorded)
    assert registry.record() is not None


def test_a_stale_record_never_costs_another_process_its_life(machine: Machine) -> None:
    machine.paths.state.mkdir(parents=True)
    mine = {"port": 9, "pid": os.getpid(), "started": "another-boot/1", "data": "/nowhere"}
    machine.paths.registry_record.write_text(json.dumps(mine))
    assert not Registry(machine).stop()


def test_a_registry_that_cannot_start_says_why(make_machine: Callable[..., Machine], tmp_path: Path) -> None:
    program = tmp_path / "docker-registry"
    program.write_text("#!/bin/sh\necho the disk is on fire >&2\nexit 1\n")
    program.chmod(0o755)
    registry = Registry(make_machine(PATH=f"{tmp_path}:{os.environ['PATH']}"))
    with pytest.raises(SetupError, match="did not start on port") as caught:
        registry.provide()
    assert "the disk is on fire" in str(caught.value)
    assert registry.record() is None


def _other_address() -> str:
    """An address of this machine that is not loopback's first: a server on every interface would answer here."""
    return "127.0.0.2"

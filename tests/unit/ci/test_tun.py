from __future__ import annotations

from typing import TYPE_CHECKING

from ci.machine.tun import Tun

if TYPE_CHECKING:
    from pathlib import Path

    from ci.machine.part import Machine
    from tests.unit.ci.conftest import FakeRunner


def test_a_closed_device_is_opened_and_an_open_or_absent_one_left(machine: Machine, runner: FakeRunner, tmp_path: Path) -> None:
    device = tmp_path / "tun"
    assert Tun(machine, device).todo() == []
    device.touch()
    device.chmod(0o600)
    assert "0666" in Tun(machine, device).todo()[0]
    Tun(machine, device).provide()
    assert runner.calls == [f"root chmod 0666 {device}"]
    device.chmod(0o666)
    assert Tun(machine, device).todo() == []

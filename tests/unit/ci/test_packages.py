from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ci.machine.errors import SetupError
from ci.machine.packages import NEEDED, Packages

if TYPE_CHECKING:
    from ci.machine.part import Machine
    from tests.unit.ci.conftest import FakeRunner


def installed(*without: str) -> str:
    return "".join(f"{name} installed\n" for name in NEEDED if name not in without) + "python3-gone config-files\n"


def test_nothing_missing_is_nothing_to_do(machine: Machine, runner: FakeRunner) -> None:
    runner.answers["dpkg-query"] = installed()
    assert Packages(machine).todo() == []


def test_only_what_is_missing_is_installed_and_lists_are_fetched_first(machine: Machine, runner: FakeRunner) -> None:
    runner.answers["dpkg-query"] = installed("runc", "skopeo") + "runc config-files\n"
    packages = Packages(machine)
    assert packages.todo() == ["Debian packages: runc skopeo"]
    packages.provide()
    apt = [call.partition("apt-get -q ")[2] for call in runner.calls if "apt-get" in call]
    assert apt == ["update", "install --yes --no-install-recommends runc skopeo"]
    assert all(call.startswith("root ") for call in runner.calls if "apt-get" in call)


def test_ubuntu_22_04_has_no_passt(machine: Machine, runner: FakeRunner) -> None:
    runner.answers["dpkg-query"] = installed("passt")
    assert Packages(replace(machine, system="ubuntu 22.04")).todo() == []
    assert Packages(machine).todo() == ["Debian packages: passt"]


def test_without_a_package_database_everything_is_missing(machine: Machine, runner: FakeRunner) -> None:
    runner.answers["dpkg-query"] = SetupError("no database")
    assert all(name in Packages(machine).todo()[0] for name in NEEDED)

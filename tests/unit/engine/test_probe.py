from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipelines.engine.machine import ProgramResult, ThisMachine
from pipelines.engine.probe import Probe, missing, probe

if TYPE_CHECKING:
    from collections.abc import Sequence

CGROUPS = "8:pids:/\n4:memory:/a\n1:cpu,cpuacct:/\n0::/\n"
GOOD = ProgramResult(0, "namespaces\nproc\noverlay\n")
REFUSED = ProgramResult(1, "", "unshare: unshare failed: Operation not permitted\n")


@dataclass
class FakeMachine:
    programs: frozenset[str] = frozenset({"runc", "skopeo", "unshare", "pasta", "newuidmap"})
    jail: ProgramResult = GOOD
    files: tuple[tuple[str, str], ...] = (("/proc/self/cgroup", CGROUPS),)
    tun: str | None = None
    uid: int = 0
    store: Path = Path("/nowhere/at/all")

    def which(self, name: str) -> str | None:
        return f"/bin/{name}" if name in self.programs else None

    def run(self, command: Sequence[str], *, timeout_s: float = 10.0) -> ProgramResult:
        assert ("--user" in command) is (self.uid != 0)
        return self.jail

    def read(self, path: str) -> str | None:
        return dict(self.files).get(path)

    def can_open(self, path: str) -> str | None:
        return self.tun

    def is_socket(self, path: str) -> bool:
        return False


def answers(machine: FakeMachine) -> dict[str, Probe]:
    return {answer.name: answer for answer in probe({}, machine)}


def test_a_good_machine_lacks_nothing() -> None:
    assert missing({}, FakeMachine()) is None
    assert all(answer.ok and answer.fix is None for answer in answers(FakeMachine()).values())


@pytest.mark.parametrize(("program", "name"), [("runc", "runtime"), ("skopeo", "skopeo")])
def test_a_missing_program_names_its_package(program: str, name: str) -> None:
    machine = FakeMachine(programs=FakeMachine.programs - {program})
    lack = missing({}, machine)
    assert lack is not None
    assert (lack.name, lack.fix) == (name, f"sudo apt-get install {program}")


def test_no_way_out_is_no_obstacle() -> None:
    machine = FakeMachine(programs=FakeMachine.programs - {"pasta"}, tun="No such file or directory")
    assert missing({}, machine) is None
    found = answers(machine)
    assert (found["network"].ok, found["network"].fix) == (False, "sudo apt-get install passt")
    assert "modprobe tun" in str(found["/dev/net/tun"].fix)


@pytest.mark.parametrize(
    ("files", "fix"),
    [
        ((("/proc/sys/user/max_user_namespaces", "0\n"),), "user.max_user_namespaces=15000"),
        ((("/proc/sys/kernel/unprivileged_userns_clone", "0\n"),), "kernel.unprivileged_userns_clone=1"),
        ((("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n"),), "apparmor_restrict_unprivileged_userns=0"),
        ((("/.dockerenv", ""),), "privileged = true"),
        ((("/proc/self/environ", "A=1\0KUBERNETES_SERVICE_HOST=10.0.0.1\0"),), "seccomp=unconfined"),
        ((), "as root"),
    ],
)
def test_refused_namespaces_name_the_setting_in_the_way(files: tuple[tuple[str, str], ...], fix: str) -> None:
    lack = missing({}, FakeMachine(uid=1000, jail=REFUSED, files=files))
    assert lack is not None
    assert (lack.name, lack.detail) == ("namespaces", "unshare: unshare failed: Operation not permitted")
    assert fix in str(lack.fix)


def test_overlay_refused_is_told_apart_from_namespaces_refused() -> None:
    lack = missing({}, FakeMachine(jail=ProgramResult(32, "namespaces\nproc\n", "mount: unknown filesystem type 'overlay'.")))
    assert lack is not None
    assert (lack.name, lack.detail) == ("overlay", "mount: unknown filesystem type 'overlay'.")
    assert lack.fix == "modprobe overlay (kernel 5.11 or later for an ordinary user)"


def test_a_store_that_is_in_the_wrong_place_is_to_be_moved() -> None:
    known = (("/proc/filesystems", "nodev\tproc\nnodev\toverlay\n\text4\n"),)
    lack = missing({}, FakeMachine(jail=ProgramResult(32, "namespaces\nproc\n", "mount: wrong fs type, bad option"), files=known))
    assert lack is not None
    assert "set LOCKGATE_STORE to a folder on a local disk, in a container on a volume" in str(lack.fix)


def test_an_ordinary_user_without_sub_uids_is_told() -> None:
    found = answers(FakeMachine(uid=4242))["sub-uids"]
    assert (found.ok, found.required) == (False, False)
    assert "--add-subuids" in str(found.fix)
    given = FakeMachine(uid=4242, files=(("/etc/subuid", "4242:100000:65536\n"),))
    assert answers(given)["sub-uids"].ok
    assert "sub-uids" not in answers(FakeMachine(uid=0))


def test_this_machine_answers(tmp_path: Path) -> None:
    machine = ThisMachine(dict(os.environ) | {"LOCKGATE_STORE": str(tmp_path)})
    assert machine.store.is_relative_to(tmp_path)
    assert machine.which("sh") is not None
    assert machine.run(["sh", "-c", "echo out; echo err >&2; exit 3"]) == ProgramResult(3, "out\n", "err\n")
    assert machine.run([str(tmp_path / "none")]).code == 127
    assert machine.run(["sh", "-c", "exec sleep 60"], timeout_s=0.05).code == 124
    assert machine.read(str(tmp_path / "none")) is None
    assert machine.can_open(str(tmp_path / "none")) == "No such file or directory"
    assert not machine.is_socket(str(tmp_path))
    assert list(probe(os.environ))


@pytest.mark.parametrize(
    ("machine", "detail"),
    [
        (FakeMachine(uid=1000), "processes, memory, cpus: an ordinary user has no control groups"),
        (FakeMachine(files=(("/proc/self/cgroup", "8:pids:/\n0::/\n"),)), "memory, cpus: the control groups that this process can use"),
        (FakeMachine(files=()), "processes, memory, cpus: the control groups that this process can use"),
    ],
)
def test_limits_that_cannot_be_kept_are_named_and_stop_nobody(machine: FakeMachine, detail: str) -> None:
    limits = answers(machine)["limits"]
    assert (limits.ok, limits.required, bool(limits.fix)) == (False, False, True)
    assert limits.detail.startswith(f"containers without a limit of {detail}")

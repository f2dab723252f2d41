from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ci.machine import catalog, oci
from ci.machine.errors import SetupError
from ci.machine.recipes import database, debian, gotool

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ci.machine.part import Machine
    from tests.unit.ci.conftest import FakeRunner


@pytest.fixture
def specs(checkout: Path) -> dict[str, catalog.ImageSpec]:
    return catalog.load(checkout)


@pytest.fixture
def layouts(machine: Machine) -> dict[str, Path]:
    """A base image that holds certificates."""
    folder = machine.paths.layouts / "python"
    folder.mkdir(parents=True)
    tar = folder.with_name("tar")
    with tar.open("wb") as stream:
        oci.tar_entries([oci.Entry(path=gotool.CERTIFICATES, data=b"public roots")], stream, 0)
    shutil.rmtree(folder)
    with tar.open("rb") as stream:
        oci.write_layout(folder, stream, oci.ImageConfig(architecture="amd64", epoch=0))
    return {"python": folder}


def compiles(args: Sequence[str]) -> str:
    Path(args[args.index("-o") + 1]).write_bytes(b"program")
    return ""


def test_a_tool_is_compiled_once_per_version(
    machine: Machine, runner: FakeRunner, specs: dict[str, catalog.ImageSpec], layouts: dict[str, Path]
) -> None:
    runner.programs.add("go")
    runner.answers |= {"go version": "go version go1.30.1 linux/amd64", "go build": compiles}
    gotool.build(machine, specs["trivy"], machine.paths.layouts / "one", layouts)
    gotool.build(machine, specs["trivy"], machine.paths.layouts / "two", layouts)
    assert sum(call.startswith("go build") for call in runner.calls) == 1
    assert runner.environments[0]["GOEXPERIMENT"] == "jsonv2"
    assert oci.digest(machine.paths.layouts / "one") == oci.digest(machine.paths.layouts / "two")
    assert oci.read_file(machine.paths.layouts / "one", "usr/bin/trivy") == b"program"
    assert oci.read_file(machine.paths.layouts / "one", gotool.CERTIFICATES) == b"public roots"


@pytest.mark.parametrize(
    ("programs", "said", "message"),
    [
        (set(), "", "Go is not installed"),
        ({"go"}, "go version go1.19.8 linux/amd64", r"go1\.19\.8 linux/amd64 is too old: trivy needs Go 1\.\d+"),
        ({"go"}, "go version devel", "too old"),
    ],
)
def test_missing_and_old_go_come_with_a_remedy(
    runner: FakeRunner, specs: dict[str, catalog.ImageSpec], programs: set[str], said: str, message: str
) -> None:
    runner.programs, runner.answers["go version"] = programs, said
    with pytest.raises(SetupError, match=message) as caught:
        gotool.check_go(runner, specs["trivy"].sources)
    assert "go.dev/dl" in str(caught.value)


def test_newer_go_is_fine(runner: FakeRunner, specs: dict[str, catalog.ImageSpec]) -> None:
    runner.programs, runner.answers["go version"] = {"go"}, "go version go2.0 linux/amd64"
    gotool.check_go(runner, specs["trivy"].sources)


def test_a_base_uses_this_machines_mirror_and_keeps_none_of_it(
    machine: Machine, runner: FakeRunner, specs: dict[str, catalog.ImageSpec], tmp_path: Path
) -> None:
    runner.answers["apt-get indextargets"] = (
        "main bookworm http://mirror.internal/debian\nmain bookworm-updates http://mirror.internal/debian\n"
        "contrib bookworm http://mirror.internal/debian\nmain bookworm2 http://other/\nmain trixie http://mirror.internal/debian\n"
    )
    debian.build(machine, specs["python"], tmp_path / "layout", {})
    (command,) = [call for call in runner.calls if "mmdebstrap" in call]
    mirror = "deb http://mirror.internal/debian"
    assert command.endswith(f"bookworm - {mirror} bookworm main {mirror} bookworm-updates main")
    assert "printf '%s' 'deb http://deb.debian.org/debian bookworm main" in command
    assert f"SOURCE_DATE_EPOCH={specs['python'].epoch}" in command
    assert oci.digest(tmp_path / "layout")


def test_a_machine_without_the_suite_uses_the_public_mirrors(
    machine: Machine, runner: FakeRunner, specs: dict[str, catalog.ImageSpec], tmp_path: Path
) -> None:
    runner.answers["apt-get indextargets"] = "main noble http://archive.example/ubuntu\n"
    debian.build(replace(machine, system="ubuntu 24.04"), specs["python"], tmp_path / "layout", {})
    (command,) = [call for call in runner.calls if "mmdebstrap" in call]
    assert command.endswith("deb http://deb.debian.org/debian-security bookworm-security main")
    assert "archive.example" not in command


def test_hooks_leave_the_folder_alone_where_mmdebstrap_keeps_its_configuration() -> None:
    assert not [pattern for pattern in debian.LEFT_OVERS if pattern.startswith(("tmp", "var/lib/apt", "var/cache/apt"))]


def test_a_failed_bootstrap_leaves_no_tar(
    machine: Machine, runner: FakeRunner, specs: dict[str, catalog.ImageSpec], tmp_path: Path
) -> None:
    runner.answers["root unshare"] = SetupError("no mirror")
    with pytest.raises(SetupError, match="no mirror"):
        debian.build(machine, specs["python"], tmp_path / "layout", {})
    assert not list(tmp_path.glob("layout*"))


def test_the_fixture_database_says_that_it_is_one(
    machine: Machine, runner: FakeRunner, specs: dict[str, catalog.ImageSpec], tmp_path: Path
) -> None:
    def loads(args: Sequence[str]) -> str:
        database_file, *fixtures = args[args.index(".") + 1 :]
        assert {Path(name).suffix for name in fixtures} == {".yaml"}
        Path(database_file).write_bytes(b"bolt")
        return ""

    runner.programs.add("go")
    runner.answers |= {"go version": "go version go1.30.1 linux/amd64", "go run": loads}
    database.build(machine, specs["trivy-db"], tmp_path / "layout", {})
    metadata = json.loads(oci.read_file(tmp_path / "layout", "metadata.json"))
    assert (metadata["Version"], metadata["Fixture"]) == (2, True)
    assert "finds nothing real" in metadata["Note"]
    assert oci.read_file(tmp_path / "layout", "trivy.db") == b"bolt"

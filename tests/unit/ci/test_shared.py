"""What set-up leaves for other projects of the user."""

from __future__ import annotations

import dataclasses
import shutil
import stat
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from ci.machine import lock, shared
from ci.machine.registry import Record
from ci.machine.settings import PackageSettings
from pipelines.config.lock import read_lock
from pipelines.config.tables import SharedSettings

if TYPE_CHECKING:
    from ci.machine.part import Machine

ENTRY = lock.Locked(reference=f"localhost:5000/x@sha256:{'1' * 64}", origin="built", fixture=True, key="1-abc")


class Running:
    """A registry that runs."""

    def record(self) -> Record | None:
        return Record(port=5000, pid=1, started="", data="")


class Told:
    """Package settings somebody else read."""

    def package(self) -> PackageSettings:
        return PackageSettings(pip_conf="[global]\nindex-url = https://pypi.example/simple\n", bundle=None)


def part(machine: Machine, checkout: Path) -> shared.Shared:
    for name in ("ci/images.toml", "ci/machine/oci.py", "pipelines/config/images.toml"):
        (machine.paths.checkout / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(checkout / name, machine.paths.checkout / name)
    lock.write([lock.path(machine.paths.checkout)], {"python": ENTRY, "trivy-db": ENTRY, "base": ENTRY})
    return shared.Shared(machine, Running(), Told())


def test_images_and_settings_are_there_for_others_and_nothing_is_left_to_do(machine: Machine, checkout: Path) -> None:
    subject = part(machine, checkout)
    assert subject.todo()
    subject.provide()
    assert not subject.todo()
    assert set(read_lock(machine.paths.config / "images.lock")) == {"python", "trivy-db"}
    file = machine.paths.config / "settings.toml"
    settings = tomllib.loads(file.read_text())
    SharedSettings.model_validate(settings)
    assert settings == {"registry": {"url": "localhost:5000"}, "build": {"secrets": {"pip": f"file://{file.with_name('pip.conf')}"}}}
    assert stat.S_IMODE(file.with_name("pip.conf").stat().st_mode) == 0o600


def test_what_a_person_chose_stays(machine: Machine, checkout: Path) -> None:
    chosen = dataclasses.replace(ENTRY, origin=lock.CHOSEN, key="")
    file, settings = machine.paths.config / "images.lock", machine.paths.config / "settings.toml"
    lock.write([file], {"python": chosen, "mine": chosen})
    settings.write_text('[registry]\nurl = "r.example"\n')
    part(machine, checkout).provide()
    assert lock.read(file)["python"] == chosen
    assert set(lock.read(file)) == {"python", "mine", "trivy-db"}
    assert settings.read_text() == '[registry]\nurl = "r.example"\n'


def test_no_permission_is_among_the_settings() -> None:
    """A made-up database counts only where lockgate.local.toml says so."""
    document = tomllib.loads(shared.render("localhost:5000", Path("/f/pip.conf"), Path("/ca.crt")))
    assert set(document) == {"registry", "build"}

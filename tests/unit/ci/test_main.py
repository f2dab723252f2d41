from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from ci.machine.__main__ import setup
from ci.machine.terminal import minutes

if TYPE_CHECKING:
    from pathlib import Path

    from ci.machine.part import Machine
    from tests.unit.ci.conftest import FakeRunner, FakeVoice


def test_it_says_everything_first_and_no_changes_nothing(machine: Machine, voice: FakeVoice, runner: FakeRunner, checkout: Path) -> None:
    shutil.copytree(checkout / "ci", machine.paths.checkout / "ci", dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    (machine.paths.checkout / "pipelines/config").mkdir(parents=True)
    shutil.copy(checkout / "pipelines/config/images.toml", machine.paths.checkout / "pipelines/config")
    voice.agrees = False
    assert setup(machine, refresh=False) == 1
    said = "\n".join(voice.said)
    for word in (
        "Debian packages: ",
        "requirements.lock",
        "local registry",
        "image trivy 0.67.0",
        "lockgate.local.toml",
        "for other projects of this user",
    ):
        assert word in said
    assert said.endswith("Go on?")
    assert {call.split()[0] for call in runner.calls} == {"dpkg-query"}
    assert not machine.paths.venv.exists()


def test_durations_read_as_people_say_them() -> None:
    assert [minutes(seconds) for seconds in (0, 59.4, 59.6, 60, 390)] == ["0 s", "59 s", "1 m 00 s", "1 m 00 s", "6 m 30 s"]

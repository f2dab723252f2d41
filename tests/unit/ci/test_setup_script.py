from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


def setup(checkout: Path, *args: str, **environ: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "YES": "1", **environ}
    return subprocess.run([str(checkout / "ci/setup"), *args], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("system", ["ID=fedora\nVERSION_ID=41", "ID=debian\nVERSION_ID=11", "ID=ubuntu\nVERSION_ID=20.04", "ID=arch", ""])
def test_another_system_gets_one_message_and_nothing_is_touched(checkout: Path, tmp_path: Path, system: str) -> None:
    (tmp_path / "os-release").write_text(system)
    done = setup(checkout, LOCKGATE_OS_RELEASE=str(tmp_path / "os-release"), LOCKGATE_CACHE=str(tmp_path / "cache"))
    assert done.returncode == 2
    assert "Debian 12 and 13" in done.stderr
    assert "next:" in done.stderr
    assert done.stdout == ""
    assert not (tmp_path / "cache").exists()


def test_a_machine_without_python_gets_it_first(checkout: Path, tmp_path: Path) -> None:
    """`id` says root; the only other programs are the shell's and an apt-get that writes down what it is asked."""
    (tmp_path / "os-release").write_text("ID=ubuntu\nVERSION_ID=22.04\n")
    for name, text in (
        ("apt-get", f'echo "$@" >> {tmp_path}/asked'),
        ("id", "echo 0"),
        ("dirname", '/usr/bin/dirname "$@"'),
    ):
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    done = setup(checkout, PATH=str(tmp_path), LOCKGATE_OS_RELEASE=str(tmp_path / "os-release"))
    assert "python3.11 python3.11-venv" in done.stdout
    assert (tmp_path / "asked").read_text().splitlines() == [
        "update -q",
        "install -q -y --no-install-recommends python3.11 python3.11-venv",
    ]
    assert done.returncode != 0  # that apt-get installs nothing


def test_help_says_what_it_obeys(checkout: Path) -> None:
    done = setup(checkout, "--help")
    assert done.returncode == 0
    for word in ("YES=1", "LOCKGATE_CACHE", "LOCKGATE_IMAGES", "--refresh", "--stop"):
        assert word in done.stdout


def test_an_unknown_word_is_a_usage_error(checkout: Path) -> None:
    done = setup(checkout, "--stpo")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr

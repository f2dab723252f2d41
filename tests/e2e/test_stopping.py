"""A run that is stopped stops everything it started."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.e2e.conftest import Checkout

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.registry, pytest.mark.timeout(300)]

DOCKERFILE = "ARG BASE\nFROM $BASE\nRUN mkdir /reports\n"
CONFIG = """[project]
name = "small"
[images.app]
base = "python"
[tests.long]
image = "app"
command = ["sleep", "4217"]
[tests.beside]
image = "app"
command = ["sleep", "4218"]
services = { web = { image = "app", port = 80, command = ["python3", "-m", "http.server", "80"] } }
"""


def processes(word: str) -> list[int]:
    """Processes with a word among their arguments, or a path in their environment, whatever namespace they are in.

    A number is not looked for in environments: it may be a part of any other number there.
    """
    return list(_matching(word.encode()))


def _matching(word: bytes) -> Iterator[int]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                found = word in (folder / "cmdline").read_bytes().split(b"\0") or (
                    b"/" in word and word in (folder / "environ").read_bytes()
                )
            except OSError:
                continue
            if found:
                yield int(folder.name)


def until(condition: Callable[[], bool], deadline_s: float) -> bool:
    end = time.monotonic() + deadline_s
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.1)
    return condition()


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_midway_leaves_nothing_behind(make: Callable[..., Checkout], signum: signal.Signals, code: int, tmp_path: Path) -> None:
    project = make(lockgate_dot_toml=CONFIG, Dockerfile=DOCKERFILE)
    store = tmp_path / f"store-{signum}"
    environ = {**project.environ, "LOCKGATE_STORE": str(store)}
    with subprocess.Popen(
        project.command("run", "--json"), cwd=project.root, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        assert until(lambda: bool(processes("4217") and processes("4218")), 200)
        began = time.monotonic()
        run.send_signal(signum)
        stdout, stderr = run.communicate(timeout=60)
    assert run.returncode == code, stderr
    assert time.monotonic() - began < 30
    assert '"status": "cancelled"' in stdout
    assert '"status": "passed"' in stdout
    assert "Traceback" not in stderr
    for word in ("4217", "4218", str(store)):
        assert until(lambda word=word: not processes(word), 20), word  # type: ignore[misc]  # the loop's word, now
    assert str(store) not in Path("/proc/self/mountinfo").read_text()
    assert (project.root / ".lockgate/reports/junit.xml").is_file()

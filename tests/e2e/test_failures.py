"""Bad input on small projects: one clear message, the right exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.conftest import Checkout

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.registry, pytest.mark.timeout(300)]

DOCKERFILE = "ARG BASE\nFROM $BASE AS app\nRUN mkdir /reports\n"
CONFIG = '[project]\nname = "small"\n[images.app]\nbase = "python"\n'


def unit(script: str, more: str = "") -> str:
    return f"[tests.unit]\nimage = \"app\"\ncommand = ['sh', '-c', '''{script}''']\n{more}"


DEAF = '[tests.unit.services.web]\nimage = "app"\nport = 80\ncommand = ["sleep", "600"]\ndeadline = "2s"\n'
PERF = '[perf.load]\nscript = "load.js"\nservice = { image = "app", port = 80, command = ["python3", "-m", "http.server", "80"] }\n'
FAILING = "ARG BASE\nFROM $BASE\nRUN echo why >&2; exit 7\n"


@pytest.mark.parametrize(
    ("more", "step", "code", "says"),
    [
        ('dockerfile = "Containerfile"\n', "image.app", 1, "there is no Dockerfile at"),
        ('target = "ap"\n', "image.app", 1, 'target stage "ap" could not be found'),
        ('dockerfile = "Failing"\n', "image.app", 1, "`echo why >&2; exit 7` exited with code 7 (why)"),
        ('secrets = { pip = "env://LOCKGATE_NO_SUCH_VARIABLE" }\n', "image.app", 4, "secret pip cannot be read"),
        (unit("sleep 600", 'timeout = "5s"\n'), "test.unit", 1, "stopped after"),
        (unit("kill -9 $$"), "test.unit", 1, "SIGKILL"),
        (unit("true", DEAF), "test.unit", 1, "service web did not open port 80 within 2 s"),
        (PERF, "perf.load", 1, "load.js failed"),
        ('[scan]\ndatabase = "no-such-database"\n', "scan.app", 4, "needs the image 'no-such-database'"),
    ],
)
def test_what_goes_wrong_is_told(make: Callable[..., Checkout], more: str, step: str, code: int, says: str) -> None:
    project = make(lockgate_dot_toml=CONFIG + more, Dockerfile=DOCKERFILE, Failing=FAILING, load_dot_js="export default function ( {")
    ended = project.run(step)
    assert ended.code == code, ended.stderr
    assert says in ended.steps[step]["reason"]
    assert "Traceback" not in ended.stderr


def test_an_unknown_table_is_a_usage_error(make: Callable[..., Checkout]) -> None:
    ended = make(lockgate_dot_toml=CONFIG + "[pref.x]\n", Dockerfile=DOCKERFILE).run()
    assert (ended.code, ended.stdout) == (2, "")
    assert "did you mean perf" in ended.stderr

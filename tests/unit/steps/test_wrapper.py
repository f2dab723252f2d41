"""The wrapper's script under the shells images have; it must do the same in all of them."""

from __future__ import annotations

import contextlib
import http.server
import math
import os
import shutil
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.steps.common.wrapper import (
    PLACE,
    SCRIPT,
    SIGNALLED,
    STAMP_VARIABLE,
    UNHEALTHY,
    UNTIL_VARIABLE,
    Health,
    read,
    spelled,
    wrapped,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from pipelines.steps.common.wrapper import WrapperReport

SHELLS = [shell for shell in ("dash", "bash", "busybox") if shutil.which(shell)]


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> tuple[str, ...]:
    name = str(request.param)
    return (name, "sh") if name == "busybox" else (name,)


def run(
    shell: Sequence[str], *command: str, health: Sequence[Health] = (), env: Mapping[str, str] | None = None
) -> tuple[WrapperReport, subprocess.CompletedProcess[str]]:
    script, *arguments = wrapped(command, health)[1:]
    assert script == PLACE
    words = [*shell, "-c", SCRIPT, PLACE, *arguments]
    done = subprocess.run(
        words, capture_output=True, text=True, check=False, env={**os.environ, STAMP_VARIABLE: spelled("S1"), **(env or {})}
    )
    return read(done.stderr), done


def numbers(number: int) -> str:
    return "".join("\x01\x02\x03\x04\x05\x06\x07\x08\x0e\x0f"[int(digit)] for digit in str(number))


def later(seconds: int) -> str:
    return str(math.ceil(time.time()) + seconds)


def test_output_keeps_its_order_and_the_exit_code_its_value(shell: tuple[str, ...]) -> None:
    report, done = run(shell, "sh", "-c", "echo one; echo two >&2; echo three; exit 3")
    assert done.stdout == "one\ntwo\nthree\n"
    assert (report.exit_code, done.returncode, report.text) == (3, 3, "")
    assert report.marks == {"stamp": "S1"}


def test_output_without_a_line_break_at_its_end(shell: tuple[str, ...]) -> None:
    report, done = run(shell, "printf", "no end")
    assert (done.stdout, report.exit_code) == ("no end", 0)


def test_the_command_sees_none_of_our_variables(shell: tuple[str, ...]) -> None:
    _, done = run(shell, "env", env={UNTIL_VARIABLE: later(60), "LOCKGATE_ATTEMPT": "a", "KEPT": "yes"})
    assert "LOCKGATE" not in done.stdout.replace("LOCKGATE_CONFIG_DIRS", "")  # the tests' own, see tests/conftest.py
    assert "KEPT=yes\n" in done.stdout


def test_arguments_arrive_as_they_are(shell: tuple[str, ...]) -> None:
    awkward = ["a b", "$HOME", "--health", "'", "", "*", "--", "\\n"]
    _, done = run(shell, "printf", "%s|", *awkward)
    assert done.stdout == "".join(f"{word}|" for word in awkward)


@pytest.mark.parametrize("number", [1, 9, 11, 15, 63])
def test_an_exit_by_signal_keeps_its_output(shell: tuple[str, ...], number: int) -> None:
    report, done = run(shell, "sh", "-c", f"echo before; kill -{number} $$")
    assert done.stdout.startswith("before\n")
    assert report.marks["signal"] == str(number)
    assert report.exit_code == done.returncode == SIGNALLED


def test_a_command_that_takes_too_long_keeps_its_output(shell: tuple[str, ...]) -> None:
    report, done = run(shell, "sh", "-c", "echo before; exec sleep 60", env={UNTIL_VARIABLE: later(1)})
    assert done.stdout.startswith("before\n")
    assert report.marks["timeout"] in {"1", "2"}
    assert report.exit_code == done.returncode == SIGNALLED


def test_a_command_whose_time_is_over_before_it_starts_gets_a_second(shell: tuple[str, ...]) -> None:
    report, _ = run(shell, "sleep", "60", env={UNTIL_VARIABLE: later(-100)})
    assert report.marks["timeout"] == "1"


def test_an_early_exit_with_the_code_of_a_timeout_is_none(shell: tuple[str, ...]) -> None:
    report, _ = run(shell, "sh", "-c", "exit 124", env={UNTIL_VARIABLE: later(30)})
    assert (report.exit_code, report.marks) == (124, {"stamp": "S1"})


def test_a_command_that_is_not_there(shell: tuple[str, ...]) -> None:
    report, done = run(shell, "no-such-program")
    assert report.exit_code == 127
    assert "not found" in done.stdout


class Sick(http.server.BaseHTTPRequestHandler):
    """Answers 503 so many times, then 302: a service that comes up."""

    left = 0

    def do_GET(self) -> None:
        sick = type(self).left > 0
        type(self).left -= 1
        self.send_response(503 if sick else 204)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def serving(sick_answers: int) -> Iterator[str]:
    handler = type("Handler", (Sick,), {"left": sick_answers})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/healthz"
        finally:
            server.shutdown()
            thread.join()


def only(tool: str, folder: Path) -> dict[str, str]:
    """A PATH with the basic tools and one to ask with."""
    for name in (tool, "sh", "date", "sleep", "tail", "env", "printf", "echo", "timeout"):
        program = sys.executable if name == "python3" else shutil.which(name)
        if program and not (folder / name).exists():
            (folder / name).symlink_to(program)
    return {"PATH": str(folder)}


@pytest.mark.parametrize("tool", [tool for tool in ("curl", "python3", "wget", "node") if shutil.which(tool)])
def test_a_service_is_waited_for_with_whatever_the_image_has(tool: str, tmp_path: Path) -> None:
    with serving(sick_answers=2) as url:
        health = Health(alias="shop", url=url, deadline_s=20)
        report, done = run((shutil.which("sh") or "sh",), "echo", "ran", health=[health], env=only(tool, tmp_path))
    assert (done.stdout, report.exit_code) == ("ran\n", 0)


def test_a_service_that_stays_sick_stops_the_command_from_starting(shell: tuple[str, ...]) -> None:
    with serving(sick_answers=10**6) as url:
        report, done = run(shell, "echo", "ran", health=[Health(alias="shop", url=url, deadline_s=1)])
    assert done.stdout == ""
    assert report.exit_code == done.returncode == UNHEALTHY
    assert report.marks["unhealthy"].startswith("shop 1 ")
    assert "503" in report.marks["unhealthy"]


def test_without_any_tool_to_ask_with_it_says_so_at_once(tmp_path: Path) -> None:
    health = Health(alias="shop", url="http://127.0.0.1:9/", deadline_s=600)
    report, _ = run((shutil.which("sh") or "sh",), "echo", "ran", health=[health], env=only("env", tmp_path))
    assert report.marks["unhealthy"] == "shop 600 none of curl, python3, wget, node is in the image to ask with"


@pytest.mark.parametrize("stream", ["1", "2"])
def test_a_command_cannot_print_marks(stream: str) -> None:
    report, done = run(("sh",), "sh", "-c", f"printf '\\036\\005\\001\\n' >&{stream}; exit 3")
    assert (report.exit_code, report.marks) == (3, {"stamp": "S1"})
    assert done.stdout == "\x1e\x05\x01\n"


@given(output=st.text(st.characters(exclude_characters="\x1e", codec="utf-8")), code=st.integers(0, 255))
def test_marks_are_taken_out_of_any_text(output: str, code: int) -> None:
    report = read(f"\x1e\x01{spelled('S9')}\n{output}\x1e\x05{numbers(code)}\n")
    assert (report.text, report.exit_code, report.marks) == (output, code, {"stamp": "S9"})


@given(st.text())
def test_any_output_is_read_without_harm(output: str) -> None:
    read(output)


@pytest.mark.parametrize("code", [0, 1, 7, 8, 9, 42, 108, 250])
@pytest.mark.parametrize("secret", ["0", "1", "8", "a", "e", "x", "36", "stamp", "lockgate", "S1", "53", " "])
def test_a_short_secret_that_an_engine_masks_changes_nothing(shell: tuple[str, ...], secret: str, code: int) -> None:
    _, done = run(shell, "sh", "-c", f"exit {code}")
    report = read(done.stderr.replace(secret, "***"))
    assert (report.exit_code, report.marks) == (code, {"stamp": "S1"})


def test_a_limit_is_understood_whatever_is_masked() -> None:
    _, done = run(("sh",), "sleep", "60", env={UNTIL_VARIABLE: later(-100)})
    assert read(done.stderr.replace("1", "***").replace("t", "***")).marks["timeout"] == "1"

from __future__ import annotations

import asyncio
import json
import os
from typing import TYPE_CHECKING

import pytest

from pipelines.engine.embedded.errors import ImageError, Unavailable
from pipelines.engine.embedded.images import skopeo
from pipelines.engine.embedded.images.logins import Login

if TYPE_CHECKING:
    from pathlib import Path


def log(message: str) -> str:
    return f'time="2026-01-01T00:00:00Z" level=fatal msg={json.dumps(message)}\n'


MISSING = [
    'Error parsing image name "docker://h/nope:1": reading manifest 1 in h/nope: manifest unknown: manifest unknown',
    "reading manifest 1 in h/nope: name unknown: repository name not known to registry",
    "reading manifest sha256:00 in h/nope: StatusCode: 404, <html>",
]
OTHERS = [
    (
        'pinging container registry localhost:1: Get "http://localhost:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused',
        'failed to do request: Get "http://localhost:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused',
    ),
    ("something else", "something else"),
    ('exec: "docker-credential-x": executable file not found in $PATH', 'exec: "docker-credential-x": executable file not found in $PATH'),
]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program in skopeo's place, found first on the path."""
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    return tmp_path / "skopeo"


def script(program: Path, text: str) -> None:
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)


@pytest.mark.parametrize("message", MISSING)
def test_what_is_not_there(message: str) -> None:
    assert type(skopeo.fault(log("one") + log(message), 1)) is skopeo.NotThere


@pytest.mark.parametrize(("message", "expected"), OTHERS)
def test_what_else_goes_wrong(message: str, expected: str) -> None:
    found = skopeo.fault(log(message), 1)
    assert (type(found), found.message) == (ImageError, expected)


def test_a_refusal_says_what_to_do() -> None:
    found = skopeo.fault(log("reading manifest 1 in h/x: unauthorized: authentication required"), 1)
    assert "unauthorized: authentication required (log in to the registry" in found.message


def test_silence_is_told_by_its_exit_code() -> None:
    assert skopeo.fault("", 137).message == "skopeo ended with exit code 137"


async def test_output_and_arguments(program: Path) -> None:
    script(program, 'printf "%s|" "$@"')
    out = (await skopeo.run(["inspect", "--raw", "docker://a"], {})).decode()
    assert out.removeprefix("--insecure-policy|") == "inspect|--raw|docker://a|"


async def test_credentials_come_in_a_file_never_in_arguments(program: Path) -> None:
    script(program, 'printf "%s " "$@"; for a in "$@"; do [ -f "$a" ] && stat -c %a "$a"; done; exit 0')
    out = (await skopeo.run(["inspect", "x"], {"host": Login("me", b"s3cret")})).decode()
    assert "--authfile" in out
    assert "600" in out
    assert "s3cret" not in out


async def test_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="install the package skopeo"):
        await skopeo.run(["inspect"], {})


async def test_its_failure_is_an_image_error(program: Path) -> None:
    script(program, f"cat >&2 <<'EOF'\n{log('no such thing')}EOF\nexit 1")
    with pytest.raises(ImageError, match="no such thing"):
        await skopeo.run(["inspect"], {})


@pytest.mark.parametrize("stubborn", [False, True])
async def test_cancelling_ends_the_process(program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, stubborn: bool) -> None:
    fifo = tmp_path / "started"
    os.mkfifo(fifo)
    ignore = "trap '' TERM; " if stubborn else ""
    script(program, f"{ignore}echo $$ > {fifo}; sleep 60; exit 3")
    task = asyncio.ensure_future(skopeo.run(["copy"], {}))
    pid = int(await asyncio.to_thread(fifo.read_text))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_registry_that_says_nothing_is_given_up(program: Path) -> None:
    script(program, "exec sleep 600")
    with pytest.raises(ImageError, match="the registry gave no answer within"):
        await skopeo.run(["inspect", "x"], {}, timeout_s=0.2)

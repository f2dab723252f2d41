from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import TYPE_CHECKING

import pytest

from pipelines.engine.embedded.errors import (
    DiskFull,
    EmbeddedUnavailable,
    ImageDamaged,
    ImageError,
    ImageNotFound,
    RegistryBusy,
    RegistryDenied,
    RegistryError,
    RegistrySilent,
    RegistryUnknown,
    RegistryUntrusted,
)
from pipelines.engine.embedded.images.registry import skopeo
from pipelines.engine.embedded.images.registry.skopeo import RegistryAccess, RegistryTimeouts
from pipelines.engine.embedded.images.registry.skopeo_errors import skopeo_error
from pipelines.foundation.registry_login import RegistryLogin

if TYPE_CHECKING:
    from pathlib import Path


def log(message: str) -> str:
    return f'time="2026-01-01T00:00:00Z" level=fatal msg={json.dumps(message)}\n'


HOST = "r.example.com"
TRICKLE = """import os, time
while os.write(1, b"x"):
    time.sleep(0.02)
"""
ASKING = RegistryAccess()
MISSING = [
    'Error parsing image name "docker://h/nope:1": reading manifest 1 in h/nope: manifest unknown: manifest unknown',
    "reading manifest 1 in h/nope: name unknown: repository name not known to registry",
    "reading manifest sha256:00 in h/nope: StatusCode: 404, <html>",
]
REFUSED = [
    "reading manifest 1 in h/x: unauthorized: authentication required",
    "writing manifest: uploading manifest 1 to h/x: denied: requested access to the resource is denied",
    "requesting bearer token: invalid status code from registry 403 (Forbidden)",
    "checking whether a blob sha256:00 exists in h/x: authentication required",
    "unable to retrieve auth token: invalid username/password: unauthorized",
]
BUSY = [
    "reading manifest 1 in h/x: received unexpected HTTP status: 503 Service EmbeddedUnavailable",
    "invalid status code from registry 429 (Too Many Requests)",
    "fetching blob: StatusCode: 502, <html>bad gateway</html>",
    "too many requests to registry",
    "reading manifest 1 in h/x: toomanyrequests: slow down",
]
UNTRUSTED = [
    'pinging container registry h: Get "https://h/v2/": tls: failed to verify certificate: x509: certificate signed by unknown authority',
    'pinging container registry h: Get "https://h/v2/": http: server gave HTTP response to HTTPS client',
]
UNKNOWN = ['pinging container registry h: Get "https://h/v2/": dial tcp: lookup h on 10.0.0.1:53: no such host']
BROKEN = [
    'pinging container registry localhost:1: Get "http://localhost:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused',
    'initializing source docker://h/x:1: reading manifest 1 in h/x: Get "https://h/v2/x/manifests/1": EOF',
    "copying system image: writing blob: storing blob to file: happened during read: unexpected EOF",
    "copying system image: writing blob: happened during read: Digest did not match, expected sha256:00, got sha256:01",
    "writing blob: Patch https://h/v2/x: write tcp 127.0.0.1:1->127.0.0.1:2: write: broken pipe",
    'reading blob: Get "https://h/v2/x/blobs/sha256:00": read tcp 127.0.0.1:1->127.0.0.1:2: read: connection reset by peer',
]
ELSE = ["something else", 'exec: "docker-credential-x": executable file not found in $PATH']


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program in skopeo's place, found first on the path."""
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    return tmp_path / "skopeo"


def script(program: Path, text: str) -> None:
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        *((ImageNotFound, one) for one in MISSING),
        *((RegistryDenied, one) for one in REFUSED),
        *((RegistryBusy, one) for one in BUSY),
        *((RegistryUntrusted, one) for one in UNTRUSTED),
        *((RegistryUnknown, one) for one in UNKNOWN),
        *((RegistryError, one) for one in BROKEN),
        *((ImageError, one) for one in ELSE),
    ],
)
def test_what_its_last_words_mean(kind: type[ImageError], message: str) -> None:
    found = skopeo_error(log("one") + log(message), 1, HOST)
    assert type(found) is kind
    assert getattr(found, "registry", HOST) == HOST


@pytest.mark.parametrize("name", ["unauthorized", "denied", "429", "503", "eof", "x509", "manifest-unknown", "too-many-requests"])
@pytest.mark.parametrize("place", ["h/{}:1", "h/x:{}", "h/{}/{}:{}", "{}:5000/x:1"])
def test_what_an_image_is_called_means_nothing(name: str, place: str) -> None:
    reference = place.format(name, name, name)
    for said in (f"reading manifest 1 in {reference}: something else", f"initializing source docker://{reference}: something else"):
        assert type(skopeo_error(log(said), 1)) is ImageError


def test_a_failed_request_is_told_with_its_address() -> None:
    assert skopeo_error(log(BROKEN[0]), 1).message == (
        'failed to do request: Get "http://localhost:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused'
    )


def test_a_refusal_says_what_to_do() -> None:
    found = skopeo_error(log("reading manifest 1 in h/x: unauthorized: authentication required"), 1)
    assert "unauthorized: authentication required (log in to the registry" in found.message


def test_a_full_disk_is_one() -> None:
    assert type(skopeo_error(log("writing blob: write /store/tmp/x/blobs/a: no space left on device"), 1)) is DiskFull


def test_silence_is_told_by_its_exit_code() -> None:
    assert skopeo_error("", 137).message == "skopeo ended with exit code 137"


async def test_output_and_arguments(program: Path) -> None:
    script(program, 'printf "%s|" "$@"')
    out = (await skopeo.ask(["inspect", "--raw", "docker://a"], HOST, ASKING)).decode()
    assert out.removeprefix("--insecure-policy|") == "inspect|--raw|docker://a|"


async def test_credentials_come_in_a_file_without_a_name_never_in_arguments(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can be left on a disk then, also when the engine and skopeo are killed."""
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(program.with_name("none.json")))
    script(program, 'for word in "$@"; do echo "$word"; [ -f "$word" ] && stat -L -c "%a %h" "$word" && cat "$word" "$word"; done; exit 0')
    out = (await skopeo.ask(["inspect", "x"], HOST, RegistryAccess({"host": RegistryLogin("me", b"s3cret")}))).decode()
    path, facts, content = out.partition("--authfile\n")[2].splitlines()[:3]
    assert path.startswith("/proc/self/fd/")
    assert facts == "600 0"
    document = json.dumps({"auths": {"host": {"auth": RegistryLogin("me", b"s3cret").encoded()}}})
    assert content.startswith(document)
    assert content.count(document) == 2
    assert "s3cret" not in out


async def test_without_logins_skopeo_inherits_only_its_three_streams(program: Path) -> None:
    script(program, "ls /proc/self/fd")
    assert len((await skopeo.ask(["inspect"], HOST, ASKING)).split()) == 4  # with the folder that ls reads


async def test_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EmbeddedUnavailable, match="install the package skopeo"):
        await skopeo.ask(["inspect"], HOST, ASKING)


async def test_its_failure_is_an_image_error(program: Path) -> None:
    script(program, f"cat >&2 <<'EOF'\n{log('no such thing')}EOF\nexit 1")
    with pytest.raises(ImageError, match="no such thing"):
        await skopeo.ask(["inspect"], HOST, ASKING)


@pytest.mark.parametrize("stubborn", [False, True])
async def test_cancelling_ends_the_process(program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, stubborn: bool) -> None:
    fifo = tmp_path / "started"
    os.mkfifo(fifo)
    ignore = "trap '' TERM; " if stubborn else ""
    script(program, f"{ignore}echo $$ > {fifo}; sleep 60; exit 3")
    task = asyncio.ensure_future(skopeo.transfer(["copy"], HOST, ASKING, stall_s=60))
    pid = int(await asyncio.to_thread(fifo.read_text))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_registry_that_says_nothing_is_given_up(program: Path) -> None:
    script(program, "exec sleep 600")
    with pytest.raises(RegistrySilent, match=r"the registry r\.example\.com gave no answer within") as caught:
        await skopeo.ask(["inspect", "x"], HOST, RegistryAccess(timeouts=RegistryTimeouts(answer_s=0.2)))
    assert caught.value.registry == HOST


@pytest.mark.parametrize("trickle", ["exec sleep 600", f"exec {sys.executable} -c '{TRICKLE}'"])
async def test_a_transfer_that_hardly_moves_is_given_up(program: Path, trickle: str) -> None:
    script(program, trickle)
    with pytest.raises(RegistrySilent, match=r"the registry r\.example\.com moved less than 64 KiB within 0\.5 s"):
        await skopeo.transfer(["copy"], HOST, ASKING, stall_s=0.5)


async def test_a_transfer_that_moves_may_take_its_time(program: Path) -> None:
    """One that was taken to be stalled is an error."""
    script(program, "for n in 1 2 3 4 5 6; do head -c 200000 /dev/zero > /dev/null; sleep 0.1; done")
    await skopeo.transfer(["copy"], HOST, RegistryAccess(timeouts=RegistryTimeouts(least=1000)), stall_s=0.4)


async def test_an_answer_without_end_is_not_kept(program: Path) -> None:
    script(program, "exec cat /dev/zero")
    with pytest.raises(ImageDamaged, match="damaged image: manifest: it has more than 4 MiB"):
        await skopeo.ask(["inspect", "x"], HOST, ASKING)

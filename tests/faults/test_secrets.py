"""A secret's value: in no layer, not in the store, not in the log, masked however it is printed."""

from __future__ import annotations

import gzip
import json
import secrets
from typing import TYPE_CHECKING

import dagger
import httpx
import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.engine import Engines

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.rootless]

SPLIT = """
import os, sys, time
value = os.environ["PW"].encode()
for stream in (1, 2):
    for part in (b"<", value[:5], value[5:9], value[9:], b">", value, value[:4]):
        os.write(stream, part)
        time.sleep(0.02)
"""
FILES = "import sys; v=open('/run/pw').read(); print(v, v*2, v[::-1]); sys.stdout.flush(); sys.stderr.write(v)"


def holding(folder: Path, value: bytes) -> list[Path]:
    """Files below `folder` with the value in them, also compressed ones."""
    found = []
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            data = path.read_bytes()
            if value in data or (data[:2] == b"\x1f\x8b" and value in gzip.decompress(data)):
                found.append(path)
    return found


async def blobs(reference: str) -> dict[str, bytes]:
    """Everything a registry holds for an image."""
    name, digest = reference.split("@")
    host, repository = name.split("/", 1)
    url = f"http://{host}/v2/{repository.rsplit(':', 1)[0]}"
    accept = {"accept": "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"}
    async with httpx.AsyncClient() as http:
        manifest = (await http.get(f"{url}/manifests/{digest}", headers=accept)).raise_for_status().content
        found = {"manifest": manifest}
        for part in (json.loads(manifest)["config"], *json.loads(manifest)["layers"]):
            found[part["digest"]] = (await http.get(f"{url}/blobs/{part['digest']}")).raise_for_status().content
        return found


async def test_it_is_nowhere_but_where_it_was_given(engines: Engines, image: str, registry: str, tmp_path: Path) -> None:
    value = f"value-{secrets.token_hex(12)}"
    engine = engines.start()
    async with engine.client() as client:
        secret = client.set_secret("password", value)
        base = client.container().from_(image).with_secret_variable("PW", secret).with_mounted_secret("/run/pw", secret)
        split = base.with_exec(["python3", "-c", SPLIT])
        assert [await split.stdout(), await split.stderr()] == ["<***>***valu"] * 2
        printed = split.with_exec(["python3", "-c", FILES])
        assert await printed.stdout() == f"*** ****** {value[::-1]}\n"
        assert await printed.stderr() == "***"
        redirected = printed.with_exec(["sh", "-c", "echo $PW"], redirect_stdout="/told")
        assert await redirected.file("/told").contents() == "***\n"
        with pytest.raises(dagger.ExecError) as caught:
            await redirected.with_exec(["sh", "-c", "echo $PW; cat /run/pw >&2; exit 3"]).sync()
        assert value not in f"{caught.value} {caught.value.stdout} {caught.value.stderr}"
        reference = await redirected.publish(f"{registry}/faults/secret:1")
        await redirected.as_tarball().export(str(tmp_path / "image.tar"))
    assert engine.close() == 0
    for digest, data in (await blobs(reference)).items():
        plain = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
        assert value.encode() not in plain, digest
    assert value not in engine.said
    assert holding(engines.root, value.encode()) == []
    assert holding(tmp_path, value.encode()) == []


async def test_what_a_command_writes_of_it_is_the_commands_doing(engines: Engines, image: str) -> None:
    """The search finds what is there: it can fail."""
    value = f"value-{secrets.token_hex(12)}"
    engine = engines.start()
    async with engine.client() as client:
        given = client.container().from_(image).with_secret_variable("PW", client.set_secret("p", value))
        await given.with_exec(["sh", "-c", "echo $PW > /kept"]).sync()
    assert engine.close() == 0
    assert [path.name for path in holding(engines.root, value.encode())] == ["kept"]

"""A registry of a test's own, and images made by hand to push to it."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.images import manifest
from pipelines.engine.embedded.images.manifest import digest_bytes, dump

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

START_S = 15.0
USER, PASSWORD = "me", "s3cret"
HTPASSWD = f"{USER}:$2b$04$vVAmVJsYx.1ViWph6m0EKet.Q3c9AosQnp7.sUCl/35iTce7/RFM.\n"  # bcrypt of PASSWORD


@dataclass
class Registry:
    """Debian's docker-registry on loopback; knows what it was asked."""

    address: str
    log: Path
    process: subprocess.Popen[bytes]
    command: list[str]

    @classmethod
    def start(cls, folder: Path, *, secured: bool = False) -> Registry:
        program = shutil.which("docker-registry")
        assert program is not None, "docker-registry is not installed: run ci/setup"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{probe.getsockname()[1]}"
        config: dict[str, Any] = {
            "version": 0.1,
            "log": {"level": "error", "accesslog": {"disabled": False}},
            "storage": {"filesystem": {"rootdirectory": str(folder / "data")}, "delete": {"enabled": True}},
            "http": {"addr": address},
        }
        if secured:
            (folder / "htpasswd").write_text(HTPASSWD)
            config["auth"] = {"htpasswd": {"realm": "tests", "path": str(folder / "htpasswd")}}
        (folder / "config.json").write_text(json.dumps(config))
        command = [program, "serve", str(folder / "config.json")]
        made = cls(address, folder / "log", cls._run(command, folder / "log"), command)
        made._await()
        return made

    @staticmethod
    def _run(command: list[str], log: Path) -> subprocess.Popen[bytes]:
        with log.open("ab") as out:
            return subprocess.Popen(command, stdout=out, stderr=out)

    def _await(self) -> None:
        deadline = time.monotonic() + START_S
        while True:
            try:
                connection = http.client.HTTPConnection(self.address, timeout=1)
                connection.request("GET", "/v2/")
                connection.getresponse().read()
                connection.close()
            except OSError:
                assert time.monotonic() < deadline, self.log.read_text()
                assert self.process.poll() is None, self.log.read_text()
                time.sleep(0.02)
            else:
                self.log.write_text("")
                return

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()

    def asked(self, pattern: str) -> int:
        """How many requests there were, since the last `forget`, whose method and path match; those of a session that ended."""
        return len(re.findall(rf'"{pattern} HTTP/', self.log.read_text()))

    def forget(self) -> None:
        os.truncate(self.log, 0)

    def push(self, name: str, layers: Sequence[bytes], **changes: Any) -> str:
        """Push an image of these plain tars; returns its reference with digest."""
        folder = self.log.parent / f"image-{name.replace('/', '-').replace(':', '-')}"
        digest = write_image(folder, layers, **changes)
        return self.send(folder, name, digest)

    def send(self, folder: Path, name: str, digest: str) -> str:
        target = f"{self.address}/{name}"
        flags = ["--quiet", "--all", "--preserve-digests", "--dest-tls-verify=false", "--insecure-policy"]
        subprocess.run(["skopeo", "copy", *flags, f"dir:{folder}", f"docker://{target}"], check=True)
        return f"{target}@{digest}"


def write_image(
    folder: Path, layers: Sequence[bytes], *, platform: str = "amd64", diff_ids: Sequence[str] | None = None, config: Any = None
) -> str:
    """An image in the layout of skopeo's `dir:`; returns the manifest's digest."""
    folder.mkdir(exist_ok=True)
    (folder / "version").write_text("Directory Transport Version: 1.1\n")
    facts = {"os": "linux", "architecture": platform, "config": config or {"Env": ["A=1"]}}
    settings = dump(facts | {"rootfs": {"type": "layers", "diff_ids": list(diff_ids or map(digest_bytes, layers))}})
    document = dump(
        {
            "schemaVersion": 2,
            "mediaType": manifest.OCI_MANIFEST,
            "config": _blob(folder, manifest.OCI_CONFIG, settings),
            "layers": [_blob(folder, manifest.OCI_LAYER, layer) for layer in layers],
        }
    )
    (folder / "manifest.json").write_bytes(document)
    return digest_bytes(document)


def write_index(folder: Path, layers: dict[str, Sequence[bytes]]) -> str:
    """An index over images by architecture."""
    entries = []
    for platform, tars in layers.items():
        digest = write_image(folder, tars, platform=platform)
        document = (folder / "manifest.json").read_bytes()
        (folder / f"{digest.removeprefix('sha256:')}.manifest.json").write_bytes(document)
        entry = {"mediaType": manifest.OCI_MANIFEST, "digest": digest, "size": len(document)}
        entries.append(entry | {"platform": {"os": "linux", "architecture": platform}})
    index = dump({"schemaVersion": 2, "mediaType": manifest.OCI_INDEX, "manifests": entries})
    (folder / "manifest.json").write_bytes(index)
    return digest_bytes(index)


def _blob(folder: Path, media_type: str, data: bytes) -> dict[str, Any]:
    digest = digest_bytes(data)
    (folder / digest.removeprefix("sha256:")).write_bytes(data)
    return {"mediaType": media_type, "digest": digest, "size": len(data)}

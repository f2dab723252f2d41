"""OCI image layouts from file trees: one layer, the same bytes for the same input (OCI image specification 1.0)."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import json
import tarfile
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO

from ci.machine.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
CHUNK = 1 << 20
COMPRESSION = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file (`data` or `source`) or, with neither, a folder of a layer; `path` without leading slash."""

    path: str
    mode: int = 0o755
    data: bytes | None = None
    source: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageConfig:
    """What a container of the image starts with; `epoch` (seconds) stands for every time in it."""

    architecture: str
    epoch: int
    env: Mapping[str, str] = field(default_factory=dict)
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    workdir: str = "/"
    user: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


def tar_entries(entries: list[Entry], target: BinaryIO, epoch: int) -> None:
    """Write entries in path order, owned by root, with one fixed time; missing parent folders are made."""
    with tarfile.open(fileobj=target, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for entry in sorted(_with_parents(entries), key=lambda entry: entry.path):
            info = tarfile.TarInfo(entry.path)
            info.mode, info.mtime = entry.mode, epoch
            if entry.source:
                info.size = entry.source.stat().st_size
                with entry.source.open("rb") as content:
                    archive.addfile(info, content)
            elif entry.data is not None:
                info.size = len(entry.data)
                archive.addfile(info, BytesIO(entry.data))
            else:
                info.type = tarfile.DIRTYPE
                archive.addfile(info)


def write_layout(folder: Path, tar: BinaryIO, config: ImageConfig) -> str:
    """Make an OCI image layout of one layer in `folder`; returns the digest of its manifest."""
    blobs = folder / "blobs/sha256"
    blobs.mkdir(parents=True)
    diff_id, layer = _compress(tar, blobs)
    image = _put(blobs, _config(config, diff_id), CONFIG)
    manifest = _put(blobs, {"schemaVersion": 2, "mediaType": MANIFEST, "config": image, "layers": [layer]}, MANIFEST)
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [manifest]}))
    (folder / "oci-layout").write_text(json.dumps({"imageLayoutVersion": "1.0.0"}))
    return str(manifest["digest"])


def digest(folder: Path) -> str | None:
    """The digest of the one image in a layout; None if there is no whole layout."""
    try:
        return str(json.loads((folder / "index.json").read_text())["manifests"][0]["digest"])
    except (OSError, ValueError, LookupError):
        return None


def read_file(folder: Path, path: str) -> bytes:
    """A file out of the one layer of a layout written here.

    Raises:
        SetupError: the layer has no such file.
    """
    blobs = folder / "blobs/sha256"
    manifest = json.loads((blobs / (digest(folder) or "").removeprefix("sha256:")).read_text())
    layer = blobs / manifest["layers"][0]["digest"].removeprefix("sha256:")
    with tarfile.open(layer, "r|gz") as archive:
        for member in archive:
            if member.name.removeprefix("./") == path and (content := archive.extractfile(member)):
                return content.read()
    raise SetupError(f"the image in {folder} holds no {path}")


def _with_parents(entries: list[Entry]) -> list[Entry]:
    named = {entry.path for entry in entries}
    parents = {"/".join(entry.path.split("/")[:depth]) for entry in entries for depth in range(1, entry.path.count("/") + 1)}
    return [*entries, *(Entry(path=path) for path in parents - named)]


def _compress(tar: BinaryIO, blobs: Path) -> tuple[str, dict[str, Any]]:
    """The layer blob; digest of the tar stream and the blob's descriptor. The gzip header names no file and no time."""
    plain, draft = hashlib.sha256(), blobs / "layer.part"
    with draft.open("wb") as raw, gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=COMPRESSION, mtime=0) as packed:
        while chunk := tar.read(CHUNK):
            plain.update(chunk)
            packed.write(chunk)
    with draft.open("rb") as blob:
        packed_digest = hashlib.file_digest(blob, "sha256").hexdigest()
    size = draft.stat().st_size
    draft.rename(blobs / packed_digest)
    return f"sha256:{plain.hexdigest()}", {"mediaType": LAYER, "digest": f"sha256:{packed_digest}", "size": size}


def _put(blobs: Path, document: dict[str, Any], media_type: str) -> dict[str, Any]:
    data = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    name = hashlib.sha256(data).hexdigest()
    (blobs / name).write_bytes(data)
    return {"mediaType": media_type, "digest": f"sha256:{name}", "size": len(data)}


def _config(config: ImageConfig, diff_id: str) -> dict[str, Any]:
    created = _timestamp(config.epoch)
    container: dict[str, Any] = {"Env": [f"{name}={value}" for name, value in config.env.items()], "WorkingDir": config.workdir}
    optional = {"Entrypoint": list(config.entrypoint), "Cmd": list(config.command), "User": config.user, "Labels": dict(config.labels)}
    container.update({name: value for name, value in optional.items() if value})
    return {
        "created": created,
        "architecture": config.architecture,
        "os": "linux",
        "config": container,
        "rootfs": {"type": "layers", "diff_ids": [diff_id]},
        "history": [{"created": created, "created_by": "ci/setup"}],
    }


def _timestamp(epoch: int) -> str:
    return dt.datetime.fromtimestamp(epoch, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

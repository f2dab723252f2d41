"""skopeo: what a registry has, and moving images between registries and layouts."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from ci.machine.errors import SetupError

if TYPE_CHECKING:
    from pathlib import Path

    from ci.machine.runner import Runner

ANSWER_S = 20.0
COPY_S = 900.0


def resolve(runner: Runner, reference: str) -> str | None:
    """`repo@digest` for a reference whose registry has it; None when it does not answer within 20 s, refuses, or has no such image."""
    try:
        text = runner.output(
            ["skopeo", "inspect", *_plain_http(reference, "--tls-verify"), "--raw", f"docker://{reference}"], timeout=ANSWER_S
        )
        if "@" in reference:
            return reference
        return f"{_repository(reference)}@sha256:{_digest(text)}"
    except SetupError:
        return None


def push(runner: Runner, layout: Path, reference: str) -> None:
    """Copy the one image of an OCI layout to a registry, digest unchanged."""
    _copy(runner, ["skopeo", "copy", "--quiet", *_plain_http(reference, "--dest-tls-verify"), f"oci:{layout}", f"docker://{reference}"])


def pull_blobs(runner: Runner, reference: str, folder: Path) -> list[Path]:
    """Copy an image or artifact into `folder` as it is; its layer blobs in order."""
    _copy(runner, ["skopeo", "copy", "--quiet", *_plain_http(reference, "--src-tls-verify"), f"docker://{reference}", f"dir:{folder}"])
    manifest = json.loads((folder / "manifest.json").read_text())
    return [folder / layer["digest"].removeprefix("sha256:") for layer in manifest["layers"]]


def _copy(runner: Runner, command: list[str]) -> None:
    runner.output(command, timeout=COPY_S)


def _digest(manifest: str) -> str:
    return hashlib.sha256(manifest.encode()).hexdigest()


def _repository(reference: str) -> str:
    head, slash, last = reference.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"


def _plain_http(reference: str, flag: str) -> list[str]:
    """A registry on loopback speaks plain HTTP."""
    host = reference.partition("/")[0].partition(":")[0]
    return [f"{flag}=false"] if host in {"localhost", "127.0.0.1"} else []

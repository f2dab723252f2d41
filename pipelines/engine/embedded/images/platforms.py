"""Platforms as ``os/architecture[/variant]`` (OCI image specification, with containerd's aliases)."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass

from pipelines.engine.embedded.errors import InvalidInput

ARCHITECTURES = {
    "x86_64": "amd64",
    "x86-64": "amd64",
    "aarch64": "arm64",
    "i386": "386",
    "i486": "386",
    "i586": "386",
    "i686": "386",
    "armhf": "arm",
    "armel": "arm/v6",
    "armv6l": "arm/v6",
    "armv7l": "arm",
    "armv8l": "arm64",
}
KNOWN = frozenset({"386", "amd64", "arm", "arm64", "loong64", "mips64le", "mips64", "ppc64", "ppc64le", "riscv64", "s390x", "wasm"})
SYSTEMS = frozenset({"linux", "darwin", "windows", "freebsd", "wasip1"})
PARTS = 3


@dataclass(frozen=True, slots=True)
class Platform:
    """A normalised platform: ``linux/arm64/v8`` is ``linux/arm64``, ``linux/arm`` is ``linux/arm/v7``."""

    os: str
    architecture: str
    variant: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)


@functools.cache
def parse(text: str) -> Platform:
    """A platform from its text; a lone architecture or system is completed.

    Raises:
        InvalidInput: the text is not a platform.
    """
    parts = text.strip().lower().split("/")
    if not all(parts) or len(parts) > PARTS:
        raise InvalidInput(f'"{text}" is not a platform: it reads os/architecture[/variant], for example linux/amd64')
    if len(parts) == 1:
        parts = _complete(parts[0], text)
    system, architecture, *variant = parts
    if system not in SYSTEMS:
        raise InvalidInput(f'"{text}" is not a platform: unknown operating system "{system}"')
    return normalise(system, architecture, variant[0] if variant else "")


@functools.cache
def host() -> Platform:
    """The platform of this machine."""
    return normalise("linux", os.uname().machine.lower(), "")


def _complete(word: str, text: str) -> list[str]:
    if word in SYSTEMS:
        return [word, host().architecture]
    if ARCHITECTURES.get(word, word).split("/")[0] in KNOWN:
        return ["linux", word]
    raise InvalidInput(f'"{text}" is not a platform: unknown operating system or architecture')


def normalise(system: str, architecture: str, variant: str) -> Platform:
    """One spelling for what is the same."""
    name, _, implied = ARCHITECTURES.get(architecture, architecture).partition("/")
    variant = variant or implied
    if name == "arm64" and variant in {"8", "v8"}:
        variant = ""
    if name == "arm":
        variant = f"v{(variant or '7').removeprefix('v')}"
    if name == "amd64" and variant == "v1":
        variant = ""
    return Platform(system, name, variant)

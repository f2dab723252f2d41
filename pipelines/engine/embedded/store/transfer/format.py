"""The cache as a folder of plain files, for machines that start empty: what a CI provider's cache can keep and bring back.

Layout: `lockgate-cache.json` names everything; `objects/<sha256>` are tar files (layers, volumes) and single files (outputs, blobs), named
by their content, so what did not change keeps its name and is not written again.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from typing import Any, BinaryIO

VERSION = 1
MANIFEST = "lockgate-cache.json"
OBJECTS = "objects"
BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Transfer:
    """What was carried.

    Attributes:
        results: operations.
        objects: layers, volumes, files.
        written: of the objects, those that were not there yet.
        skipped: reasons why something was left out.
    """

    results: int
    objects: int
    written: int
    skipped: tuple[str, ...] = ()


class HashingFile(io.RawIOBase):
    """A file that hashes what passes through it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()

    def write(self, data: Any) -> int:
        self._digest.update(data)
        return self._file.write(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count: int = self._file.readinto(buffer)  # type: ignore[attr-defined]
        self._digest.update(memoryview(buffer)[:count])
        return count

    def hexdigest(self) -> str:
        """SHA-256 (hex) of all that was read or written so far."""
        return self._digest.hexdigest()

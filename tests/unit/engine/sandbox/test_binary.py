from __future__ import annotations

import fcntl
import os
import struct
from typing import TYPE_CHECKING

import pytest

from pipelines.engine.embedded.errors import EmbeddedUnavailable
from pipelines.engine.embedded.sandbox.binary import find_runtime, is_static

if TYPE_CHECKING:
    from pathlib import Path

F_GET_SEALS = 1034


def elf(*segments: int) -> bytes:
    """A 64-bit ELF file with nothing but program headers of these types (elf(5))."""
    header = b"\x7fELF\x02\x01\x01".ljust(32, b"\0") + struct.pack("<Q", 64) + b"\0" * 14 + struct.pack("<HH", 56, len(segments))
    return header.ljust(64, b"\0") + b"".join(struct.pack("<I", kind).ljust(56, b"\0") for kind in segments)


@pytest.mark.parametrize(
    ("content", "static"),
    [
        (elf(1, 1, 4), True),
        (elf(6, 3, 1), False),
        (b"#!/bin/sh\necho " + b"x" * 80, False),
        (b"", False),
        (b"\x7fELF\x01\x01".ljust(100, b"\0"), False),
    ],
)
def test_a_program_that_asks_for_no_interpreter_is_static(tmp_path: Path, content: bytes, static: bool) -> None:
    (tmp_path / "program").write_bytes(content)
    assert is_static(tmp_path / "program") is static


def program(folder: Path, name: str, version: str) -> None:
    folder.joinpath(name).write_text(f"#!/bin/sh\necho '{version}'\n")
    folder.joinpath(name).chmod(0o755)


def test_the_runtime_is_copied_to_memory_and_sealed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "my-runc", "runc version 1.1.5\nlibseccomp: 2.5.4")
    monkeypatch.setenv("PATH", str(tmp_path))
    found = find_runtime("my-runc")
    assert found.path == tmp_path / "my-runc"
    assert found.seccomp
    assert found.memory is not None
    assert fcntl.fcntl(found.memory, F_GET_SEALS) == 0xF
    assert os.pread(found.memory, 1000, 0) == (tmp_path / "my-runc").read_bytes()
    found.close()


def test_seccomp_is_used_only_where_the_runtime_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "without", "runc version 1.1.5")
    monkeypatch.setenv("PATH", str(tmp_path))
    found = find_runtime("without")
    assert not found.seccomp
    found.close()


def test_a_missing_runtime_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EmbeddedUnavailable, match=r"no-such-runtime is not on PATH\. Install it"):
        find_runtime("no-such-runtime")

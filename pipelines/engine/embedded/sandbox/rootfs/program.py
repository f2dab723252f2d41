"""What a program file needs to be started: a machine of its kind, an interpreter (elf(5), execve(2))."""

from __future__ import annotations

import os
import platform
import struct
from dataclasses import dataclass

_ELF, _PT_INTERP = b"\x7fELF", 3
_MACHINES = {"x86_64": (62, 3), "aarch64": (183, 40)}  # EM_X86_64, EM_386; EM_AARCH64, EM_ARM
_MOST_HEADERS, _LONGEST = 128, 4096
_HEAD = 256  # bytes of a script's first line that the kernel reads


@dataclass(frozen=True, slots=True)
class Program:
    """`native`: not made for another kind of machine. `interpreter`: the absolute path of what the kernel starts with it, if any."""

    native: bool = True
    interpreter: str | None = None


def look(fd: int) -> Program:
    """What the open file needs; a file of no known form needs nothing."""
    head = os.pread(fd, _HEAD, 0)
    if head.startswith(b"#!"):
        words = head[2:].split(b"\n", 1)[0].split()
        return Program(interpreter=os.fsdecode(words[0]) if words else None)
    if not head.startswith(_ELF) or len(head) < 64:  # noqa: PLR2004 - the size of the header of a 64 bit program
        return Program()
    native = struct.unpack_from("<H", head, 18)[0] in _MACHINES.get(platform.machine(), ())
    return Program(native, _interpreter(fd, head) if native else None)


def _interpreter(fd: int, head: bytes) -> str | None:
    """The dynamic linker that an ELF program names; None where it is linked statically."""
    wide = head[4] == 2  # noqa: PLR2004 - ELFCLASS64
    (offset,) = struct.unpack_from("<Q" if wide else "<I", head, 32 if wide else 28)
    size, count = struct.unpack_from("<HH", head, 54 if wide else 42)
    if offset >= 1 << 62:
        return None
    table = os.pread(fd, size * min(count, _MOST_HEADERS), offset)
    for start in range(0, len(table) - size + 1, size or 1):
        entry = table[start : start + size]
        if len(entry) >= (40 if wide else 20) and struct.unpack_from("<I", entry)[0] == _PT_INTERP:
            place, length = struct.unpack_from("<Q", entry, 8) + struct.unpack_from("<Q", entry, 32) if wide else _narrow(entry)
            return os.fsdecode(os.pread(fd, min(length, _LONGEST), place).split(b"\0", 1)[0]) if place < 1 << 62 else None
    return None


def _narrow(entry: bytes) -> tuple[int, int]:
    """Place and length of a 32 bit program header."""
    (place,), (length,) = struct.unpack_from("<I", entry, 4), struct.unpack_from("<I", entry, 16)
    return place, length

"""What a program needs is read off its first bytes, whatever they are."""

from __future__ import annotations

import os
import platform
import struct
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.engine.embedded.sandbox.rootfs.program import Program, look

FOREIGN = {"x86_64": 183, "aarch64": 62}.get(platform.machine(), 62)


def seen(data: bytes) -> Program:
    memory = os.memfd_create("program", os.MFD_CLOEXEC)
    try:
        os.write(memory, data)
        return look(memory)
    finally:
        os.close(memory)


def test_a_program_of_this_machine_names_its_linker() -> None:
    with Path(os.path.realpath(sys.executable)).open("rb") as file:
        found = look(file.fileno())
    assert found.native
    assert found.interpreter is None or Path(found.interpreter).exists()


@pytest.mark.parametrize(
    ("data", "interpreter"),
    [(b"#!/bin/sh\n", "/bin/sh"), (b"#! /usr/bin/env python3\n", "/usr/bin/env"), (b"#!\n", None), (b"echo hi\n", None), (b"", None)],
)
def test_a_script_names_its_interpreter(data: bytes, interpreter: str | None) -> None:
    assert seen(data) == Program(native=True, interpreter=interpreter)


def test_a_program_of_another_machine_is_foreign() -> None:
    data = bytearray(Path(os.path.realpath(sys.executable)).read_bytes()[:4096])
    data[18:20] = struct.pack("<H", FOREIGN)
    assert seen(bytes(data)) == Program(native=False)


@given(st.binary(max_size=400))
def test_any_bytes_after_the_magic_are_read(rest: bytes) -> None:
    assert isinstance(seen(b"\x7fELF" + rest), Program)
    native = {"x86_64": 62, "aarch64": 183}.get(platform.machine(), 62)
    for kind in (1, 2):
        head = b"\x7fELF" + bytes([kind]) + rest[:13].ljust(13, b"\0") + struct.pack("<H", native)
        assert isinstance(seen(head + rest.ljust(60, b"\xff")), Program)

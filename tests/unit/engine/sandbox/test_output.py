from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from pipelines.engine.embedded.sandbox.output import CombinedOutput, ContainerOutput, StandardStreams
from pipelines.engine.embedded.sandbox.spec import CaptureFiles, Stream


def capture(folder: Path) -> CaptureFiles:
    return CaptureFiles(folder / "stdout", folder / "stderr", folder / "combined")


class Program:
    """Writes to two pipes, as a command does."""

    def __init__(self) -> None:
        self.out, self.stdout = os.pipe()
        self.err, self.stderr = os.pipe()

    def end(self) -> None:
        os.close(self.stdout)
        os.close(self.stderr)


async def test_streams_go_to_their_files_and_to_the_watcher(tmp_path: Path) -> None:
    program, seen = Program(), list[tuple[Stream, bytes]]()
    output = ContainerOutput(
        program.out, program.err, StandardStreams(capture(tmp_path), on_output=lambda stream, data: seen.append((stream, data)))
    )
    os.write(program.stderr, b"bad\n")
    os.write(program.stdout, b"good\n")
    program.end()
    await output.wait()
    assert (tmp_path / "stdout").read_bytes() == b"good\n"
    assert (tmp_path / "stderr").read_bytes() == b"bad\n"
    assert (tmp_path / "combined").read_bytes() == b"good\nbad\n"
    assert sorted(seen) == [("stderr", b"bad\n"), ("stdout", b"good\n")]


async def test_masks_hold_over_two_writes_in_every_file(tmp_path: Path) -> None:
    program = Program()
    read = asyncio.Event()
    output = ContainerOutput(
        program.out, program.err, StandardStreams(capture(tmp_path), masks=(b"secret",), on_output=lambda *_: read.set())
    )
    os.write(program.stdout, b"a sec")
    await read.wait()  # "a " is out, "sec" is held back
    os.write(program.stdout, b"ret, in error too")
    os.write(program.stderr, b"secret")
    program.end()
    await output.wait()
    assert (tmp_path / "stdout").read_bytes() == b"a ***, in error too"
    assert (tmp_path / "stderr").read_bytes() == b"***"
    assert b"secret" not in (tmp_path / "combined").read_bytes()


async def test_what_might_have_become_a_secret_is_not_lost_at_the_end(tmp_path: Path) -> None:
    program = Program()
    output = ContainerOutput(program.out, program.err, StandardStreams(capture(tmp_path), masks=(b"secret",)))
    os.write(program.stdout, b"open sec")
    program.end()
    await output.wait()
    assert (tmp_path / "stdout").read_bytes() == (tmp_path / "combined").read_bytes() == b"open sec"


async def test_output_nobody_wants_is_read_and_dropped() -> None:
    """Output that is not read fills the pipe: the write never ends."""
    program = Program()
    output = ContainerOutput(program.out, program.err, StandardStreams(CaptureFiles()))
    await asyncio.to_thread(os.write, program.stdout, b"x" * 300_000)  # more than a pipe holds: ends only if somebody reads
    program.end()
    await output.wait()


async def test_a_full_disk_is_told_after_the_command_has_ended(tmp_path: Path) -> None:
    program = Program()
    output = ContainerOutput(
        program.out, program.err, StandardStreams(CaptureFiles(stdout=Path("/dev/full"), combined=tmp_path / "combined"))
    )
    await asyncio.to_thread(os.write, program.stdout, b"x" * 300_000)
    program.end()
    with pytest.raises(OSError, match="No space left"):
        await output.wait()


async def test_closing_stops_reading(tmp_path: Path) -> None:
    program = Program()
    output = ContainerOutput(program.out, program.err, StandardStreams(capture(tmp_path)))
    output.close()
    output.close()
    with pytest.raises(BrokenPipeError):
        os.write(program.stdout, b"x")
    program.end()


async def test_what_comes_close_together_is_sorted() -> None:
    written: list[bytes] = []
    combined = CombinedOutput(written.append)
    combined.add("stdout", b"1")
    combined.add("stderr", b"2")
    combined.add("stdout", b"3")
    combined.flush()
    assert b"".join(written) == b"132"


async def test_what_comes_apart_keeps_its_order() -> None:
    written: list[bytes] = []
    flushed = asyncio.Event()

    def write(data: bytes) -> None:
        written.append(data)
        flushed.set()

    combined = CombinedOutput(write)
    combined.add("stderr", b"first")
    await flushed.wait()
    combined.add("stdout", b"second")
    combined.flush()
    assert written == [b"first", b"second"]


async def test_a_window_does_not_grow_without_bound() -> None:
    written: list[bytes] = []
    combined = CombinedOutput(written.append)
    for _ in range(17):
        combined.add("stdout", bytes(1 << 16))
    assert sum(map(len, written)) == 17 << 16


async def test_a_watcher_that_fails_ends_the_reading_and_not_the_waiting(tmp_path: Path) -> None:
    def broken(_stream: Stream, _data: bytes) -> None:
        raise ValueError("it rains")

    program = Program()
    output = ContainerOutput(program.out, program.err, StandardStreams(capture(tmp_path), on_output=broken))
    os.write(program.stdout, b"so\n")
    with pytest.raises(ValueError, match="it rains"):
        await asyncio.wait_for(output.wait(), 20)  # the program still runs
    program.end()
    assert (tmp_path / "stdout").read_bytes() == b"so\n"

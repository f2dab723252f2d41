from __future__ import annotations

import asyncio
import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipelines.engine.embedded.nonblocking_writer import AT_ONCE, NonBlockingWriter
from pipelines.engine.embedded.progress import LineProgress

if TYPE_CHECKING:
    from collections.abc import Iterator

PIPE = 1 << 16  # bytes a pipe holds


@contextmanager
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    try:
        yield reader, writer
    finally:
        for fd in (reader, writer):
            try:
                os.close(fd)
            except OSError:
                continue


async def everything(reader: int, writer: int, log: NonBlockingWriter) -> bytes:
    """What comes out in the end."""
    os.set_blocking(reader, True)
    reading = asyncio.create_task(asyncio.to_thread(lambda: b"".join(iter(lambda: os.read(reader, PIPE), b""))))
    await log.finish()
    os.close(writer)
    return await reading


async def test_a_burst_is_written_whole_and_in_order() -> None:
    with pipe() as (reader, writer):
        log = NonBlockingWriter(writer)
        lines = LineProgress(log, with_requester=False)
        for number in range(20_000):
            lines.output(f"line {number}")
        lines.note("end")
        said = await everything(reader, writer, log)
    assert said.decode() == "".join(f"| line {number}\n" for number in range(20_000)) + "note: end\n"


async def test_what_is_flushed_is_there_at_once() -> None:
    with pipe() as (reader, writer):
        log = NonBlockingWriter(writer)
        log.write("a\n")
        log.write("b\n")
        log.flush()
        assert os.read(reader, PIPE) == b"a\nb\n"


async def test_without_a_flush_it_comes_by_itself_also_from_a_thread() -> None:
    with pipe() as (reader, writer):
        log = NonBlockingWriter(writer)
        thread = threading.Thread(target=log.write, args=("from a thread\n",))
        thread.start()
        thread.join()
        came = asyncio.Event()
        asyncio.get_running_loop().add_reader(reader, came.set)
        await asyncio.wait_for(came.wait(), 10)
        asyncio.get_running_loop().remove_reader(reader)
        assert os.read(reader, PIPE) == b"from a thread\n"


async def test_a_reader_that_does_not_read_holds_nobody_up_and_learns_what_it_missed() -> None:
    line = "x" * 99 + "\n"
    with pipe() as (reader, writer):
        log = NonBlockingWriter(writer, most=1000)
        for _ in range(2000):
            log.write(line)
            log.flush()
        said = (await everything(reader, writer, log)).decode()
    kept, _, note = said.partition("note: ")
    missed = int(note.split()[0])
    assert PIPE - 2 * AT_ONCE <= len(kept) <= PIPE + 1000 + len(line)  # whole pages
    assert len(kept) / len(line) + missed == 2000


async def test_one_that_never_reads_is_not_waited_for_at_the_end() -> None:
    with pipe() as (_, writer):
        log = NonBlockingWriter(writer, patience_s=0.01)
        log.write("x" * 2 * PIPE)
        await asyncio.wait_for(log.finish(), 10)


async def test_a_reader_that_hung_up_is_no_failure() -> None:
    """The error of the broken pipe would be raised here."""
    with pipe() as (reader, writer):
        log = NonBlockingWriter(writer)
        os.close(reader)
        log.write("nobody hears this\n")
        log.flush()
        log.write("nor this\n")
        await log.finish()


async def test_what_cannot_be_encoded_is_shown_escaped() -> None:
    with pipe() as (reader, writer):
        log = NonBlockingWriter(writer)
        log.write("\udcff\n")
        log.flush()
        assert os.read(reader, PIPE) == b"\\udcff\n"

"""Takes a command's output as it comes: masks it, writes it to files, and calls back with each part. Memory stays bounded."""

from __future__ import annotations

import asyncio
import os
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipelines.foundation.redaction import redactor_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from pipelines.engine.embedded.sandbox.spec import CaptureFiles, OnOutput, Stream

_CHUNK = 1 << 16  # bytes read at a time: a pipe's capacity
_WINDOW = 0.02  # seconds in which standard output goes before standard error
_WINDOW_BYTES = 1 << 20  # a window is closed early when it holds this much


@dataclass(frozen=True, slots=True)
class StandardStreams:
    """What a command reads, and what becomes of what it writes."""

    capture: CaptureFiles
    stdin: bytes | Path | None = field(default=None, repr=False)
    masks: tuple[bytes, ...] = field(default=(), repr=False)
    on_output: OnOutput | None = None


class CombinedOutput:
    """Both streams in one: in the order they came, but standard output first among what came within 20 ms.

    From two pipes the order in which they were written cannot be known; this makes a short program's output the same every time.
    """

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._waiting: dict[Stream, list[bytes]] = {"stdout": [], "stderr": []}
        self._size = 0
        self._timer: asyncio.TimerHandle | None = None

    def add(self, stream: Stream, data: bytes) -> None:
        """Take a part of one stream; it is written at the end of its window of 20 ms."""
        self._waiting[stream].append(data)
        self._size += len(data)
        if self._size > _WINDOW_BYTES:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_WINDOW, self.flush)

    def flush(self) -> None:
        """Write what waits, standard output first."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for chunks in self._waiting.values():
            if chunks:
                self._write(b"".join(chunks))
                chunks.clear()
        self._size = 0


class _Reader:
    """Reads one pipe to its end, from the event loop."""

    def __init__(self, fd: int, masks: Iterable[bytes], write: Callable[[bytes], None]) -> None:
        self._fd = fd
        self._masker = redactor_of(frozenset(masks)).byte_stream()
        self._write = write
        self._loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[None] = self._loop.create_future()
        os.set_blocking(fd, False)
        self._loop.add_reader(fd, self._read)

    def close(self, problem: Exception | None = None) -> None:
        """Stop reading: at the end, or when nothing waits for it any more, or when what was read could not be masked or passed on."""
        if self.ended.done():
            return
        self._loop.remove_reader(self._fd)
        os.close(self._fd)
        if problem is None:
            self.ended.set_result(None)
        else:
            self.ended.set_exception(problem)
            self.ended.exception()  # looked at, so that asyncio does not report it: perhaps nothing waits

    def _read(self) -> None:
        try:
            data = os.read(self._fd, _CHUNK)
        except BlockingIOError:
            return
        try:
            shown = self._masker.feed(data) if data else self._masker.close()
            if shown:
                self._write(shown)
        except Exception as problem:  # noqa: BLE001 - raised where the command is waited for: in a callback of the loop it would be lost
            self.close(problem)
        if not data:
            self.close()


class ContainerOutput:
    """The output of one command, read from two pipes until both end.

    A full disk does not stop the command: what could not be written is lost, and `wait` raises the OSError. Any other
    problem with the output ends the reading too, and `wait` raises it.
    """

    def __init__(self, stdout: int, stderr: int, streams: StandardStreams) -> None:
        capture = streams.capture
        self._on_output = streams.on_output
        self._problem: OSError | None = None
        self._files: dict[str, int] = {}
        with ExitStack() as failing:
            for name, path in (("stdout", capture.stdout), ("stderr", capture.stderr), ("combined", capture.combined)):
                if path is not None:
                    self._files[name] = _create(path)
                    failing.callback(os.close, self._files[name])
            failing.pop_all()
        self._combined = CombinedOutput(lambda data: self._store("combined", data)) if capture.combined else None
        self._readers = (
            _Reader(stdout, streams.masks, lambda data: self._take("stdout", data)),
            _Reader(stderr, streams.masks, lambda data: self._take("stderr", data)),
        )

    async def wait(self) -> None:
        """Return when both pipes have ended and everything is in the files."""
        try:
            await asyncio.gather(*(asyncio.shield(reader.ended) for reader in self._readers))
        finally:
            self.close()
        if self._problem is not None:
            raise self._problem

    def close(self) -> None:
        """Stop reading and close the files; may be called twice."""
        for reader in self._readers:
            reader.close()
        if self._combined is not None:
            self._combined.flush()
        for fd in self._files.values():
            os.close(fd)
        self._files.clear()

    def _take(self, stream: Stream, data: bytes) -> None:
        self._store(stream, data)
        if self._combined is not None:
            self._combined.add(stream, data)
        if self._on_output is not None:
            self._on_output(stream, data)

    def _store(self, name: str, data: bytes) -> None:
        fd = self._files.get(name)
        if fd is None or self._problem is not None:
            return
        try:
            _write_all(fd, data)
        except OSError as problem:
            self._problem = problem


def _create(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]

"""A tar stream to read from front to back, decompressed and hashed by a thread of its own."""

from __future__ import annotations

import hashlib
import os
import queue
import threading
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterator

AHEAD = 8  # blocks decompressed before they are asked for


class Relay:
    """The blocks of an iterator that runs ahead in a thread of its own. Leaving the context ends the thread, wherever it is."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._queue: queue.Queue[bytes | BaseException | None] = queue.Queue(AHEAD)
        self._stopped = False
        self._thread = threading.Thread(target=self._feed, daemon=True)
        self._thread.start()

    def _feed(self) -> None:
        try:
            for block in self._blocks:
                if self._stopped:
                    break
                self._queue.put(block)
        except BaseException as error:  # noqa: BLE001 - it is raised again where the data is read
            self._queue.put(error)
        else:
            self._queue.put(None)

    def __iter__(self) -> Iterator[bytes]:
        while (block := self._queue.get()) is not None:
            if isinstance(block, BaseException):
                raise block
            yield block

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped = True
        while self._thread.is_alive():
            try:
                self._queue.get(timeout=0.05)
            except queue.Empty:
                continue


class Stream:
    """What ``tarfile`` reads from, and file content is copied from without going through it.

    Seeking goes forward only. Use as a context manager.

    Args:
        blocks: the plain content; consumed, and hashed, in another thread.

    Attributes:
        latest: what was last read.
    """

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._hash = hashlib.sha256()
        self._relay = Relay(self._hashed(blocks))
        self._source = iter(self._relay)
        self._view = memoryview(b"")
        self._at = 0
        self.latest = b""

    def _hashed(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        for block in blocks:
            self._hash.update(block)
            yield block

    def _more(self) -> bool:
        """Fetch the next block once the current one is used up; False at the end."""
        if not self._view:
            self._view = memoryview(next(self._source, b""))
        return bool(self._view)

    def _take(self, limit: int) -> memoryview:
        piece, self._view = self._view[:limit], self._view[limit:]
        self._at += len(piece)
        return piece

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Up to ``size`` bytes, fewer only at the end."""
        pieces = []
        while size and self._more():
            piece = self._take(size if size > 0 else len(self._view))
            pieces.append(piece)
            size -= len(piece) if size > 0 else 0
        self.latest = b"".join(pieces)
        return self.latest

    def seek(self, position: int) -> int:
        """Skip to a later position."""
        if position < self._at:
            raise OSError("a tar stream cannot be read backwards")
        while self._at < position and self._more():
            self._take(position - self._at)
        return self._at

    def copy(self, fd: int, size: int) -> int:
        """Write the next ``size`` bytes to a file; returns how many there were."""
        left = size
        while left and self._more():
            piece = self._take(left)
            left -= len(piece)
            while piece:
                piece = piece[os.write(fd, piece) :]
        return size - left

    def finish(self) -> str:
        """Read what is left; returns the digest of all of it."""
        while self._more():
            self._take(len(self._view))
        return f"sha256:{self._hash.hexdigest()}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *details: object) -> None:
        self._relay.__exit__(*details)

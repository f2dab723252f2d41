"""A tar stream to read from front to back, decompressed and hashed by a thread of its own."""

from __future__ import annotations

import hashlib
import queue
import threading
from typing import TYPE_CHECKING, Self

from pipelines.engine.embedded.tars import ForwardReader

if TYPE_CHECKING:
    from collections.abc import Iterator

AHEAD = 8  # blocks decompressed before they are asked for


class ReadAhead:
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


class LayerStream(ForwardReader):
    """A tar stream that another thread decompresses and hashes. Use as a context manager.

    Args:
        blocks: the plain content.
    """

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._hash = hashlib.sha256()
        self._ahead = ReadAhead(self._hashed(blocks))
        super().__init__(iter(self._ahead))

    def _hashed(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        for block in blocks:
            self._hash.update(block)
            yield block

    def finish(self) -> str:
        """Read what is left; returns the digest of all of it."""
        self.drain()
        return f"sha256:{self._hash.hexdigest()}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *details: object) -> None:
        self._ahead.__exit__(*details)

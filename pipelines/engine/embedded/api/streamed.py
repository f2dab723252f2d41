"""Answers that hold the text of a file: the file is read while the answer is sent, so that memory does not grow with it."""

from __future__ import annotations

import codecs
import json
import re
import secrets
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from pipelines.foundation.regular_files import reading

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BLOCK = 1 << 19  # bytes of a file read at a time


@dataclass(frozen=True, slots=True)
class FileText:
    """A string of the API that is the text of a file, UTF-8 with U+FFFD for what is not. The file must stay until it is sent."""

    path: Path


@dataclass(frozen=True, slots=True)
class StreamedBody:
    """The body of a response, in parts: bytes of JSON, and files whose text is a JSON string between them."""

    parts: tuple[bytes | FileText, ...]

    @contextmanager
    def opened(self, block: int = BLOCK) -> Iterator[Iterator[bytes]]:
        """Open all files at once, so that one that is not there is known before anything is sent; gives the body bit by bit.

        Args:
            block: bytes of a file read at a time.

        Raises:
            OSError: a file cannot be opened; from the iterator: it cannot be read.
        """
        with ExitStack() as stack:
            opened = [part if isinstance(part, bytes) else stack.enter_context(reading(part.path)) for part in self.parts]
            yield _blocks(opened, block)


def to_json(value: Any) -> bytes | StreamedBody:
    """A value as JSON in UTF-8: whole, or in parts when it holds a `FileText` anywhere."""
    files: list[FileText] = []
    mark = secrets.token_hex(16)  # nothing in the value can be the same by design or by chance

    def reference(found: object) -> str:
        if not isinstance(found, FileText):
            raise TypeError(f"{type(found).__name__} is not a value of the API")
        files.append(found)
        return mark

    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=reference)
    if not files:
        return to_utf8(text)
    first, *others = text.split(f'"{mark}"')
    parts: list[bytes | FileText] = [to_utf8(first)]
    for file, json_part in zip(files, others, strict=True):
        parts += [file, to_utf8(json_part)]
    return StreamedBody(tuple(parts))


_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def to_utf8(text: str) -> bytes:
    """A byte of a file's name that is not UTF-8 is sent as U+FFFD, as a Dagger engine does (Go's encoding/json)."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return _LONE_SURROGATE.sub("\ufffd", text).encode()


def _blocks(opened: list[bytes | BinaryIO], size: int) -> Iterator[bytes]:
    for part in opened:
        if isinstance(part, bytes):
            yield part
        else:
            yield from _string(part, size)


def _string(file: BinaryIO, size: int) -> Iterator[bytes]:
    """The text of a file as a JSON string; a character may go over the end of a block."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    yield b'"'
    while block := file.read(size):
        yield _escaped(decoder.decode(block))
    yield _escaped(decoder.decode(b"", final=True)) + b'"'


def _escaped(text: str) -> bytes:
    return json.dumps(text, ensure_ascii=False)[1:-1].encode()

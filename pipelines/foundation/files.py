"""Files that are seen whole or not at all: written beside their name, then renamed over it."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

OWN_FOLDER = ".lockgate"
"""The folder in a project that holds what Lockgate writes there: reports, logs, locks, state."""


@contextlib.contextmanager
def replacing(path: Path, *, mode: int = 0o644) -> Iterator[IO[bytes]]:
    """A new file that takes the place of `path` when the block ends without an error; else nothing has changed.

    Its name while it is written is its own, so several processes may replace the same file. `mode`: permissions of the new file.

    Raises:
        OSError: it cannot be written.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:200]}.")
    draft = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        draft.chmod(mode)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def replace_bytes(path: Path, data: bytes, *, mode: int = 0o644) -> Path:
    """Replace a file's content. A reader never meets half of it, and a full disk keeps the old one.

    Raises:
        OSError: it cannot be written.
    """
    with replacing(path, mode=mode) as file:
        file.write(data)
    return path


def replace_text(path: Path, text: str, *, errors: str = "strict", mode: int = 0o644) -> Path:
    """As `replace_bytes`, for text in UTF-8; `errors` says what becomes of lone surrogates, as in `str.encode`.

    Raises:
        OSError: it cannot be written.
        UnicodeEncodeError: the text has lone surrogates, and `errors` is strict.
    """
    return replace_bytes(path, text.encode("utf-8", errors), mode=mode)

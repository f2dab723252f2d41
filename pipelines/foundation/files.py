"""Files that are seen whole or not at all: written beside their name, then renamed over it."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import tempfile
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING

from pipelines.foundation.regular_files import open_regular

if TYPE_CHECKING:
    from collections.abc import Iterator

OWN_FOLDER = ".lockgate"
"""The folder in a project that holds what Lockgate writes there: reports, logs, locks, state."""


_OPEN_FILES = "/proc/self/fd"
_DRAFT = ".draft"
_DRAFT_AGE_S = 60.0  # a younger draft may not be locked yet
_NO_TMPFILE = frozenset({errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL})  # of file systems, and of kernels before 3.11, without O_TMPFILE


@contextlib.contextmanager
def replacing(path: Path, *, mode: int = 0o644) -> Iterator[IO[bytes]]:
    """A new file that takes the place of `path` when the block ends without an error; else nothing has changed.

    While it is written it has no name (O_TMPFILE of open(2)), so that a process that is killed leaves nothing behind. Where the file system
    cannot do that, it has a name of its own beside `path` (see `replacing_by_name`). Several processes may replace the same file.

    Args:
        path: the file, in a folder that exists.
        mode: permissions of the new file.

    Raises:
        OSError: it cannot be written.
    """
    handle = _nameless(path.parent)
    if handle is None:
        with replacing_by_name(path, mode=mode) as file:
            yield file
        return
    with os.fdopen(handle, "wb") as file:
        yield file
        file.flush()
        os.fchmod(handle, mode)
        _name(handle, path)


def _nameless(folder: Path) -> int | None:
    """A new file in a folder, without a name; None where there are none, or where none could be named afterwards (without /proc)."""
    kind = getattr(os, "O_TMPFILE", 0)
    if not kind or not Path(_OPEN_FILES).exists():
        return None
    try:
        return os.open(folder, kind | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno not in _NO_TMPFILE:
            raise
        return None


def _name(handle: int, path: Path) -> None:
    """Give an open file a name, in place of what has it. Linking cannot replace: then the file has a name of its own for a moment."""
    source = f"{_OPEN_FILES}/{handle}"
    folder = os.open(path.parent, getattr(os, "O_PATH", 0) | os.O_DIRECTORY | os.O_CLOEXEC)  # there is no O_PATH but on Linux
    try:
        try:
            os.link(source, path.name, src_dir_fd=folder, dst_dir_fd=folder)  # linkat(2), which follows the link
        except FileExistsError:
            draft = f".{path.name[:200]}.{secrets.token_hex(8)}"
            os.link(source, draft, src_dir_fd=folder, dst_dir_fd=folder)
            try:
                os.replace(draft, path.name, src_dir_fd=folder, dst_dir_fd=folder)
            except BaseException:
                os.unlink(draft, dir_fd=folder)
                raise
    finally:
        os.close(folder)


@contextlib.contextmanager
def replacing_by_name(path: Path, *, mode: int = 0o644) -> Iterator[IO[bytes]]:
    """As `replacing`, where a file needs a name while it is written: `.<name>.<random>.draft` beside `path`.

    A process that is killed leaves its draft there; the next one that replaces the same file a minute later or more removes it. A draft
    whose writer still lives is locked (flock(2)), and stays.

    Raises:
        OSError: it cannot be written.
    """
    prefix = f".{path.name[:200]}."
    _remove_abandoned(path.parent, prefix)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=prefix, suffix=_DRAFT)
    draft = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            _lock(handle)
            yield file
            file.flush()
            os.fchmod(handle, mode)
            draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _lock(handle: int) -> bool:
    """Lock a file for as long as it is open; False where somebody else has, or where the file system has no locks."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _remove_abandoned(folder: Path, prefix: str) -> None:
    """Remove the drafts of writers that are dead."""
    before = time.time() - _DRAFT_AGE_S
    drafts = [one for one in os.scandir(folder) if one.name.startswith(prefix) and one.name.endswith(_DRAFT)]
    for draft in drafts:
        with contextlib.suppress(OSError):
            if draft.stat(follow_symlinks=False).st_mtime < before:
                _remove_unlocked(folder / draft.name)


def _remove_unlocked(path: Path) -> None:
    handle = open_regular(path, os.O_RDWR)
    try:
        if _lock(handle):
            path.unlink()
    finally:
        os.close(handle)


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

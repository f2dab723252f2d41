"""Reading evaluated file systems: listings, contents, facts about paths."""

from __future__ import annotations

import asyncio
import hashlib
import posixpath
import stat as modes
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from pipelines.engine.embedded.errors import InvalidInput, NotFound
from pipelines.engine.embedded.ops.values.digest import digest_of
from pipelines.engine.embedded.ops.values.states import inside

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from pipelines.engine.embedded.ops.interface import ClientSession
    from pipelines.engine.embedded.ops.values.op import Op
    from pipelines.engine.embedded.store.trees.root import Root

T = TypeVar("T")
_TYPES = {"DIRECTORY_TYPE": modes.S_ISDIR, "REGULAR_TYPE": modes.S_ISREG, "SYMLINK_TYPE": modes.S_ISLNK}


@dataclass(frozen=True, slots=True)
class Stat:
    """Facts about a path. `permissions` are the twelve mode bits; `file_type` is the API's FileType; `size` in bytes."""

    name: str
    size: int
    permissions: int
    file_type: str


async def within(session: ClientSession, op: Op, work: Callable[[Root], T]) -> T:
    """Evaluate `op` and do `work` on its file system, in a thread."""
    return await within_all(session, [op], lambda roots: work(roots[0]))


async def within_all(session: ClientSession, ops: Sequence[Op], work: Callable[[list[Root]], T]) -> T:
    """Evaluate `ops` and do `work` on their file systems, in a thread."""
    from pipelines.engine.embedded.store.trees.root import Root

    snapshots = [output.snapshot for output in await session.ops.outputs(ops)]

    def there() -> T:
        with ExitStack() as stack:
            return work([Root(stack.enter_context(session.store.view(snapshot)).path) for snapshot in snapshots])

    return await asyncio.to_thread(there)


async def entries(session: ClientSession, op: Op, path: str, shown: str) -> list[str]:
    """Names in a directory, sorted; those of directories end with a slash."""

    def work(root: Root) -> list[str]:
        if not modes.S_ISDIR(_status(root, path, shown).st_mode):
            raise InvalidInput(f"stat {shown.lstrip('/')}: not a directory")
        return sorted(
            name + "/" if modes.S_ISDIR(root.stat(posixpath.join(path, name), follow=False).st_mode) else name
            for name in root.listdir(path)
        )

    return await within(session, op, work)


async def glob(session: ClientSession, op: Op, path: str, pattern: str) -> list[str]:
    """Paths below a directory that match, sorted; those of directories end with a slash."""
    from pipelines.engine.embedded.store.trees.glob import glob as matches

    return await within(session, op, lambda root: matches(root, path, pattern))


async def contents(session: ClientSession, op: Op, path: str, *, limit: int) -> bytes:
    """A file's bytes.

    Raises:
        InvalidInput: more than `limit` bytes, or not a file.
    """

    def work(root: Root) -> bytes:
        status = _status(root, path, path)
        if modes.S_ISDIR(status.st_mode):
            raise InvalidInput(f"read {path.lstrip('/')}: is a directory")
        if status.st_size > limit:
            raise InvalidInput(
                f"file {path.lstrip('/')} has {status.st_size} bytes, more than the {limit} that can be read as text: export it"
            )
        return root.read(path)

    return await within(session, op, work)


async def file_digest(session: ClientSession, op: Op, path: str, *, metadata: bool) -> str:
    """SHA-256 of a file's bytes; with its name, mode and owner when `metadata` counts."""

    def work(root: Root) -> str:
        status = _status(root, path, path)
        digest = hashlib.sha256()
        with root.open(path) as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
        facts = [posixpath.basename(path), modes.S_IMODE(status.st_mode), status.st_uid, status.st_gid]
        return digest_of(digest.hexdigest(), facts) if metadata else digest.hexdigest()

    return await within(session, op, work)


async def exists(session: ClientSession, op: Op, path: str, expected: str | None, *, follow: bool) -> bool:
    """Whether a path is there and of the expected type; asking for a symlink never follows it."""

    def work(root: Root) -> bool:
        try:
            mode = root.stat(path, follow=follow and expected != "SYMLINK_TYPE").st_mode
        except NotFound:
            return False
        return expected is None or _TYPES[expected](mode)

    return await within(session, op, work)


async def must_stat(session: ClientSession, op: Op, path: str, shown: str, *, follow: bool = True) -> Stat:
    """Facts about a path that must be there."""

    def work(root: Root) -> Stat:
        status = _status(root, path, shown, follow=follow)
        return _facts(root.locate(path, follow=follow).name if path != "/" else "", status)

    return await within(session, op, work)


async def stat(session: ClientSession, op: Op, path: str, shown: str, *, follow: bool) -> Stat | None:
    """Facts about a path (`shown` as the caller wrote it)."""
    return await must_stat(session, op, path, shown, follow=follow)


async def find_up(session: ClientSession, op: Op, base: str, name: str, start: str) -> str | None:
    """The nearest path with `name`, from `start` up to the directory `base`; relative to `base`."""

    def work(root: Root) -> str | None:
        folder = inside(base, start)
        _status(root, folder, start)
        while True:
            candidate = posixpath.join(folder, name)
            try:
                root.stat(candidate, follow=False)
            except NotFound:
                if folder in {base, "/"}:
                    return None
                folder = posixpath.dirname(folder)
            else:
                return posixpath.relpath(candidate, base)

    return await within(session, op, work)


def _status(root: Root, path: str, shown: str, *, follow: bool = True) -> os.stat_result:
    try:
        return root.stat(path, follow=follow)
    except NotFound as error:
        raise NotFound.stat(shown.lstrip("/") or "/") from error


def _facts(name: str, status: os.stat_result) -> Stat:
    kinds = ((modes.S_ISDIR, "DIRECTORY"), (modes.S_ISREG, "REGULAR"), (modes.S_ISLNK, "SYMLINK"))
    kind = next((name for test, name in kinds if test(status.st_mode)), "UNKNOWN")
    return Stat(name, status.st_size, modes.S_IMODE(status.st_mode), kind)

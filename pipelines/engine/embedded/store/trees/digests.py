"""Digests of trees, by content."""

from __future__ import annotations

import hashlib
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from pipelines.engine.embedded.store.selection.patterns import Filter
from pipelines.engine.embedded.store.selection.select import SelectedPath, select
from pipelines.engine.embedded.store.trees.measure import MARKS, xattrs
from pipelines.engine.embedded.store.trees.pathwalk import path_errors
from pipelines.foundation.regular_files import open_regular

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pipelines.engine.embedded.store.trees.root import Root

_BLOCK = 1 << 20
_BATCH = 64  # files a thread takes at a time
_THREADS = max(2, min(8, os.cpu_count() or 2))


def digest_tree(
    root: Root,
    rel: str = "/",
    *,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    gitignore: bool = False,
    hashes: Mapping[str, str] | None = None,
) -> str:
    """SHA-256 (hex) of what is at a path: names, types, modes, owners, extended attributes, contents, link targets. Times do not count.

    Args:
        root: the tree.
        rel: a folder, or a file (then its name does not count).
        include: patterns of paths that count; empty: all.
        exclude: patterns of paths that do not.
        gitignore: leave out what `.gitignore` files say, those above the folder included.
        hashes: what is known of the tree: SHA-256 (hex) of files by their path from its root. Other files are read.

    Raises:
        NotFound: no such path.
        InvalidInput: a pattern is malformed.
    """
    info = root.stat(rel)
    base = str(root.locate(rel))
    with path_errors("digest", rel, root.path):
        found = [SelectedPath("", base, info)]
        if found[0].is_folder():
            filters = Filter(include, exclude)
            ignore, prefix = None, ""
            if gitignore:
                from pipelines.engine.embedded.store.selection.gitignore import IgnoreRules

                ignore, prefix = IgnoreRules.within(str(root.path), base)
            found += select(base, filters, ignore, prefix)
        contents = _contents([one.path for one in found if stat.S_ISREG(one.info.st_mode)], str(root.path), hashes or {})
        return digest_records(record(one, contents[one.path] if stat.S_ISREG(one.info.st_mode) else "") for one in found)


def _contents(paths: Sequence[str], root: str, hashes: Mapping[str, str]) -> dict[str, str]:
    """The hash of each file, by its path."""
    start = len(root.rstrip("/")) + 1
    found = {path: known for path in paths if (known := hashes.get(path[start:]))}
    unknown = [path for path in paths if path not in found]
    found.update(zip(unknown, hash_files(unknown), strict=True))
    return found


def record(found: SelectedPath, content: str) -> tuple[str, ...]:
    """Everything that counts about one path, `content` being the hash of a file's bytes."""
    info = found.info
    if stat.S_ISLNK(info.st_mode):
        content = os.readlink(found.path)
    elif stat.S_ISCHR(info.st_mode) or stat.S_ISBLK(info.st_mode):
        content = str(info.st_rdev)
    return found.rel, f"{info.st_mode:o}", str(info.st_uid), str(info.st_gid), content, _xattrs(found.path)


def digest_records(records: Iterable[tuple[str, ...]]) -> str:
    """SHA-256 (hex) over records of one length, none of whose fields has a zero byte."""
    digest = hashlib.sha256()
    for fields in records:
        digest.update("\0".join(fields).encode(errors="surrogateescape") + b"\0")
    return digest.hexdigest()


def _xattrs(path: str) -> str:
    names = [name for name in xattrs(path) if not name.startswith(MARKS)]
    return ",".join(f"{name}={os.getxattr(path, name, follow_symlinks=False).hex()}" for name in sorted(names))


def hash_files(paths: Sequence[str]) -> list[str]:
    """SHA-256 (hex) of each file's bytes, read by several threads."""
    if len(paths) <= _BATCH // 4:
        return [hash_file(path) for path in paths]
    batches = [paths[start : start + _BATCH] for start in range(0, len(paths), _BATCH)]
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="store-hash") as pool:
        return [digest for part in pool.map(lambda batch: [hash_file(path) for path in batch], batches) for digest in part]


def hash_file(path: str) -> str:
    """SHA-256 (hex) of a file's bytes. NotRegularError when it is something else by now."""
    digest = hashlib.sha256()
    fd = open_regular(path)
    try:
        while block := os.read(fd, _BLOCK):
            digest.update(block)
    finally:
        os.close(fd)
    return digest.hexdigest()

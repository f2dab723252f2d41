"""The engine's own folders, never part of a folder of the host: a project may hold the cache (CI systems keep nothing outside)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from pipelines.engine.embedded.errors import InvalidInput
from pipelines.engine.embedded.paths import cache_dir, run_dir, store_dir

Identity = tuple[int, int]
STORES = "store-*"


class OwnFolders(NamedTuple):
    """The engine's own folders, seen from one folder of the host.

    Attributes:
        identities: device and inode of each: the same under every name, also through a bind mount.
        paths: where they are, links resolved.
    """

    identities: frozenset[Identity]
    paths: tuple[Path, ...]

    def holds(self, info: os.stat_result) -> bool:
        """Whether this is one of them."""
        return (info.st_dev, info.st_ino) in self.identities


def own_folders(base: str | Path, *stores: Path) -> OwnFolders:
    """What of the folder `base` is the engine's own: its stores and, unless `base` lies in it, the whole of its cache.

    Args:
        base: the folder.
        stores: roots of stores beside those that the environment names.
    """
    cache = cache_dir()
    wanted = [*stores, *_stores(), run_dir()]
    if not Path(os.path.realpath(base)).is_relative_to(os.path.realpath(cache)):
        wanted.append(cache)
    found = {path: info for path in wanted if (info := _attributes(path)) is not None}
    identities = frozenset((info.st_dev, info.st_ino) for info in found.values())
    return OwnFolders(identities, tuple(dict.fromkeys(Path(os.path.realpath(path)) for path in found)))


def refuse_own(base: str, own: OwnFolders) -> None:
    """Raise InvalidInput where `base` lies in a folder of the engine's own."""
    for folder in (Path(base), *Path(base).parents):
        info = _attributes(folder)
        if info is not None and own.holds(info):
            raise InvalidInput(f"{base} is in the engine's own folder {folder}, which cannot be read as a folder of the host")


def _stores() -> list[Path]:
    """All stores where this one is, of other users and modes, too; none where we may not look."""
    try:
        return [*store_dir().parent.glob(STORES)]
    except OSError:
        return []


def _attributes(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None

"""Reading a folder of the host: which of its files count, and what counts of each."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pipelines.engine.embedded.errors import InvalidInput
from pipelines.engine.embedded.store.host.hashes import FileHashes
from pipelines.engine.embedded.store.host.own_folders import OwnFolders, own_folders
from pipelines.engine.embedded.store.selection.patterns import Filter
from pipelines.engine.embedded.store.selection.select import SelectedPath, select
from pipelines.engine.embedded.store.trees.digests import digest_records

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipelines.engine.embedded.store.host.hashes import RememberedNotes
    from pipelines.engine.embedded.store.host.listing import Files, Listing
    from pipelines.engine.embedded.store.selection.gitignore import IgnoreRules

_TRIES = 3  # walks, when files vanish under it


class HostFilters(NamedTuple):
    """What of a folder is imported: patterns relative to it, as of `.dockerignore`, and whether `.gitignore` files count."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    gitignore: bool = False


def slot_of(base: str, filters: HostFilters) -> str:
    """The name under which the hashes of a walk are remembered."""
    return digest_records([(base, *filters.include, "", *filters.exclude, str(filters.gitignore))])


def walk(base: str, filters: HostFilters, own: OwnFolders) -> list[SelectedPath]:
    """What of a folder is imported: nothing of the engine's own.

    Raises:
        InvalidInput: it changes all the time, or a pattern is malformed.
    """
    wanted = Filter(filters.include, filters.exclude)
    ignore, prefix = _ignore(base) if filters.gitignore else (None, "")
    vanished = ""
    for _ in range(_TRIES):
        try:
            return [one for one in select(base, wanted, ignore, prefix, own.identities) if _wanted(one.info.st_mode)]
        except FileNotFoundError as error:
            vanished = str(error.filename)
    raise InvalidInput(f"{base} keeps changing while it is read: {vanished} is gone; exclude what changes, then try again")


def files(found: Iterable[SelectedPath], hashes: dict[str, str]) -> Files:
    """What counts of each path: its mode, and the hash of a file or the target of a link."""
    return {rel: (mode, text) for rel, mode, text in dict(records_of(found, hashes)).values()}


def current_files(listing: Listing, index: RememberedNotes) -> Files | None:
    """What the folder of a listing holds now, read the same way as then.

    Args:
        listing: the folder as it was.
        index: may remember hashes of its files; it is not written to.

    Returns:
        None when the folder cannot be read.
    """
    from pipelines.engine.embedded.errors import EngineError

    filters = HostFilters(listing.include, listing.exclude, listing.gitignore)
    try:
        if not Path(listing.base).is_dir():
            return None
        found = walk(listing.base, filters, own_folders(listing.base))
        hashes = FileHashes(index, slot_of(listing.base, filters)).of([one for one in found if stat.S_ISREG(one.info.st_mode)])
        return files(found, hashes)
    except (OSError, EngineError):
        return None


def records_of(found: Iterable[SelectedPath], hashes: dict[str, str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What counts of each path, by path; files without a hash (they vanished) are left out."""
    for one in found:
        if stat.S_ISLNK(one.info.st_mode):
            yield one.rel, record(one, _readlink(one.path))
        elif one.is_folder():
            yield one.rel, record(one, "")
        elif one.rel in hashes:
            yield one.rel, record(one, hashes[one.rel])


def record(one: SelectedPath, content: str) -> tuple[str, ...]:
    """What counts of one path: its relative path, its mode (octal), and `content`: a file's hash (hex), a link's target."""
    return one.rel, f"{one.info.st_mode:o}", content


def _readlink(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""  # it changed: the link that is copied later counts


def _ignore(base: str) -> tuple[IgnoreRules, str]:
    """The `.gitignore` rules for the folder, from the root of the git repository it is in."""
    from pipelines.engine.embedded.store.selection.gitignore import IgnoreRules

    top = base
    while not os.path.lexists(os.path.join(top, ".git")):
        if top == "/":
            top = base
            break
        top = os.path.dirname(top)
    return IgnoreRules.within(top, base)


def _wanted(mode: int) -> bool:
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode)

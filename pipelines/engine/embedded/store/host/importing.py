"""Folders of the host as snapshots, by content: the same files give the same snapshot, whenever and from wherever they come."""

from __future__ import annotations

import errno
import os
import posixpath
import secrets
import stat
from typing import TYPE_CHECKING

from pipelines.engine.embedded.errors import InvalidInput, NotFound, Unreadable
from pipelines.engine.embedded.store.disk_full import disk_full_errors
from pipelines.engine.embedded.store.host.hashes import FileHashes
from pipelines.engine.embedded.store.host.listing import Listing
from pipelines.engine.embedded.store.host.own_folders import OwnFolders, own_folders, refuse_own
from pipelines.engine.embedded.store.host.reading import HostFilters, record, records_of, slot_of, walk
from pipelines.engine.embedded.store.objects.pins import ObjectMissing
from pipelines.engine.embedded.store.objects.workspace import LAYERS
from pipelines.engine.embedded.store.snapshot import SCRATCH, Snapshot
from pipelines.engine.embedded.store.trees.copyfile import MetadataChange, copy_entry, copy_metadata
from pipelines.engine.embedded.store.trees.digests import digest_records, hash_file
from pipelines.engine.embedded.store.trees.measure import measure
from pipelines.engine.embedded.store.trees.removing import remove

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from pipelines.engine.embedded.store.selection.select import SelectedPath
    from pipelines.engine.embedded.store.store import Store

_CHANGE = MetadataChange(owner=(0, 0), xattrs=False)  # whose the files are on the host means nothing in a container
_VANISHED = (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.EINVAL)


def import_host_dir(
    store: Store,
    path: Path,
    *,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    gitignore: bool = False,
    no_cache: bool = False,
    on_listing: Callable[[Listing], None] | None = None,
) -> Snapshot:
    """The files of a host folder as a snapshot. Modes and times are kept; owner is root; devices, sockets and pipes are left out.

    Args:
        store: where to.
        path: the folder; links in it are followed.
        include: patterns of paths to take; empty: all. Patterns that lead out of the folder match nothing.
        exclude: patterns of paths to leave out.
        gitignore: leave out what `.gitignore` files say, those above the folder up to the git repository's root included.
        no_cache: make a new snapshot even if there is one with these files.
        on_listing: called with what was read, path by path.

    Raises:
        NotFound: no such folder.
        InvalidInput: it is not a folder, or a pattern is malformed.
        Unreadable: a file in it cannot be read.
        DiskFull: nothing was kept.
    """
    base = _folder(path)
    own = own_folders(base, store.root)
    refuse_own(base, own)
    filters = HostFilters(_local(include), _local(exclude), gitignore)
    work = _Import(store, base, filters, own, FileHashes(store.workspace.index, slot_of(base, filters)))
    try:
        with disk_full_errors(store.root):
            snapshot = work.run(no_cache=no_cache)
    except PermissionError as error:
        raise Unreadable(f"{error.filename}: permission denied: exclude it, or run as a user that may read it") from error
    if on_listing is not None:
        files = {rel: (mode, text) for rel, mode, text in work.records.values()}
        on_listing(Listing(base, filters.include, filters.exclude, gitignore, files))
    return snapshot


class _Import:
    def __init__(self, store: Store, base: str, filters: HostFilters, own: OwnFolders, hashes: FileHashes) -> None:
        self._store = store
        self._base = base
        self._filters = filters
        self._own = own
        self._hashes = hashes
        self._links: dict[tuple[int, int], str] = {}
        self.records: dict[str, tuple[str, ...]] = {}

    def run(self, *, no_cache: bool) -> Snapshot:
        found = walk(self._base, self._filters, self._own)
        hashes = self._hashes.of([one for one in found if stat.S_ISREG(one.info.st_mode)])
        self.records = records = dict(records_of(found, hashes))
        if not records:
            return SCRATCH
        if not no_cache and (recorded := self._store.get(_key(records))) is not None:
            layer = str(recorded["layer"])
            self._remember(layer)
            if self._hashes.changed or layer != self._hashes.layer:
                self._hashes.save(self._store.workspace.index, layer)
            return Snapshot(_key(records), (layer,))
        return self._make([one for one in found if one.rel in records], records, salt=secrets.token_hex(16) if no_cache else "")

    def _make(self, found: list[SelectedPath], records: dict[str, tuple[str, ...]], salt: str) -> Snapshot:
        workspace = self._store.workspace
        folder = workspace.new_folder()
        try:
            target = folder / "u"
            target.mkdir()
            target.chmod(0o755)
            self._fill(str(target), found, records)
            key = _key(records) + salt
            layer = self._store.layers.adopt(target, measure(target), key)
        finally:
            remove(folder, workspace.tmp)
        if not salt:
            self._store.put(key, {"layer": layer}, layers=[layer], label=f"host directory {self._base}")
        self._hashes.save(self._store.workspace.index, layer)
        self._remember(layer)
        return Snapshot(key, (layer,))

    def _remember(self, layer: str) -> None:
        """Who copies from the layer in this session need not read its files again."""
        self._store.file_hashes.add(layer, {rel: text for rel, mode, text in self.records.values() if stat.S_ISREG(int(mode, 8))})

    def _fill(self, target: str, found: list[SelectedPath], records: dict[str, tuple[str, ...]]) -> None:
        """Copy; what changed since it was hashed gets the record of its copy, what vanished none."""
        earlier = self._earlier()
        folders = []
        for one in found:
            path = os.path.join(target, one.rel)
            try:
                if one.is_folder():
                    os.mkdir(path, 0o700)
                    folders.append((one, path))
                elif not self._linked(one, path, earlier):
                    copy_entry(one.path, path, one.info, _CHANGE)
                    self._verify(one, path, records)
                elif one.info.st_nlink > 1:  # perhaps linked to a copy that was made just now
                    self._verify(one, path, records)
            except OSError as error:
                if error.errno not in _VANISHED:
                    raise
                del records[one.rel]
                self._hashes.forget(one.rel)
        for one, path in reversed(folders):
            copy_metadata(one.path, path, one.info, _CHANGE)

    def _earlier(self) -> str:
        """Where the layer of the walk before is, "" when there is none any more."""
        layer = self._hashes.layer
        if not layer:
            return ""
        try:
            self._store.pins.hold([f"{LAYERS}/{layer}"])
        except ObjectMissing:
            return ""
        return str(self._store.layer_path(layer))

    def _linked(self, one: SelectedPath, path: str, earlier: str) -> bool:
        """Make the file a hard link, to one with the same inode or to the same file in the layer of the walk before."""
        info = one.info
        inode = (info.st_dev, info.st_ino)
        source = self._links.get(inode) if info.st_nlink > 1 else None
        if info.st_nlink > 1:
            self._links[inode] = path
        if source is None and earlier and self._hashes.sure_hash(one) is not None:
            source = os.path.join(earlier, one.rel)
            if not _same_attributes(source, info):
                return False
        if source is None:
            return False
        try:
            os.link(source, path, follow_symlinks=False)
        except OSError as error:
            if error.errno not in {errno.EMLINK, errno.ENOENT}:
                raise
            return False
        return True

    def _verify(self, one: SelectedPath, path: str, records: dict[str, tuple[str, ...]]) -> None:
        if stat.S_ISLNK(one.info.st_mode):
            records[one.rel] = record(one, os.readlink(path))
        elif not self._hashes.is_unchanged(one):
            records[one.rel] = record(one, hash_file(path))


def _folder(path: Path) -> str:
    """The folder, links resolved. NotFound names the first part that is not there."""
    for part in (*reversed(path.parents), path):
        if not part.exists():
            raise NotFound(f"lstat {part}: no such file or directory")
    if not path.is_dir():
        raise InvalidInput(f"{path}: not a directory")
    return os.path.realpath(path)


def _local(patterns: Iterable[str]) -> tuple[str, ...]:
    """Patterns that stay within the folder; one for the folder itself means everything in it."""
    kept = []
    for pattern in patterns:
        text = pattern.removeprefix("!")
        clean = posixpath.normpath(text) if text else ".."
        if not clean.startswith(("/", "../")) and clean != "..":
            kept.append(pattern[: len(pattern) - len(text)] + ("*" if clean == "." else clean))
    return tuple(kept)


def _key(records: dict[str, tuple[str, ...]]) -> str:
    return "host:" + digest_records(records.values())


def _same_attributes(path: str, info: os.stat_result) -> bool:
    try:
        there = os.lstat(path)
    except FileNotFoundError:
        return False
    return (there.st_mode, there.st_size, there.st_mtime_ns) == (info.st_mode, info.st_size, info.st_mtime_ns)

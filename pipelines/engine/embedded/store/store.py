"""Store: what the engine made and keeps, across sessions, processes and `kill -9`."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from pipelines.engine.embedded.store.disk_full import disk_full_errors
from pipelines.engine.embedded.store.layers.draft import Draft
from pipelines.engine.embedded.store.layers.layer_hashes import LayerHashes
from pipelines.engine.embedded.store.layers.layer_store import LayerStore
from pipelines.engine.embedded.store.layers.squash import squash
from pipelines.engine.embedded.store.layers.views import SnapshotView, SnapshotViews
from pipelines.engine.embedded.store.objects.locks import Locks
from pipelines.engine.embedded.store.objects.pins import Pins
from pipelines.engine.embedded.store.objects.workspace import LAYERS, OUTPUTS
from pipelines.engine.embedded.store.opening import OpenedStore, open_place
from pipelines.engine.embedded.store.results.files import Blobs, Outputs, blob_name
from pipelines.engine.embedded.store.results.results import ResultNotes, Results
from pipelines.engine.embedded.store.snapshot import MAX_DEPTH, Snapshot
from pipelines.engine.embedded.store.space.budget import default_budget
from pipelines.engine.embedded.store.space.collect import CleanupReport, Usage, collect, recorded, usage
from pipelines.engine.embedded.store.space.reserve import Reserve
from pipelines.engine.embedded.store.usable import usable
from pipelines.engine.embedded.store.volumes import Sharing, Volumes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from pipelines.engine.embedded.store.transfer.format import Transfer
    from pipelines.engine.embedded.store.volumes import Seed

__all__ = ["Draft", "Snapshot", "SnapshotView", "Store", "default_budget"]


class Store:
    """The store as one session sees it. All methods may be called from any thread; those that are not coroutines may block on the disk.

    Attributes:
        root: the store's folder.
        rootless: whether overlay marks are `user.` attributes.
        budget: bytes it may keep when it closes; None: no limit.
        blobs: files by digest.
        file_hashes: of layers made of host folders in this session.
        workspace, pins, layers: for the store's own modules.
    """

    def __init__(self, opened: OpenedStore, *, rootless: bool, budget: int | None) -> None:
        self.root = opened.workspace.root
        self.rootless = rootless
        self.budget = budget
        self._opened = opened
        self.workspace = opened.workspace
        self.pins = Pins(self.workspace)
        self.layers = LayerStore(self.workspace, self.pins)
        self._outputs = Outputs(self.workspace, self.pins)
        self.blobs = Blobs(self.workspace, self.pins)
        self.file_hashes = LayerHashes()
        self._results = Results(self.workspace, self.pins)
        self._drafts: WeakSet[Draft] = WeakSet()
        self._views = SnapshotViews(self.workspace, self.pins)
        self._locks = Locks(self.root / "locks" / "keys")
        self._volumes = Volumes(self.workspace, self.pins, self._locks, self.view)

    @classmethod
    def open(cls, root: Path, *, rootless: bool, budget: int | None = None, scarce: bool = False) -> Self:
        """Open the store at `root`, making it when it is not there, and sweep what dead sessions left (in the background).

        Args:
            root: a folder on a local file system that overlayfs can use; made with mode 0700.
            rootless: this process is in a user namespace.
            budget: bytes to keep when this session closes the store, least recently used going first.
            scarce: it is opened to make room on a disk that may be full.

        Raises:
            Unavailable: no store can be there, it is of a newer version, or another version of the engine is using it.
            DiskFull: there is no room for its index.
        """
        with usable(root), disk_full_errors(root):
            return cls(open_place(root, rootless=rootless, scarce=scarce), rootless=rootless, budget=budget)

    def get(self, key: str) -> dict[str, Any] | None:
        """The payload recorded under this key or alias, what it needs pinned for this session; None if any of that is gone."""
        return self._results.get(key)

    def put(
        self,
        key: str,
        payload: dict[str, Any],
        *,
        layers: Iterable[str] = (),
        outputs: Iterable[str] = (),
        blobs: Iterable[str] = (),
        cost: float = 0.0,
        alias: Iterable[str] = (),
        label: str = "",
    ) -> None:
        """Record the result of an operation. After this returns it survives `kill -9`.

        Args:
            key: what was done, with what: equal keys mean equal results.
            payload: JSON.
            layers: names of layers it needs (all of a snapshot's).
            outputs: names of outputs it needs; those from `new_output` are kept from now on.
            blobs: digests of blobs it needs.
            cost: seconds it took.
            alias: further keys it is found under.
            label: what to call it when it is evicted.

        Raises:
            ObjectMissing: one of the objects is not in the store.
            DiskFull: nothing was recorded.
        """
        outputs = [*outputs]
        kept = [f"{OUTPUTS}/{name}" for name in outputs]
        names = list(dict.fromkeys([*(f"{LAYERS}/{name}" for name in layers), *kept, *map(blob_name, blobs)]))
        with self.workspace.index.writing() as db:
            for name in outputs:
                self._outputs.keep(db, name)
            self.pins.hold_in(db, self.pins.missing(names))
            self._results.put(db, key, payload, names, ResultNotes([*alias], cost, label))

    def draft(self, lower: Snapshot, *, for_container: bool = False) -> Draft:
        """A writable file system on top of `lower`. `for_container`: a container will run on it; else devices in it cannot be opened."""
        if len(lower.layers) >= MAX_DEPTH:
            lower = self.squash(lower)
        self.pins.hold(f"{LAYERS}/{name}" for name in lower.layers)
        draft = Draft(self.workspace, self.layers, lower, for_container=for_container)
        self._drafts.add(draft)
        return draft

    def view(self, snapshot: Snapshot) -> SnapshotView:
        """The file system to read; close the view when done, or use it as a context manager."""
        if len(snapshot.layers) > MAX_DEPTH:
            snapshot = self.squash(snapshot)
        self.pins.hold(f"{LAYERS}/{name}" for name in snapshot.layers)
        return self._views.open(snapshot.layers)

    def add_layer(self, fill: Callable[[Path], object], id: str) -> str:  # noqa: A002 - the field's name
        """The layer known by `id`; when there is none yet, `fill` writes it (overlay format) into the empty folder it is given.

        A layer that no result uses is removed after the session: `put` one.
        """
        return self.layers.add(fill, id)

    def find_layer(self, id: str) -> str | None:  # noqa: A002 - the field's name
        """The layer known by `id`, pinned, or None."""
        return self.layers.find(id)

    def layer_path(self, name: str) -> Path:
        """Where a layer is, for those who pack it. Never write there."""
        return self.layers.path(name)

    def squash(self, snapshot: Snapshot) -> Snapshot:
        """The same file system in fewer layers, the upper half of them made one. `draft` does it beyond `MAX_DEPTH` layers."""
        return squash(self.layers, self.workspace.overlay.opaque_mark, snapshot)

    def new_output(self) -> Path:
        """A path to write an output at; its last component names it in `put(outputs=…)` and `output_path`."""
        return self._outputs.new()

    def output_path(self, name: str) -> Path:
        """The file of an output."""
        return self._outputs.path(name)

    def lock(self, key: str) -> AbstractAsyncContextManager[None]:
        """Held by one task of all processes at a time; released by the kernel if its process dies. Waiting can be cancelled."""
        return self._locks.hold(key)

    def volume(self, key: str, *, sharing: Sharing | str = Sharing.SHARED, seed: Seed | None = None) -> AbstractAsyncContextManager[Path]:
        """A folder of the cache volume `key`, to be written while the context is open.

        Args:
            key: names the volume, for all sessions of this store.
            sharing: who else may use it meanwhile; with LOCKED, entering waits (and can be cancelled).
            seed: (snapshot, folder in it) that a new volume begins with.
        """
        return self._volumes.hold(key, Sharing(sharing), seed)

    def gc(self, budget: int | None = None) -> CleanupReport:
        """Remove what was unused longest until `budget` bytes (default: the store's own) are kept. Nothing a live session uses is taken."""
        reserve = Reserve(self.root)
        reserve.release()
        self._results.flush()
        budget = self.budget if budget is None else budget
        report = collect(self.workspace, self._opened.sessions, sys.maxsize if budget is None else budget)
        reserve.keep()
        return report

    def prune(self) -> CleanupReport:
        """Remove everything no live session uses, remembered hashes of host files too."""
        Reserve(self.root).release()
        with self.workspace.index.writing() as db:
            db.execute("DELETE FROM notes WHERE name != 'mode'")
        return self.gc(-1)  # below nothing: results that need no room go too

    def export_cache(self, folder: Path) -> Transfer:
        """Write all results, what they need, and the volumes into a folder that a CI provider's cache can keep."""
        from pipelines.engine.embedded.store.transfer.exporting import export_cache

        self._results.flush()
        return export_cache(self.workspace, self.pins, folder, mode=self._mode)

    def import_cache(self, folder: Path) -> Transfer:
        """Add what `export_cache` wrote; content is verified, what the store has already stays."""
        from pipelines.engine.embedded.store.transfer.importing import import_cache

        return import_cache(self.workspace, self.pins, folder, mode=self._mode)

    @property
    def _mode(self) -> str:
        return "rootless" if self.rootless else "root"

    def usage(self) -> Usage:
        """What the store holds."""
        return usage(self.workspace)

    def wait_until_swept(self) -> None:
        """Wait until what dead sessions left is swept."""
        self._opened.sweeping.join()

    def close(self) -> CleanupReport | None:
        """Unmount views, release what is pinned, keep to the budget, end the session's registration. Drafts still open are lost.

        Returns what keeping to the budget took; None where nothing had to go.
        """
        with ExitStack() as stack:
            stack.callback(self._opened.close)
            for draft in [*self._drafts]:
                draft.abandon()
            self._views.close()
            self._results.flush()
            self._opened.release()
            over = self.budget is not None and recorded(self.workspace, self._volumes.used) > self.budget
            return self.gc() if over else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

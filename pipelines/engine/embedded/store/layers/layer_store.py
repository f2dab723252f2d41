"""Layers: finished folders in overlay format, named in the index."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.engine.embedded.store.disk_full import disk_full_errors
from pipelines.engine.embedded.store.objects.workspace import LAYERS
from pipelines.engine.embedded.store.trees.measure import Measure, measure
from pipelines.engine.embedded.store.trees.removing import remove
from pipelines.foundation.clock import unix_time

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipelines.engine.embedded.store.objects.pins import Pins
    from pipelines.engine.embedded.store.objects.workspace import Workspace

_BY_ID = "SELECT name FROM objects WHERE kind = 'layer' AND key = ?"
_INSERT = "INSERT INTO objects VALUES (?, 'layer', ?, ?, ?, ?)"


class LayerStore:
    """Makes layers. Names returned are short; `path` says where a layer is."""

    def __init__(self, workspace: Workspace, pins: Pins) -> None:
        self._workspace = workspace
        self._pins = pins

    def path(self, name: str) -> Path:
        """The folder of the layer `name`, whether it is there or not. Nothing may be written in it."""
        return self._workspace.root / LAYERS / name

    def find(self, id: str) -> str | None:  # noqa: A002 - the field's name
        """The layer that was added under `id`, pinned; None when there is none."""
        with self._workspace.index.reading() as db:
            row = db.execute(_BY_ID, (id,)).fetchone()
        if row is None:
            return None
        self._pins.hold([row[0]])
        return str(row[0]).removeprefix(f"{LAYERS}/")

    def add(self, fill: Callable[[Path], object], id: str) -> str:  # noqa: A002 - the field's name
        """The layer known by `id`, made by `fill` (given an empty folder) when it is not there yet."""
        if (name := self.find(id)) is not None:
            return name
        folder = self._workspace.new_folder()
        try:
            with disk_full_errors(self._workspace.root):
                filled = folder / "u"
                filled.mkdir()
                filled.chmod(0o755)
                fill(filled)
                return self.adopt(filled, measure(filled), id)
        finally:
            remove(folder, self._workspace.tmp)

    def adopt(self, folder: Path, measured: Measure, id: str | None = None) -> str:  # noqa: A002 - the field's name
        """Make a finished folder a layer, pinned. Of two that add the same `id`, the first one's is kept."""
        name = self._workspace.new_name()
        full = f"{LAYERS}/{name}"
        try:
            with self._workspace.index.writing() as db:
                if id and (taken := db.execute(_BY_ID, (id,)).fetchone()):
                    self._pins.hold_in(db, [taken[0]])
                    return str(taken[0]).removeprefix(f"{LAYERS}/")
                self._workspace.publish(folder, full)
                db.execute(_INSERT, (full, id, measured.size, measured.plain, unix_time()))
                self._pins.add(db, {full: measured.plain})
        except BaseException:
            self._workspace.remove(self.path(name))
            raise
        return name

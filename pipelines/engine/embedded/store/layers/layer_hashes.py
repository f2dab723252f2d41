"""Hashes of files in layers, as far as this session knows them: a large folder is hashed once, not again for each copy of it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.engine.embedded.store.snapshot import Snapshot

_LAYERS = 8  # remembered at a time: 30,000 files take some 6 MB


class LayerHashes:
    """SHA-256 (hex) of files by their path in a layer. From any thread."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Mapping[str, str]] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, layer: str, hashes: Mapping[str, str]) -> None:
        """Remember the hashes of a layer's files; those of the layer added longest ago are forgotten when there are too many."""
        with self._lock:
            self._known[layer] = hashes
            self._known.move_to_end(layer)
            while len(self._known) > _LAYERS:
                self._known.popitem(last=False)

    def of(self, snapshot: Snapshot) -> Mapping[str, str]:
        """What is known of a snapshot that is one layer; nothing of others."""
        with self._lock:
            return self._known.get(snapshot.layers[0], {}) if len(snapshot.layers) == 1 else {}

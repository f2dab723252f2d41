"""An op is a lazy file system: a recipe with a digest, evaluated at most once for its content key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pipelines.engine.embedded.ops.values.digest import digest_of
from pipelines.engine.embedded.store.snapshot import SCRATCH, Snapshot

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class OpOutput:
    """What an op gave: a file system and, for an exec, what its mounts became and what it said.

    Attributes:
        snapshot: the (root) file system.
        mounts: file systems of the writable mounts, in the exec's order.
        exit_code: of an exec; 0 otherwise.
        streams: names of the store's output files by stream (`stdout`, `stderr`, `combined`).
    """

    snapshot: Snapshot
    mounts: tuple[Snapshot, ...] = ()
    exit_code: int = 0
    streams: tuple[tuple[str, str], ...] = ()

    def layers(self) -> list[str]:
        """Every layer it needs, to be kept as long as it is."""
        return [layer for snapshot in (self.snapshot, *self.mounts) for layer in snapshot.layers]

    def to_json(self) -> dict[str, Any]:
        """As the store records it."""
        return {
            "snapshot": _snapshot_json(self.snapshot),
            "mounts": [_snapshot_json(mount) for mount in self.mounts],
            "exit": self.exit_code,
            "streams": dict(self.streams),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> OpOutput:
        """From what `to_json` gave."""
        mounts = tuple(_snapshot(mount) for mount in data["mounts"])
        return cls(_snapshot(data["snapshot"]), mounts, data["exit"], tuple(sorted(data["streams"].items())))


def _snapshot_json(snapshot: Snapshot) -> list[Any]:
    return [snapshot.id, list(snapshot.layers)]


def _snapshot(data: list[Any]) -> Snapshot:
    return Snapshot(data[0], tuple(data[1]))


class Op:
    """A lazy file system. `digest` names the recipe: two ops with one digest are interchangeable. `inputs` are the ops it is made from."""

    kind: ClassVar[str] = "op"
    __slots__ = ("digest", "inputs")
    digest: str
    inputs: tuple[Op, ...]

    def __init__(self, recipe: object, inputs: Sequence[Op] = ()) -> None:
        self.inputs = tuple(inputs)
        self.digest = digest_of(self.kind, recipe, [op.digest for op in self.inputs])

    def describe(self) -> str:
        """One line for logs and reports."""
        return self.kind


class Constant(Op):
    """A file system that is there already."""

    kind = "snapshot"
    __slots__ = ("snapshot",)

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__(snapshot.id)
        self.snapshot = snapshot


SCRATCH_OP = Constant(SCRATCH)


class MountOf(Op):
    """What a writable mount became in an exec."""

    kind = "mount-of"
    __slots__ = ("index",)

    def __init__(self, execution: Op, index: int) -> None:
        super().__init__(index, [execution])
        self.index = index

"""What the work of each step depended on, written down when the session ends: to tell what a next session will find done.

The ops of a step are followed down to what they begin from: folders of the host (with what narrows them on the way: paths, patterns) and
images. What is keyed by content depends on that content alone, what is keyed by recipe (a bound service) on everything below it.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pipelines.engine.embedded.ops.commands.command import source_of
from pipelines.engine.embedded.ops.commands.exec import ExecOp
from pipelines.engine.embedded.ops.files.actions import ActionOp
from pipelines.engine.embedded.ops.files.copies import CopyDirectory
from pipelines.engine.embedded.ops.images import ImageOp
from pipelines.engine.embedded.ops.values.op import SCRATCH_OP, Constant, MountOf, Op
from pipelines.engine.embedded.requester import REQUESTER
from pipelines.engine.embedded.store.host.listing import TreePart
from pipelines.foundation.files import replace_text
from pipelines.foundation.redaction import without_passwords

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipelines.engine.embedded.ops.values.states import Binding
    from pipelines.engine.embedded.store.host.listing import Listing

VARIABLE = "LOCKGATE_ENGINE_WORK_INPUTS"  # the file to write
SCHEMA = 1
REMOTE = frozenset({"git", "http"})  # kinds of ops whose source may change unseen


class _Link(NamedTuple):
    """An op on the way down. `narrowings`: what of it counts, the last narrowing first; `recipe`: all below counts."""

    op: Op
    narrowings: tuple[TreePart, ...] = ()
    recipe: bool = False


@dataclass(slots=True)
class WorkInputsWriter:
    """Collects while a session lasts. `path` is the file that `write` makes."""

    path: Path
    store: str
    _folders: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _asked: dict[str, dict[str, Op]] = field(default_factory=dict)

    @classmethod
    def of_environment(cls, store: Path) -> WorkInputsWriter | None:
        """A writer, where one is asked for."""
        path = os.environ.get(VARIABLE)
        return cls(Path(path), str(store)) if path else None

    def folder(self, snapshot: str, listing: Listing) -> None:
        """A folder of the host was read: it is `snapshot` now."""
        entries = self._folders.setdefault(snapshot, [])
        entry = listing.to_json()
        if entry not in entries:
            entries.append(entry)

    def done(self, op: Op) -> None:
        """An op was evaluated for whoever asks."""
        self._asked.setdefault(REQUESTER.get(), {})[op.digest] = op

    def write(self) -> None:
        """Write the file, whole or not at all. One that cannot be written is not there: it only saves guesses."""
        requesters = {requester: _depends(ops, self._folders) for requester, ops in self._asked.items() if requester}
        document = {"schema": SCHEMA, "store": self.store, "folders": self._folders, "requesters": requesters}
        with contextlib.suppress(OSError):
            replace_text(self.path, json.dumps(document, separators=(",", ":")), errors="surrogateescape")


def _depends(asked: Mapping[str, Op], folders: Mapping[str, object]) -> dict[str, Any]:
    """All a requester's ops begin from, each once, and the digests under which the store must have their results."""
    uses: dict[tuple[str, tuple[TreePart, ...]], None] = {}
    images: dict[tuple[str, bool], None] = {}
    remote: set[str] = set()
    results = {digest for digest, op in asked.items() if not isinstance(op, Constant | MountOf)}
    todo = [_Link(op) for op in _roots(asked)]
    seen: set[tuple[str, tuple[TreePart, ...], bool]] = set()
    while todo:
        link = todo.pop()
        op = link.op
        if (op.digest, link.narrowings, link.recipe) in seen:
            continue
        seen.add((op.digest, link.narrowings, link.recipe))
        if isinstance(op, Constant):
            if op.snapshot.id in folders:
                uses[op.snapshot.id, link.narrowings] = None
            continue
        if isinstance(op, ImageOp):
            images[str(op.image.reference), op.pinned] = None
        elif op.kind in REMOTE:
            remote.add(without_passwords(op.describe()))
        if isinstance(op, ExecOp) and not link.recipe:
            results.add(op.digest)
        todo += _below(link)
    return {
        "uses": [[snapshot, [list(one) for one in narrowings]] for snapshot, narrowings in uses],
        "images": [list(image) for image in images],
        "remote": sorted(remote),
        "results": sorted(results),
    }


def _roots(asked: Mapping[str, Op]) -> Iterator[Op]:
    """The ops that were asked for themselves, not for others of these.

    A folder of the host that was is only looked into: what is found there shapes the recipes; it is not counted as work.
    """
    inner: set[str] = set()
    todo = list(asked.values())
    while todo:
        op = todo.pop()
        below = {one.digest: one for one in (*op.inputs, *_services(op)) if one.digest not in inner}
        inner |= set(below)
        todo += [one for digest, one in below.items() if digest not in asked]
    return (op for digest, op in asked.items() if digest not in inner and not isinstance(op, Constant))


def _services(op: Op) -> Iterator[Op]:
    return (link.op for link in _of_services(op.command.bindings)) if isinstance(op, ExecOp) else iter(())


def _below(link: _Link) -> Iterator[_Link]:
    op = link.op
    if isinstance(op, ExecOp):
        yield from _of_exec(op, recipe=link.recipe)
    elif link.recipe or not isinstance(op, ActionOp):
        yield from (_Link(one, recipe=link.recipe) for one in op.inputs)
    else:
        yield from _of_action(op, link.narrowings)


def _of_exec(op: ExecOp, *, recipe: bool) -> Iterator[_Link]:
    """The root file system counts whole, mounts by what is mounted of them, services by their recipe."""
    yield _Link(op.inputs[0], recipe=recipe)
    for mount in op.command.mounts:
        source = source_of(mount)
        if source is not None:
            yield _Link(source.op, () if recipe or source.path == "/" else (TreePart(source.path),), recipe)
    yield from _of_services(op.command.bindings)


def _of_services(bindings: tuple[Binding, ...]) -> Iterator[_Link]:
    services = [binding.service for binding in bindings]
    while services:
        service = services.pop()
        if service.tunnel is not None:
            services.append(service.tunnel)
        if service.container is not None:
            yield _Link(service.container.rootfs, recipe=True)
            yield from (_Link(one, recipe=True) for one in service.command.sources())
            services += [binding.service for binding in service.command.bindings]


def _of_action(op: ActionOp, narrowings: tuple[TreePart, ...]) -> Iterator[_Link]:
    """A copy counts by what it copies; what is said about the copy is said about that, where the copy is all there is."""
    base, action = op.inputs[0], op.action
    yield _Link(base)
    is_all = isinstance(action, CopyDirectory) and base is SCRATCH_OP and action.path == action.source_path == "/"
    for source, part in action.source_parts():
        own = () if part is None else (part,)
        yield _Link(source, (*own, *narrowings) if is_all else own)

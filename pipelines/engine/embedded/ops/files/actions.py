"""File operations: a chain of them is one layer, however long it is."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from pipelines.engine.embedded.ops.tasks import in_thread
from pipelines.engine.embedded.ops.values.digest import digest_of
from pipelines.engine.embedded.ops.values.op import Op, OpOutput
from pipelines.engine.embedded.store.host.listing import TreePart

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipelines.engine.embedded.ops.interface import ClientSession
    from pipelines.engine.embedded.store.snapshot import Snapshot
    from pipelines.engine.embedded.store.store import Draft, Store
    from pipelines.engine.embedded.store.trees.linking import FormerCopy, SharedPaths
    from pipelines.engine.embedded.store.trees.root import Root


class Action:
    """One change to a file system. `sources` are other file systems it reads."""

    name: ClassVar[str] = "action"
    sources: tuple[Op, ...] = ()

    def recipe(self) -> Any:
        """What makes it what it is, sources left out."""
        raise NotImplementedError

    async def key(self, session: ClientSession, sources: Sequence[Snapshot]) -> Any:  # noqa: ARG002 - those that look need it
        """As `recipe`, with the sources' content."""
        return [self.recipe(), [source.id for source in sources]]

    def source_parts(self) -> Sequence[tuple[Op, TreePart | None]]:
        """What of its sources the key depends on; None: on everything."""
        return [(source, None) for source in self.sources]

    def apply(self, root: Root, sources: Sequence[Root], /) -> None:
        """Do it. Runs in a thread."""
        raise NotImplementedError


@dataclass(frozen=True)
class SourceAction(Action):
    """An action that reads one place of one other file system: `source_path` (absolute) in `source`. `path` is where it works."""

    path: str
    source: Op
    source_path: str

    @property
    def sources(self) -> tuple[Op, ...]:  # type: ignore[override]
        return (self.source,)

    async def key(self, session: ClientSession, sources: Sequence[Snapshot]) -> Any:
        """By the content of what is read, not by where it lies: a copy of the same content elsewhere gives the same."""
        return [self.path, await session.content(sources[0], self.source_path), *self._options()]

    def _options(self) -> list[Any]:
        """What else shapes the result."""
        return []

    def recipe(self) -> Any:
        return [self.path, self.source_path, *self._options()]

    def source_parts(self) -> Sequence[tuple[Op, TreePart | None]]:
        return [(self.source, TreePart(self.source_path))]


class FolderCopy(NamedTuple):
    """A copy of one folder into another: `source_path` in the action's only source, `target` in what it is applied to."""

    source_path: str
    target: str


class FolderAction(Action):
    """An action that may be the copy of a folder, and then can share what did not change with the copy it made before."""

    def folder_copy(self) -> FolderCopy | None:
        """What it copies; None when it is something else, or more than that."""
        raise NotImplementedError

    def copy(self, root: Root, sources: Sequence[Root], shared: SharedPaths | None) -> None:
        """As `apply`; `shared`: what is there already."""
        raise NotImplementedError

    def apply(self, root: Root, sources: Sequence[Root], /) -> None:
        self.copy(root, sources, None)


class ActionOp(Op):
    """`action` applied to `inputs[0]`."""

    kind = "files"
    __slots__ = ("action",)

    def __init__(self, base: Op, action: Action) -> None:
        super().__init__([action.name, action.recipe()], [base, *action.sources])
        self.action = action

    def describe(self) -> str:
        return self.action.name


async def evaluate_actions(session: ClientSession, op: ActionOp) -> OpOutput:
    """Evaluate a chain of actions down to the nearest file system that is there already, as one layer."""
    chain, base_op = await _chain(session, op)
    base = (await session.ops.output(base_op)).snapshot
    ops = [source for action in chain for source in action.sources]
    snapshots = iter([output.snapshot for output in await session.ops.outputs(ops)])
    steps = [(action, [next(snapshots) for _ in action.sources]) for action in chain]
    below = key = base.id
    for action, sources in steps:
        below, key = key, digest_of("files", key, action.name, await action.key(session, sources))
    async with session.store.lock(key):
        output = await session.ops.stored(key)
        if output is None:
            output = OpOutput(await in_thread(_apply, session, base, steps, key, below))
        label = f"files {chain[-1].name}"
        await in_thread(session.store.put, key, output.to_json(), layers=output.layers(), alias=[op.digest], label=label)
    return output


async def _chain(session: ClientSession, op: ActionOp) -> tuple[list[Action], Op]:
    """The actions to do, first one first, and what they start from: the nearest op that this session or the store has."""
    ops = [op]
    base = op.inputs[0]
    while isinstance(base, ActionOp) and session.ops.remembered(base) is None:
        ops.append(base)
        base = base.inputs[0]
    found = await in_thread(_first_stored, session.store, [one.digest for one in ops[1:]]) if ops[1:] else None
    if found is not None:
        base = ops[found + 1]
        del ops[found + 1 :]
    return [one.action for one in reversed(ops)], base


def _first_stored(store: Store, digests: Sequence[str]) -> int | None:
    """The place of the first digest that the store has a result for."""
    return next((place for place, digest in enumerate(digests) if store.get(digest) is not None), None)


def _apply(session: ClientSession, base: Snapshot, steps: Sequence[tuple[Action, Sequence[Snapshot]]], key: str, below: str) -> Snapshot:
    """Do the actions on `base`. `key` says what comes of all of them, `below` what comes of all but the last."""
    from pipelines.engine.embedded.store.trees.root import Root

    draft = session.store.draft(base)
    try:
        for action, sources in steps[:-1]:
            _apply_one(session, draft, action, sources)
        action, sources = steps[-1]
        if isinstance(action, FolderAction) and (folder := action.folder_copy()) is not None:
            former = _FormerCopies(session.store, base, digest_of("former copy", below, action.name, action.recipe()), sources[0])
            with session.store.view(base) as view:
                former.copy(draft, action, folder, Root(view.path))
            snapshot = draft.commit(key)
            former.note(snapshot)
            return snapshot
        _apply_one(session, draft, action, sources)
        return draft.commit(key)
    except BaseException:
        draft.discard()
        raise


def _apply_one(session: ClientSession, draft: Draft, action: Action, sources: Sequence[Snapshot]) -> None:
    from pipelines.engine.embedded.store.trees.root import Root

    with ExitStack() as stack:
        roots = [Root(stack.enter_context(session.store.view(source)).path) for source in sources]
        action.apply(Root(draft.mount()), roots)


class _FormerCopies:
    """What the same action made before, with another state of the folder it copies.

    `key` names the action without what it copies, and the file system it is done on with all content: that has a say in the copy (whom a
    name means, what was there already).
    """

    def __init__(self, store: Store, base: Snapshot, key: str, source: Snapshot) -> None:
        self._store = store
        self._base = base
        self._key = key
        self._source = source

    def copy(self, draft: Draft, action: FolderAction, folder: FolderCopy, below: Root) -> None:
        """Do the last action; what did not change is shared with what it made before."""
        from pipelines.engine.embedded.store.trees.linking import share, unchanged_paths
        from pipelines.engine.embedded.store.trees.pathwalk import path_errors
        from pipelines.engine.embedded.store.trees.root import Root

        with self._store.view(self._source) as view:
            tree, shared = Root(view.path), None
            former = self._find() if self._is_layer(view.path) else None
            if former is not None:
                with path_errors("copy", folder.source_path, self._store.root):
                    wanted = unchanged_paths(former, tree, folder.source_path, Root(draft.mount()), folder.target)
                    if wanted.files:
                        draft.unmount()
                        shared = share(wanted, former.copy, below, draft.upper)
            action.copy(Root(draft.mount()), [tree], shared)

    def _is_layer(self, path: Path) -> bool:
        """Whether the source is seen as the one layer that it is: then its inodes say which files are the same."""
        return len(self._source.layers) == 1 and path == self._store.layer_path(self._source.layers[0])

    def _find(self) -> FormerCopy | None:
        from pipelines.engine.embedded.store.trees.linking import FormerCopy
        from pipelines.engine.embedded.store.trees.root import Root

        recorded = self._store.get(self._key)
        if recorded is None or recorded["source"] in self._source.layers:
            return None
        return FormerCopy(Root(self._store.layer_path(recorded["source"])), self._store.layer_path(recorded["copy"]))

    def note(self, made: Snapshot) -> None:
        """Remember the layer that was made, for the next state of the source."""
        if len(self._source.layers) == 1 and len(made.layers) == len(self._base.layers) + 1:
            layers = [self._source.layers[0], made.layers[-1]]
            self._store.put(self._key, {"source": layers[0], "copy": layers[1]}, layers=layers, label="files shared by copies")

"""File operations: a chain of them is one layer, however long it is."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pipelines.engine.embedded.ops.tasks import in_thread
from pipelines.engine.embedded.ops.values.digest import digest_of
from pipelines.engine.embedded.ops.values.op import Op, OpOutput
from pipelines.engine.embedded.store.host.listing import TreePart

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.engine.embedded.ops.interface import ClientSession
    from pipelines.engine.embedded.store.snapshot import Snapshot
    from pipelines.engine.embedded.store.store import Store
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
    """Evaluate a chain of actions down to the nearest file system that is known, as one layer."""
    chain, base_op = await _chain(session, op)
    base = (await session.ops.output(base_op)).snapshot
    ops = [source for action in chain for source in action.sources]
    snapshots = iter([output.snapshot for output in await session.ops.outputs(ops)])
    steps = [(action, [next(snapshots) for _ in action.sources]) for action in chain]
    key = base.id
    for action, sources in steps:
        key = digest_of("files", key, action.name, await action.key(session, sources))
    async with session.store.lock(key):
        output = await session.ops.stored(key)
        if output is None:
            output = OpOutput(await in_thread(_apply, session, base, steps, key))
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


def _apply(session: ClientSession, base: Snapshot, steps: Sequence[tuple[Action, Sequence[Snapshot]]], key: str) -> Snapshot:
    from pipelines.engine.embedded.store.trees.root import Root

    draft = session.store.draft(base)
    try:
        root = Root(draft.mount())
        for action, sources in steps:
            with ExitStack() as stack:
                roots = [Root(stack.enter_context(session.store.view(source)).path) for source in sources]
                action.apply(root, roots)
        return draft.commit(key)
    except BaseException:
        draft.discard()
        raise

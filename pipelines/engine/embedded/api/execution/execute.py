"""Executes a query: builds the calls it names, then asks all leaves at once. No recursion: chains are hundreds of links long."""

from __future__ import annotations

import asyncio
import errno
import sys
import traceback
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from graphql import GraphQLError

from pipelines.engine.codes import Code
from pipelines.engine.embedded.api.execution.answer import Leaf, ResponsePosition, cut, nullify, own_id, report
from pipelines.engine.embedded.api.execution.evaluate import NullObject
from pipelines.engine.embedded.api.query import document, introspection_query
from pipelines.engine.embedded.api.query.selection import Selector
from pipelines.engine.embedded.api.schema.types import ROOT
from pipelines.engine.embedded.errors import Defect, EngineError, InvalidInput

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from graphql.language import FieldNode, SelectionSetNode

    from pipelines.engine.embedded.api.calls import Call, Calls
    from pipelines.engine.embedded.api.execution.evaluate import Evaluator
    from pipelines.engine.embedded.api.query.selection import Selected
    from pipelines.engine.embedded.api.registry import FieldSpec
    from pipelines.engine.embedded.api.schema.introspection import Introspection
    from pipelines.engine.embedded.api.schema.types import Schema

META = frozenset({"__typename", "__schema", "__type", "version"})
"""What is answered on the root from the schema alone, so even while the engine proper still starts."""

OF_THE_INPUT = frozenset({errno.ENAMETOOLONG, errno.ELOOP})
"""What the system says of paths that cannot be, whoever met them; a disk or a host's file that cannot be read says EIO."""
SHARE = 200  # objects that are opened before other requests have their turn


@dataclass(frozen=True, slots=True)
class Api:
    """What queries are executed against.

    Attributes:
        schema: the types.
        introspection: the same, for queries about them.
        calls: the session's objects.
        ready: waits for the engine proper: resolvers, and the session they work on.
    """

    schema: Schema
    introspection: Introspection
    calls: Calls
    ready: Callable[[], Awaitable[Evaluator]]


@dataclass(frozen=True, slots=True)
class Objects:
    """An object whose selections are to be opened.

    Attributes:
        sets: what is selected on it.
        type_name: its object type.
        call: the object; None for the root, and in a rehearsal.
        out: its object in the answer.
        place: where that is; None for the root.
        rehearsal: the selections are only checked: it stands for the elements of a list not yet asked.
    """

    sets: Sequence[SelectionSetNode]
    type_name: str
    call: Call | None
    out: dict[str, Any]
    place: ResponsePosition | None
    rehearsal: bool = False

    def at(self, key: str, call: Call | None = None) -> ResponsePosition:
        """The position of a field of this object in the answer."""
        return ResponsePosition(self.place, self.out, key, call)


class Response(NamedTuple):
    """What a client is answered.

    Attributes:
        body: the JSON object.
        constant: it holds for every session with this schema.
    """

    body: dict[str, Any]
    constant: bool


async def execute(api: Api, query: str, name: str | None = None, variables: Mapping[str, Any] | None = None) -> Response:
    """The response to a query. Nothing is raised but a cancellation.

    Any error makes the whole `data` null: all but a few fields of the API may not be null, so an error would climb to the top anyway.
    """
    try:
        operation = document.parse(query, name, variables or {}, api.schema)
        execution = Execution(api, operation)
        data = await execution.run()
    except GraphQLError as error:
        locations = [{"line": one.line, "column": one.column} for one in error.locations or ()]
        return refusal({"message": cut(error.message), "locations": locations, "extensions": {"code": str(Code.INVALID_INPUT)}})
    except EngineError as error:
        return refusal(report(error, None))
    except RecursionError:  # values in values
        return refusal(report(InvalidInput("The query, or a value in it, is nested too deeply."), None))
    return refusal(*execution.errors) if execution.errors else Response({"data": data}, execution.constant)


def refusal(*errors: dict[str, Any]) -> Response:
    """An answer without data: what went wrong, as GraphQL reports it."""
    return Response({"data": None, "errors": list(errors)}, constant=False)


@dataclass(slots=True)
class Execution:
    """One query under way.

    Attributes:
        api: what it is executed against.
        operation: the query.
        errors: what went wrong so far, as the client is told.
        constant: nothing but the schema is asked for.
    """

    api: Api
    operation: document.Operation
    errors: list[dict[str, Any]] = field(default_factory=list)
    constant: bool = field(init=False)
    _selector: Selector = field(init=False)
    _evaluator: Evaluator = field(init=False)

    def __post_init__(self) -> None:
        self._selector = Selector(self.api.schema, self.api.calls, self.operation.variables)

    async def run(self) -> dict[str, Any]:
        """The data; meaningless when there are errors."""
        root = Objects([self.operation.selection], ROOT, None, {}, None)
        self.constant = all(nodes[0].name.value in META for nodes in self._collect(root).values())
        if not self.constant:
            self._evaluator = await self.api.ready()
        await self._open_all([root])
        return root.out

    def _collect(self, objects: Objects) -> dict[str, list[FieldNode]]:
        return document.collect(self.operation, objects.sets, objects.type_name, self.api.schema)

    async def _open_all(self, work: list[Objects]) -> None:
        """Open objects until only leaves remain, then ask those. A mistake anywhere in the query means none is asked."""
        to_ask: list[Leaf] = []
        opened = 0
        while work:
            opened += 1
            if opened % SHARE == 0:
                await asyncio.sleep(0)
            objects = work.pop()
            for key, nodes in self._collect(objects).items():
                try:
                    self._open(objects, key, nodes, work, to_ask)
                except EngineError as error:
                    self.errors.append(report(error, objects.at(key)))
                    return
        await self._ask_all(to_ask)

    def _open(self, objects: Objects, key: str, nodes: Sequence[FieldNode], work: list[Objects], to_ask: list[Leaf]) -> None:
        name = nodes[0].name.value
        if name == "__typename":
            objects.out[key] = objects.type_name
        elif objects.type_name == ROOT and name in META:
            objects.out[key] = self._meta(name, nodes)
        else:
            self._choose(objects, self._selector.select(objects.type_name, key, nodes), work, to_ask)

    def _meta(self, name: str, nodes: Sequence[FieldNode]) -> Any:
        if name == "version":
            return self.api.schema.version
        return introspection_query.answer(name, nodes, self.operation, self.api.introspection, self.api.schema)

    def _choose(self, objects: Objects, selected: Selected, work: list[Objects], to_ask: list[Leaf]) -> None:
        loaded = selected.loads
        if loaded is not None:
            work.append(self._inside(objects, selected, loaded))
        elif selected.name == f"{objects.type_name}.id":
            objects.out[selected.key] = (objects.call or self.api.calls.root(ROOT)).id
        else:
            spec = self._evaluator.registry.spec(selected.name, selected.args, selected.field.defaults)
            self._call(objects, selected, spec, work, to_ask)

    def _call(self, objects: Objects, selected: Selected, spec: FieldSpec, work: list[Objects], to_ask: list[Leaf]) -> None:
        result = selected.field.type
        if selected.sets and (selected.is_list or objects.rehearsal):
            work.append(Objects(selected.sets, result.name, None, {}, objects.at(selected.key), rehearsal=True))
        if objects.rehearsal:
            return
        if selected.sets and not selected.is_list:
            call = self.api.calls.make(result.name, selected.name, objects.call, selected.args, fresh=spec.is_fresh(selected.args))
            work.append(self._inside(objects, selected, call))
        else:
            objects.out[selected.key] = None
            to_ask.append(Leaf(selected, spec, objects.call, objects.at(selected.key)))

    def _inside(self, objects: Objects, selected: Selected, call: Call) -> Objects:
        out: dict[str, Any] = {}
        objects.out[selected.key] = out
        return Objects(selected.sets, call.type, call, out, objects.at(selected.key, call))

    async def _ask_all(self, to_ask: Sequence[Leaf]) -> None:
        if len(to_ask) == 1:
            await self._ask(to_ask[0])
            return
        async with asyncio.TaskGroup() as group:
            for leaf in to_ask:
                group.create_task(self._ask(leaf))

    async def _ask(self, leaf: Leaf) -> None:
        """Ask one leaf and write down its value, or its error: a failing leaf does not stop the others."""
        try:
            await self._fill(leaf, await self._evaluator.leaf(leaf.spec, leaf.parent, leaf.selected.args))
        except NullObject as null:
            nullify(leaf.place, null.call)
        except EngineError as error:
            self.errors.append(report(error, leaf.place))
        except Exception as error:  # noqa: BLE001 - a defect of a resolver must not end the session
            if (known := _of_system(error, leaf.spec.name)) is not None:
                self.errors.append(report(known, leaf.place))
                return
            traceback.print_exc(file=sys.stderr)
            defect = Defect(f"internal error in {leaf.spec.name}: {type(error).__name__}: {error}")
            self.errors.append(report(defect, leaf.place))

    async def _fill(self, leaf: Leaf, value: Any) -> None:
        result = leaf.selected.field.type
        if result.name == "ID":
            leaf.place.fill(own_id(leaf, value, self.api.calls))
        elif value is None and result.required:
            raise Defect(f"Cannot return null for non-nullable field {leaf.spec.name}.")
        elif leaf.selected.sets and value is not None:
            await self._open_all(self._elements(leaf, value))
        else:
            leaf.place.fill(value)

    def _elements(self, leaf: Leaf, states: Sequence[Any]) -> list[Objects]:
        selected = leaf.selected
        source = self.api.calls.make(selected.field.type.name, selected.name, leaf.parent, selected.args)
        out: list[dict[str, Any]] = [{} for _ in states]
        leaf.place.fill(out)
        calls = [self.api.calls.element(source, index, state) for index, state in enumerate(states)]
        return [Objects(selected.sets, one.type, one, out[at], ResponsePosition(leaf.place, out, at, one)) for at, one in enumerate(calls)]


def _of_system(error: Exception, field_name: str) -> EngineError | None:
    """What the system said of a path or of a disk, as an error that is not a defect of the engine; None for everything else."""
    if not isinstance(error, OSError) or error.errno not in OF_THE_INPUT | {errno.EIO}:
        return None
    kind = InvalidInput if error.errno in OF_THE_INPUT else EngineError
    return kind(f"{field_name}: {(error.strerror or str(error.errno)).lower()}")

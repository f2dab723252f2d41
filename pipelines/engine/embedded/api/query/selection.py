"""From a selected field's nodes to its definition and arguments, checked against the schema."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.api.query import coerce
from pipelines.engine.embedded.api.query.check_values import check_value
from pipelines.engine.embedded.api.query.removed_fields import former
from pipelines.engine.embedded.api.schema.types import Composite
from pipelines.engine.embedded.errors import InvalidInput, UnknownField

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from graphql.language import FieldNode, SelectionSetNode

    from pipelines.engine.embedded.api.calls import Call, Calls
    from pipelines.engine.embedded.api.schema.types import Argument, Field, Schema


@dataclass(frozen=True, slots=True)
class Selected:
    """A field as a query selects it.

    Attributes:
        key: its key in the response.
        name: `Type.field`.
        field: its definition.
        args: all its arguments; ids of objects are their calls.
        sets: what is selected on its value; empty for a leaf.
    """

    key: str
    name: str
    field: Field
    args: dict[str, Any]
    sets: Sequence[SelectionSetNode]

    @property
    def is_list(self) -> bool:
        """Whether its value is a list."""
        return self.field.type.item is not None

    @property
    def loads(self) -> Call | None:
        """The object it loads by id (`node`, `load…FromID`), if that is what it does."""
        return self.args["id"] if self.name == "Query.node" or self.name.startswith("Query.load") else None


@dataclass(frozen=True, slots=True)
class Selector:
    """Resolves selections of one operation.

    Attributes:
        schema: what can be selected.
        calls: what ids stand for.
        variables: the operation's.
    """

    schema: Schema
    calls: Calls
    variables: Mapping[str, Any]

    def select(self, type_name: str, key: str, nodes: Sequence[FieldNode]) -> Selected:
        """The field that `nodes`, merged under one response key, select on a `type_name`.

        Raises:
            InvalidInput: it is not in the schema, or an argument or selection does not fit.
        """
        field = nodes[0].name.value
        name = f"{type_name}.{field}"
        definition = self._definition(type_name, field)
        sets = [node.selection_set for node in nodes if node.selection_set is not None]
        self._check_sets(field, definition, bool(sets))
        return Selected(key, name, definition, self._arguments(name, definition, nodes, key), sets)

    def _definition(self, type_name: str, field: str) -> Field:
        composite = self.schema.composite(type_name)
        if composite is None or field not in composite.fields:
            raise UnknownField(f'Cannot query field "{field}" on type "{type_name}".{former(type_name, field)}')
        return composite.fields[field]

    def _check_sets(self, field: str, definition: Field, selects: bool) -> None:
        is_object = isinstance(self.schema.types.get(definition.type.name), Composite)
        if is_object and not selects:
            wanted = f'Did you mean "{field} {{ ... }}"?'
            raise InvalidInput(f'Field "{field}" of type "{definition.type}" must have a selection of subfields. {wanted}')
        if selects and not is_object:
            raise InvalidInput(f'Field "{field}" must not have a selection since type "{definition.type}" has no subfields.')

    def _arguments(self, name: str, definition: Field, nodes: Sequence[FieldNode], key: str) -> dict[str, Any]:
        first, *others = (coerce.arguments(node.arguments or (), definition, name, self.variables, self.schema) for node in nodes)
        if any(other != first for other in others) or any(node.name.value != nodes[0].name.value for node in nodes):
            raise InvalidInput(f'Fields "{key}" conflict because they are different fields or have differing arguments.')
        for argument, value in first.items():
            check_value(argument, value)
        for argument, one in definition.args.items():
            if one.object and first[argument] is not None:
                first[argument] = self._objects(first[argument], one, argument)
        return first

    def _objects(self, value: Any, definition: Argument, argument: str) -> Any:
        if isinstance(value, list):
            return [self._object(one, definition.object, argument) for one in value]
        return self._object(value, definition.object, argument)

    def _object(self, id_: str, expected: str, argument: str) -> Call:
        call = self.calls.by_id(id_)
        if not self.schema.is_possible(expected, call.type):
            raise InvalidInput(f'Argument "{argument}": expected the id of a {expected}, got that of a {call.type}.')
        return call

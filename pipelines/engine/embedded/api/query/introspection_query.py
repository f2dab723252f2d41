"""Answers introspection queries: picks what a query selects from the introspection data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.api.query import coerce, document
from pipelines.engine.embedded.api.schema.types import Argument, Field, TypeRef
from pipelines.engine.embedded.errors import InvalidInput, UnknownField

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphql.language import FieldNode

    from pipelines.engine.embedded.api.schema.introspection import Introspection
    from pipelines.engine.embedded.api.schema.types import Schema

TYPE_FIELD = Field(TypeRef("__Type"), {"name": Argument(TypeRef("String", required=True))})


def answer(name: str, nodes: Sequence[FieldNode], operation: document.Operation, introspection: Introspection, schema: Schema) -> Any:
    """The value of `__schema` or `__type(name:)` on the root.

    Raises:
        InvalidInput: introspection has no such field.
    """
    if name == "__schema":
        return _select(introspection.schema, nodes, operation, schema)
    args = coerce.arguments(nodes[0].arguments or (), TYPE_FIELD, "Query.__type", operation.variables, schema)
    return _select(introspection.type(args["name"]), nodes, operation, schema)


def _select(source: Any, nodes: Sequence[FieldNode], operation: document.Operation, schema: Schema) -> Any:
    """`source` with only the selected fields. As deep as the query; that is bounded when it is parsed."""
    sets = [node.selection_set for node in nodes if node.selection_set is not None]
    if isinstance(source, list):
        return [_select(one, nodes, operation, schema) for one in source]
    if source is None:
        return None
    if isinstance(source, dict) is not bool(sets):
        wanted = "must not have a selection of subfields" if sets else "must have a selection of subfields"
        raise InvalidInput(f'Field "{nodes[0].name.value}" {wanted}.')
    if not isinstance(source, dict):
        return source
    answered: dict[str, Any] = {}
    for key, chosen in document.collect(operation, sets, source["__typename"], schema).items():
        name = chosen[0].name.value
        if name not in source:
            raise UnknownField(f'Cannot query field "{name}" on type "{source["__typename"]}".')
        answered[key] = _select(source[name], chosen, operation, schema)
    return answered

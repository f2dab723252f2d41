"""From a query's text to what it selects. The grammar is graphql-core's; deep chains and long strings are made cheap here."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any

from graphql import GraphQLError
from graphql.language import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    Source,
    TokenKind,
)
from graphql.language.lexer import Lexer
from graphql.language.parser import Parser

from pipelines.engine.embedded.api.query.coerce import from_variables, to_value
from pipelines.engine.embedded.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from graphql.language import DirectiveNode, DocumentNode, SelectionNode, SelectionSetNode, Token

    from pipelines.engine.embedded.api.schema.types import Schema

MAX_DEPTH = 1000  # levels of one query; SDKs send chains of 400, one level for each call
MAX_FIELDS = 100_000  # fields of one answer: fragments let a small query ask for any number; an SDK's introspection asks for 19,000
FRAMES_PER_LEVEL = 10  # of Python's stack, in graphql-core's parser; generous
STRING = re.compile(r'"[^"\\\r\n]*(?:\\.[^"\\\r\n]*)*"')


def allow_depth() -> None:
    """Let this process parse, and answer, queries of MAX_DEPTH levels: Python's own limit is too low for graphql-core's parser and json."""
    sys.setrecursionlimit(max(sys.getrecursionlimit(), MAX_DEPTH * FRAMES_PER_LEVEL))


class _FastLexer(Lexer):
    """Reads a string at once: graphql-core goes character by character, 0.15 s for each megabyte of a file's contents."""

    def read_string(self, start: int) -> Token:
        found = STRING.match(self.source.body, start)
        if found and "\\u{" not in found[0] and "\\ud" not in found[0].lower():
            try:
                return self.create_token(TokenKind.STRING, start, found.end(), json.loads(found[0], strict=False))
            except ValueError:
                pass
        return super().read_string(start)


class _DeepParser(Parser):
    """Allows chains deeper than graphql-core's 200 levels."""

    _nesting_depth: int

    def _enter_nesting(self) -> None:
        self._nesting_depth += 1
        if self._nesting_depth > MAX_DEPTH:
            raise RecursionError


@dataclass(slots=True)
class FieldBudget:
    """Counts what one operation selects."""

    left: int = MAX_FIELDS

    def spend(self) -> None:
        """Raises InvalidInput when nothing is left."""
        self.left -= 1
        if self.left < 0:
            raise InvalidInput(f"the query selects more than {MAX_FIELDS} fields")


@dataclass(frozen=True, slots=True)
class Operation:
    """The operation to execute.

    Attributes:
        selection: what it selects on the root.
        fragments: the document's fragments by name.
        variables: values of the variables, coerced.
        budget: how much more may be selected.
    """

    selection: SelectionSetNode
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Mapping[str, Any]
    budget: FieldBudget


def parse(text: str, name: str | None, variables: Mapping[str, Any], schema: Schema) -> Operation:
    """The operation called `name` (or the only one) in a document.

    Raises:
        GraphQLError: a syntax error; it says where.
        InvalidInput: no such operation, or a variable's value does not fit.
    """
    document = _parse(text)
    fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
    _check_fragments(fragments)
    operation = _choose([one for one in document.definitions if isinstance(one, OperationDefinitionNode)], name)
    if operation.operation is not OperationType.QUERY:
        raise InvalidInput(f"Schema is not configured to execute {operation.operation.value} operation.")
    return Operation(
        operation.selection_set, fragments, from_variables(operation.variable_definitions or (), variables, schema), FieldBudget()
    )


def _parse(text: str) -> DocumentNode:
    try:
        return _DeepParser(text, no_location=True, lexer=_FastLexer(Source(text))).parse_document()
    except RecursionError as error:
        raise GraphQLError(f"Syntax Error: the query is nested deeper than {MAX_DEPTH} levels.") from error


def _check_fragments(fragments: Mapping[str, FragmentDefinitionNode]) -> None:
    """No fragment may be part of itself, not even by way of others (GraphQL specification, §5.5.2.2)."""
    spreads = {name: [*_spreads(fragment.selection_set)] for name, fragment in fragments.items()}
    try:
        TopologicalSorter(spreads).prepare()
    except CycleError as error:
        raise InvalidInput(f'Cannot spread fragment "{error.args[1][0]}" within itself.') from None


def _spreads(selections: SelectionSetNode) -> Iterator[str]:
    """The names of the fragments that are spread at any depth."""
    pending = [selections]
    while pending:
        for node in pending.pop().selections:
            if isinstance(node, FragmentSpreadNode):
                yield node.name.value
            elif isinstance(node, FieldNode | InlineFragmentNode) and node.selection_set is not None:
                pending.append(node.selection_set)


def _choose(operations: list[OperationDefinitionNode], name: str | None) -> OperationDefinitionNode:
    if name is None and len(operations) > 1:
        raise InvalidInput("Must provide operation name if query contains multiple operations.")
    found = [one for one in operations if name is None or (one.name is not None and one.name.value == name)]
    if not found:
        raise InvalidInput("Must provide an operation." if name is None else f'Unknown operation named "{name}".')
    return found[0]


def collect(operation: Operation, sets: Iterable[SelectionSetNode], type_name: str, schema: Schema) -> dict[str, list[FieldNode]]:
    """The fields selected on an object of type `type_name`, by response key, fragments resolved (GraphQL specification, §6.3.2).

    Raises:
        InvalidInput: a fragment or type that is not there.
    """
    fields: dict[str, list[FieldNode]] = {}
    seen: set[str] = set()
    stack: list[Iterator[SelectionNode]] = [iter([node for one in sets for node in one.selections])]
    while stack:
        node = next(stack[-1], None)
        if node is None:
            stack.pop()
        elif not _included(node.directives or (), operation.variables, schema):
            continue
        elif isinstance(node, FieldNode):
            operation.budget.spend()
            fields.setdefault((node.alias or node.name).value, []).append(node)
        elif (inside := _fragment(node, operation.fragments, seen)) and _applies(inside, type_name, schema):
            stack.append(iter(inside.selection_set.selections))
    return fields


def _fragment(
    node: SelectionNode, fragments: Mapping[str, FragmentDefinitionNode], seen: set[str]
) -> FragmentDefinitionNode | InlineFragmentNode | None:
    """The fragment a selection stands for; None if it was spread here before."""
    if not isinstance(node, FragmentSpreadNode):
        return node  # type: ignore[return-value]  # a selection is a field (handled before), a spread or an inline fragment
    name = node.name.value
    if name not in fragments:
        raise InvalidInput(f'Unknown fragment "{name}".')
    if name in seen:
        return None
    seen.add(name)
    return fragments[name]


def _applies(fragment: FragmentDefinitionNode | InlineFragmentNode, type_name: str, schema: Schema) -> bool:
    if fragment.type_condition is None:
        return True
    condition = fragment.type_condition.name.value
    if condition == type_name:
        return True
    if schema.composite(condition) is None:
        raise InvalidInput(f'Unknown type "{condition}".')
    return schema.is_possible(condition, type_name)


def _included(directives: Iterable[DirectiveNode], variables: Mapping[str, Any], schema: Schema) -> bool:
    for directive in directives:
        name = directive.name.value
        if name not in {"include", "skip"}:
            raise InvalidInput(f'Unknown directive "@{name}".')
        if _condition(directive, variables, schema) is (name == "skip"):
            return False
    return True


def _condition(directive: DirectiveNode, variables: Mapping[str, Any], schema: Schema) -> bool:
    for argument in directive.arguments or ():
        if argument.name.value == "if":
            return bool(to_value(argument.value, "Boolean!", variables, schema))
    raise InvalidInput(f'Directive "@{directive.name.value}" argument "if" of type "Boolean!" is required, but it was not provided.')

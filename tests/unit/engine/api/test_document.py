from __future__ import annotations

import graphql
import pytest
from graphql.language import FieldNode
from hypothesis import given
from hypothesis import strategies as st

from pipelines.engine.embedded.api.query.document import MAX_DEPTH, allow_depth, collect, parse
from pipelines.engine.embedded.api.schema.types import Composite, Field, Scalar, Schema, parse_ref
from pipelines.engine.embedded.errors import EngineError, InvalidInput

STRING = Field(parse_ref("String"))
SCHEMA = Schema(
    "v0",
    {
        "Query": Composite("Query", {"a": STRING}),
        "Dog": Composite("Dog", {"a": STRING}, ("Pet",)),
        "Cat": Composite("Cat", {"a": STRING}, ("Pet",)),
        "Pet": Composite("Pet", {"a": STRING}, abstract=True),
        "String": Scalar("String"),
        "Boolean": Scalar("Boolean"),
    },
)


def fields(text: str, type_name: str = "Dog", /, **variables: object) -> list[str]:
    operation = parse(text, None, variables, SCHEMA)
    return list(collect(operation, [operation.selection], type_name, SCHEMA))


def value(text: str) -> str:
    operation = parse(text, None, {}, SCHEMA)
    node = operation.selection.selections[0]
    assert isinstance(node, FieldNode)
    found = (node.arguments or ())[0].value
    assert isinstance(found, graphql.StringValueNode)
    return found.value


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_string_is_what_the_client_wrote(text: str) -> None:
    assert value(f"{{ a(x: {graphql.print_ast(graphql.StringValueNode(value=text))}) }}") == text


@given(st.text(st.sampled_from(list('ab"\\/nu{}0d8')), max_size=12))
def test_any_string_is_read_as_the_reference_reads_it(inside: str) -> None:
    text = f'{{ a(x: "{inside}") }}'
    try:
        expected = graphql.parse(text, no_location=True)
    except graphql.GraphQLSyntaxError:
        with pytest.raises(graphql.GraphQLSyntaxError):
            parse(text, None, {}, SCHEMA)
    else:
        assert parse(text, None, {}, SCHEMA).selection == expected.definitions[0].selection_set  # type: ignore[attr-defined]


def test_block_strings_and_wide_escapes_are_read() -> None:
    assert value('{ a(x: """\n  one\n   two\n""") }') == "one\n two"
    assert value(r'{ a(x: "\u{1F600}\uD83D\uDE00") }') == "😀😀"


def test_fragments_apply_by_type() -> None:
    text = """
      { a ...Named ... on Dog { dog } ... on Cat { cat } ... on Pet { pet } ... { plain } }
      fragment Named on Pet { named ...Again }
      fragment Again on Dog { again }
    """
    assert fields(text) == ["a", "named", "again", "dog", "pet", "plain"]
    assert fields(text, "Cat") == ["a", "named", "cat", "pet", "plain"]


@pytest.mark.parametrize(
    "text",
    [
        "{ ...A } fragment A on Dog { ...A }",
        "{ ...A } fragment A on Dog { a { ...B } } fragment B on Dog { ... on Dog { b { ...A } } }",
        "{ a } fragment Unused on Dog { ...Unused }",
    ],
)
def test_a_fragment_may_not_be_part_of_itself(text: str) -> None:
    with pytest.raises(InvalidInput, match="within itself"):
        fields(text)


def test_directives_decide() -> None:
    text = """query ($yes: Boolean!, $no: Boolean = false) {
      a @include(if: $yes) b @include(if: $no) c @skip(if: $yes) d @skip(if: $no) e @include(if: true) @skip(if: true)
      ... @include(if: $no) { f }
    }"""
    assert fields(text, yes=True) == ["a", "d"]


def test_aliases_are_keys_and_equal_keys_merge() -> None:
    operation = parse("{ x: a, a, x: a }", None, {}, SCHEMA)
    found = collect(operation, [operation.selection], "Dog", SCHEMA)
    assert {key: len(nodes) for key, nodes in found.items()} == {"x": 2, "a": 1}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{ ...Missing }", 'Unknown fragment "Missing".'),
        ("{ ... on Fish { a } }", 'Unknown type "Fish".'),
        ("{ a @defer }", 'Unknown directive "@defer".'),
        ("{ a @skip }", '"if" of type "Boolean!" is required'),
        ("{ a @skip(if: 1) }", "Boolean cannot represent"),
        ("mutation { a }", "not configured to execute mutation"),
        ("fragment F on Dog { a }", "Must provide an operation."),
        ("query A { a } query B { a }", "Must provide operation name"),
    ],
)
def test_mistakes_are_told(text: str, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        fields(text)
    assert message in caught.value.message


def test_an_operation_is_chosen_by_name() -> None:
    text = "query A { a } query B { b }"
    operation = parse(text, "B", {}, SCHEMA)
    assert list(collect(operation, [operation.selection], "Dog", SCHEMA)) == ["b"]
    with pytest.raises(EngineError, match='Unknown operation named "C"'):
        parse(text, "C", {}, SCHEMA)


def test_a_syntax_error_says_where() -> None:
    with pytest.raises(graphql.GraphQLSyntaxError) as caught:
        parse("{\n  a(\n}", None, {}, SCHEMA)
    assert caught.value.locations is not None
    assert caught.value.locations[0].line == 3


def test_depth_is_bounded_far_above_what_clients_send() -> None:
    allow_depth()
    deep = MAX_DEPTH - 1
    assert fields("{a" * deep + "}" * deep) == ["a"]
    too_deep = MAX_DEPTH + 1
    with pytest.raises(graphql.GraphQLError, match="nested deeper than"):
        fields("{a" * too_deep + "}" * too_deep)


def test_deeply_nested_inline_fragments_cost_no_recursion() -> None:
    allow_depth()
    depth = MAX_DEPTH // 2 - 1
    assert fields("{" + "...{" * depth + "a" + "}" * depth + "}") == ["a"]

"""Values, with graphql-core's own coercion as the judge."""

from __future__ import annotations

from typing import Any

import graphql
import pytest
from graphql.language import ArgumentNode, FieldNode, OperationDefinitionNode
from hypothesis import given
from hypothesis import strategies as st

from pipelines.engine.embedded.api.query import coerce
from pipelines.engine.embedded.api.schema.types import UNSET, Argument, Enum, Field, Input, Scalar, Schema, parse_ref
from pipelines.engine.embedded.errors import InvalidInput

SCHEMA = Schema(
    "v0",
    {
        **{name: Scalar(name) for name in ("Int", "Float", "String", "Boolean", "ID", "Platform")},
        "Color": Enum("Color", {"RED": "RED", "Crimson": "RED", "BLUE": "BLUE"}),
        "Forward": Input(
            "Forward",
            {
                "port": Argument(parse_ref("Int!")),
                "color": Argument(parse_ref("Color"), "BLUE"),
                "tags": Argument(parse_ref("[String!]"), []),
            },
        ),
    },
)
JUDGE = graphql.build_schema("""
    enum Color { RED Crimson BLUE }
    input Forward { port: Int!, color: Color = BLUE, tags: [String!] = [] }
    scalar Platform
    type Query { x(forward: Forward, number: Float): Int }
""")

ints = st.integers(min_value=-(2**31), max_value=2**31 - 1)
words = st.sampled_from(["RED", "BLUE"])
forwards = st.fixed_dictionaries({"port": ints}, optional={"color": words, "tags": st.lists(st.text(), max_size=2)})


def arguments(text: str) -> list[ArgumentNode]:
    operation = graphql.parse(f"{{ f({text}) }}" if text else "{ f }").definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    node = operation.selection_set.selections[0]
    assert isinstance(node, FieldNode)
    return list(node.arguments or ())


def give(type_: str, text: str, default: Any = UNSET, /, **variables: Any) -> Any:
    field = Field(parse_ref("Int"), {"x": Argument(parse_ref(type_), default)})
    return coerce.arguments(arguments(text), field, "Query.f", variables, SCHEMA)["x"]


@pytest.mark.parametrize(
    ("type_", "values"),
    [
        ("Int", ints),
        ("String", st.text()),
        ("Boolean", st.booleans()),
        ("Float", st.floats(allow_nan=False, allow_infinity=False)),
        ("Color", words),
        ("[Int!]!", st.lists(ints)),
        ("[[String]]", st.lists(st.lists(st.none() | st.text(), max_size=3), max_size=3)),
        ("Forward", forwards),
        ("[Forward!]", st.lists(forwards, max_size=3)),
    ],
)
def test_literals_mean_what_the_reference_says(type_: str, values: st.SearchStrategy[Any]) -> None:
    judged = graphql.type_from_ast(JUDGE, graphql.parse_type(type_))
    assert graphql.is_input_type(judged)

    @given(values)
    def check(value: Any) -> None:
        literal = graphql.value_to_literal(value, judged)
        assert literal is not None
        text = graphql.print_ast(literal)
        assert give(type_, f"x: {text}") == graphql.coerce_input_literal(literal, judged)

    check()


@given(forwards)
def test_variables_mean_what_the_reference_says(value: dict[str, Any]) -> None:
    judged = JUDGE.type_map["Forward"]
    assert isinstance(judged, graphql.GraphQLInputObjectType)
    assert give("Forward", "x: $v", v=value) == graphql.coerce_input_value(value, judged)


@given(st.integers())
def test_int_has_64_bits(value: int) -> None:
    if -(2**63) <= value < 2**63:
        assert give("Int", f"x: {value}") == value
    else:
        with pytest.raises(InvalidInput, match="Int cannot represent"):
            give("Int", f"x: {value}")


@pytest.mark.parametrize(
    ("type_", "text", "message"),
    [
        ("Int", 'x: "1"', 'Argument "x": Int cannot represent value: "1"'),
        ("Int", "x: 1.0", "Int cannot represent"),
        ("Int", "x: true", "Int cannot represent"),
        ("String", "x: 1", "String cannot represent value: 1"),
        ("String", "x: word", "String cannot represent value: word"),
        ("Boolean", "x: 0", "Boolean cannot represent"),
        ("Float", "x: true", "Float cannot represent"),
        ("ID", "x: true", "ID cannot represent"),
        ("Platform", "x: {os: 1}", "Platform cannot represent"),
        ("Color", "x: GREEN", 'value GREEN does not exist in "Color" enum'),
        ("Color", "x: 1", 'value 1 does not exist in "Color" enum'),
        ("[String!]!", "x: [null]", 'expected value of type "String!", found null'),
        ("[String!]!", "x: null", 'expected value of type "[String!]!", found null'),
        ("Forward", "x: 1", 'expected type "Forward" to be an object'),
        ("Forward", "x: {}", 'expected value of type "Int!", found null'),
        ("Forward", "x: {port: 1, host: 2}", 'field "host" is not defined by type "Forward"'),
        ("Int!", "", r'Argument "Query.f(x:)" of type "Int!" is required, but it was not provided.'),
        ("Int", "y: 1", 'Unknown argument "y" on field "Query.f".'),
        ("Int", "x: $v", r'Variable "$v" is not defined.'),
    ],
)
def test_what_does_not_fit_is_refused(type_: str, text: str, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        give(type_, text)
    assert message in caught.value.message


def test_defaults_nulls_and_aliases() -> None:
    assert give("Int", "", 3) == 3
    assert give("Int", "") is None
    assert give("Int", "x: null", 3) is None
    assert give("Int", "x: $v", 3, v=UNSET) == 3
    assert give("Color", "x: Crimson") == "RED"
    assert give("[String!]!", 'x: "one"') == ["one"]
    assert give("ID", "x: 7") == "7"
    assert give("Float", "x: 7") == pytest.approx(7.0)
    assert give("Forward", "x: {port: 1}") == {"port": 1, "color": "BLUE", "tags": []}


def test_a_refused_value_is_not_repeated_at_length() -> None:
    with pytest.raises(InvalidInput) as caught:
        give("Int", f'x: "{"a" * 10_000}"')
    assert len(caught.value.message) < 300


def variables(text: str, **given_: Any) -> dict[str, Any]:
    operation = graphql.parse(f"query ({text}) {{ f }}").definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    return coerce.from_variables(operation.variable_definitions or (), given_, SCHEMA)


def test_variables_have_types_and_defaults() -> None:
    assert variables("$a: Int = 4, $b: [Color!]!, $c: String", b="Crimson") == {"a": 4, "b": ["RED"], "c": UNSET}
    with pytest.raises(InvalidInput, match=r'Variable "\$a" of required type "Int!" was not provided'):
        variables("$a: Int!")
    with pytest.raises(InvalidInput, match=r'Variable "\$a": Int cannot represent'):
        variables("$a: Int", a="x")
    with pytest.raises(InvalidInput, match='Unknown type "Nope"'):
        variables("$a: Nope", a="x")

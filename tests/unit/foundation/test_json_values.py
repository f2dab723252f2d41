"""Dataclasses to JSON and back, by the types of their fields."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.foundation.json_values import NotOfType, from_json, schema_of, to_json

if TYPE_CHECKING:
    from collections.abc import Mapping


class Color(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    day: dt.date
    color: Color
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A tree. It has leaves."""

    name: str
    count: int
    size: float
    green: bool
    leaves: tuple[Leaf, ...]
    by_name: Mapping[str, Leaf]
    best: Leaf | None
    facts: Mapping[str, str | int | float | bool]
    later: int = 7


LEAVES = st.builds(Leaf, day=st.dates(), color=st.sampled_from(Color), text=st.none() | st.text())
VALID = jsonschema.Draft202012Validator(schema_of(Tree))
TREES = st.builds(
    Tree,
    name=st.text(),
    count=st.integers(),
    size=st.floats(allow_nan=False, allow_infinity=False),
    green=st.booleans(),
    leaves=st.lists(LEAVES, max_size=3).map(tuple),
    by_name=st.dictionaries(st.text(), LEAVES, max_size=2),
    best=st.none() | LEAVES,
    facts=st.dictionaries(st.text(), st.text() | st.integers() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False)),
    later=st.integers(),
)
TREE = Tree(name="t", count=1, size=1.0, green=True, leaves=(), by_name={}, best=None, facts={})


@given(tree=TREES)
def test_what_is_read_is_what_was_written(tree: Tree) -> None:
    text = json.dumps(to_json(tree))
    assert from_json(Tree, json.loads(text)) == tree
    assert [type(fact) for fact in from_json(Tree, json.loads(text)).facts.values()] == [type(fact) for fact in tree.facts.values()]
    VALID.validate(json.loads(text))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"count": "1"}, "Tree.count: str is not int"),
        ({"count": True}, "Tree.count: bool is not int"),
        ({"count": None}, "Tree.count: NoneType is not int"),
        ({"leaves": {}}, "Tree.leaves: dict is not"),
        ({"leaves": [3]}, r"Tree.leaves\[0\]: int is not an object"),
        ({"best": {"day": "2026-02-30", "color": "red"}}, "Tree.best.day: "),
        ({"best": {"day": "2026-02-28", "color": "pink"}}, "Tree.best.color: 'pink' is not a valid Color"),
        ({"best": {"day": "2026-02-28"}}, "Tree.best.color is missing"),
        ({"facts": {"a": []}}, "Tree.facts.a: list is not"),
        ({"facts": {"a": None}}, "Tree.facts.a: NoneType is not"),
    ],
)
def test_a_value_of_another_type_is_named_by_its_place(change: dict[str, object], says: str) -> None:
    data = to_json(TREE) | change
    with pytest.raises(NotOfType, match=f"^{says}"):
        from_json(Tree, data)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, schema_of(Tree), format_checker=jsonschema.FormatChecker(["date"]))


def test_keys_of_a_later_version_are_passed_over_and_missing_ones_have_their_default() -> None:
    data = to_json(TREE)
    del data["later"]
    assert from_json(Tree, {**data, "new": 1}) == TREE


@pytest.mark.parametrize("data", [None, [], "x", 1])
def test_what_is_not_an_object_is_refused(data: object) -> None:
    with pytest.raises(NotOfType, match=r"^Tree: "):
        from_json(Tree, data)


def test_a_schema_says_what_a_class_is_for() -> None:
    schema = schema_of(Tree)
    assert schema["description"] == "A tree. It has leaves."
    assert schema["properties"]["best"] == {"anyOf": [{"$ref": "#/$defs/Leaf"}, {"type": "null"}]}
    assert set(schema["$defs"]) == {"Leaf"}


def test_a_whole_number_may_stand_for_any_number() -> None:
    size = from_json(Tree, to_json(TREE) | {"size": 3}).size
    assert (size, type(size)) == (3.0, float)


def test_one_tree_there_and_back() -> None:
    leaf = Leaf(day=dt.date(2026, 1, 31), color=Color.BLUE, text="x")
    tree = replace(TREE, leaves=(leaf,), by_name={"a": leaf}, best=leaf, facts={"a": 1, "b": True, "c": 1.5, "d": "x"})
    assert from_json(Tree, to_json(tree)) == tree
    jsonschema.validate(to_json(tree), schema_of(Tree))

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipelines.config.layers import Layers, flattened
from pipelines.config.origin import Layer, Origin

FILE, LOCAL = Origin(Layer.FILE, "a"), Origin(Layer.LOCAL, "b")
keys = st.sampled_from("abc")
tables = st.recursive(
    st.integers() | st.just([1]), lambda inner: st.dictionaries(keys, inner, min_size=1, max_size=3), max_leaves=6
).filter(lambda value: isinstance(value, dict))


def laid(*layers: tuple[dict[str, Any], Origin]) -> Layers:
    result = Layers()
    for table, origin in layers:
        result.lay(table, origin)
    return result


@given(tables, tables)
def test_the_stronger_layer_has_the_last_word(weak: dict[str, Any], strong: dict[str, Any]) -> None:
    both = laid((weak, FILE), (strong, LOCAL))
    merged = dict(flattened(both.tables))
    for path, value in flattened(strong):
        assert merged[path] == value
        assert both.origin(path) == LOCAL
    for path in merged.keys() - dict(flattened(strong)).keys():
        assert both.origin(path) == FILE
        assert merged[path] == dict(flattened(weak))[path]


@given(tables)
def test_one_layer_is_itself(table: dict[str, Any]) -> None:
    assert laid((table, FILE)).tables == table


def test_a_table_over_a_word_and_a_word_over_a_table() -> None:
    assert laid(({"a": "word"}, FILE), ({"a": {"b": 1}}, LOCAL)).tables == {"a": {"b": 1}}
    over = laid(({"a": {"b": 1}}, FILE), ({"a": "word"}, LOCAL))
    assert over.tables == {"a": "word"}
    assert over.origin(("a", "b")) == LOCAL


def test_an_empty_table_empties_nothing() -> None:
    assert laid(({"a": {"b": 1}}, FILE), ({"a": {}}, LOCAL)).tables == {"a": {"b": 1}}


def test_the_layers_given_stay_as_they_are() -> None:
    weak: dict[str, Any] = {"a": {}}
    laid((weak, FILE), ({"a": {"b": 1}}, LOCAL))
    assert weak == {"a": {}}

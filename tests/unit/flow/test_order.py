from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.flow.order import CycleError, ancestors, dependents, topological

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Needs = dict[str, list[str]]


@st.composite
def acyclic(draw: st.DrawFn) -> Needs:
    """Needs that point back in some hidden order, written down in another."""
    keys = draw(st.lists(st.text("abcdefgh", min_size=1, max_size=3), unique=True, max_size=9))
    needs = {key: draw(st.lists(st.sampled_from(keys[:index]), max_size=3)) if index else [] for index, key in enumerate(keys)}
    return {key: needs[key] for key in draw(st.permutations(keys))}


@st.composite
def anything(draw: st.DrawFn) -> Needs:
    keys = draw(st.lists(st.text("abcdefgh", min_size=1, max_size=3), unique=True, min_size=1, max_size=9))
    return {key: draw(st.lists(st.sampled_from(keys), max_size=3)) for key in keys}


def by_definition(needs: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The order as its sentence says it: again and again the first key whose needs are all there."""
    order: list[str] = []
    while len(order) < len(needs):
        order.append(next(key for key in needs if key not in order and set(needs[key]) <= set(order)))
    return tuple(order)


def test_the_worked_example() -> None:
    assert topological({"d": ["b", "c"], "a": [], "c": ["a"], "b": ["a"]}) == ("a", "c", "b", "d")


@given(acyclic())
def test_needs_come_first_and_ties_keep_the_written_order(needs: Needs) -> None:
    assert topological(needs) == by_definition(needs)


@given(anything())
def test_an_order_or_a_true_cycle(needs: Needs) -> None:
    try:
        order = topological(needs)
    except CycleError as error:
        path = error.path
    else:
        assert sorted(order) == sorted(needs)
        return
    assert path[0] == path[-1]
    assert len(set(path[:-1])) == len(path) - 1
    assert all(need in needs[key] for key, need in itertools.pairwise(path))


@given(acyclic(), st.data())
def test_ancestors_are_closed_and_no_more(needs: Needs, data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.sampled_from(sorted(needs)), max_size=3)) if needs else []
    found = ancestors(needs, chosen)
    assert set(chosen) <= found
    assert all(need in found for key in found for need in needs[key])
    assert all(key in chosen or any(key in needs[user] for user in found) for key in found)


@given(acyclic())
def test_dependents_are_needs_turned_round(needs: Needs) -> None:
    turned = dependents(needs)
    assert {(key, user) for key, users in turned.items() for user in users} == {
        (need, key) for key, wanted in needs.items() for need in wanted
    }


def test_depth_is_no_limit() -> None:
    count = 5000
    chain = {str(index): [str(index + 1)] for index in range(count)} | {str(count): []}
    assert topological(chain)[0] == str(count)
    with pytest.raises(CycleError) as caught:
        topological(chain | {str(count): ["0"]})
    assert len(caught.value.path) == count + 2


def test_a_cycle_is_printed_as_a_path_from_the_first_written() -> None:
    with pytest.raises(CycleError, match=r"^a -> c -> b -> a$"):
        topological({"x": ["a"], "a": ["c"], "b": ["a"], "c": ["b"]})

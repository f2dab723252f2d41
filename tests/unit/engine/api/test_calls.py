from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.engine.embedded.api.calls import Call, Calls
from pipelines.engine.embedded.errors import InvalidInput

scalars = st.none() | st.booleans() | st.integers() | st.text()
inputs = st.dictionaries(st.from_regex(r"[a-z]+", fullmatch=True), scalars, max_size=3)
values = scalars | st.lists(scalars | inputs, max_size=4) | inputs
arguments = st.dictionaries(st.from_regex(r"[a-z]+", fullmatch=True), values, max_size=4)


def chain(calls: Calls, recipe: list[dict[str, Any]]) -> Call:
    call = calls.make("Container", "Query.container", None, {})
    for args in recipe:
        call = calls.make("Container", "Container.withExec", call, args)
    return call


@given(st.lists(arguments, max_size=4))
def test_a_recipe_has_one_call_and_its_id_leads_back_to_it(recipe: list[dict[str, Any]]) -> None:
    calls = Calls()
    call = chain(calls, recipe)
    assert chain(calls, [dict(reversed(args.items())) for args in recipe]) is call
    assert calls.by_id(call.id) is call


@given(st.lists(arguments, max_size=3), st.lists(arguments, max_size=3))
def test_different_recipes_have_different_ids(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> None:
    calls = Calls()
    same_text = repr(one) == repr(other)  # True == 1 in Python, not in an API
    assert (chain(calls, one).id == chain(calls, other).id) is (same_text or canonical(one) == canonical(other))


def canonical(recipe: list[dict[str, Any]]) -> str:
    return repr([sorted((key, repr(sorted(v.items()) if isinstance(v, dict) else v)) for key, v in args.items()) for args in recipe])


def test_an_object_among_the_arguments_counts_by_its_recipe() -> None:
    calls = Calls()
    one = calls.make("Directory", "Query.directory", None, {})
    other = calls.make("Directory", "Directory.withNewDirectory", one, {"path": "a"})
    mounted = [calls.make("Container", "Container.withDirectory", None, {"source": source}) for source in (one, other, one)]
    assert mounted[0] is mounted[2]
    assert mounted[0] is not mounted[1]


def test_text_cannot_pass_for_an_object() -> None:
    calls = Calls()
    one = calls.make("Directory", "Query.directory", None, {})
    real = calls.make("Container", "Container.withDirectory", None, {"source": one})
    for fake in (one.digest, one.id, f'{{"@call":"{one.digest}"}}'):
        assert calls.make("Container", "Container.withDirectory", None, {"source": fake}) is not real


def test_a_fresh_call_is_always_new_and_its_id_leads_to_it() -> None:
    calls = Calls()
    one, other = (calls.make("Directory", "Host.directory", None, {"path": "."}, fresh=True) for _ in range(2))
    assert one.id != other.id
    assert calls.by_id(one.id) is one


def test_elements_of_one_list_differ_by_place_and_keep_their_ids() -> None:
    calls = Calls()
    ports = calls.make("Port", "Container.exposedPorts", None, {})
    first, second, again = (calls.element(ports, index, state) for index, state in ((0, "80"), (1, "80"), (0, "80")))
    assert first.id != second.id
    assert first.id == again.id
    assert calls.by_id(second.id).state == "80"


def test_an_id_of_another_session_is_refused() -> None:
    foreign = chain(Calls(), [{"args": ["x"]}])
    with pytest.raises(InvalidInput, match="only in the session that made them"):
        Calls().by_id(foreign.id)


def test_an_id_with_another_type_is_refused() -> None:
    calls = Calls()
    call = chain(calls, [])
    with pytest.raises(InvalidInput, match="unknown id"):
        calls.by_id(call.id.replace("Container", "Directory"))


def test_neither_repr_nor_id_tells_a_secret() -> None:
    calls = Calls(key=b"k" * 32)
    secret = calls.make("Secret", "Query.setSecret", None, {"name": "pw", "plaintext": "hunter2"})
    assert "hunter2" not in repr(secret)
    assert secret.id != Calls(key=b"q" * 32).make("Secret", "Query.setSecret", None, {"name": "pw", "plaintext": "hunter2"}).id


def test_a_very_long_chain_is_built_and_dropped_without_recursion() -> None:
    call = chain(Calls(), [{"args": [str(index)]} for index in range(20_000)])
    assert call.parent is not None

"""The digest of what an image is made of."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipelines.steps.image.inputs import Inputs, inputs_digest

WORDS = st.text(max_size=8)
NAMED = st.dictionaries(WORDS, WORDS, max_size=4)
INPUTS = st.builds(
    Inputs,
    revision=st.text("0123456789abcdef", min_size=40, max_size=40),
    dirty=st.just(False),
    dockerfile=st.binary(max_size=20),
    where=st.tuples(WORDS, WORDS),
    target=st.none() | WORDS,
    base=st.none() | WORDS,
    args=NAMED,
    platforms=st.lists(WORDS, max_size=3, unique=True).map(tuple),
    secrets=st.lists(WORDS, max_size=3, unique=True).map(tuple),
    labels=NAMED,
)
SETS = ("platforms", "secrets")


def shuffled(inputs: Inputs) -> Inputs:
    """The same inputs, written down in another order."""
    turned: dict[str, Any] = {name: tuple(reversed(getattr(inputs, name))) for name in SETS}
    turned |= {name: dict(reversed(getattr(inputs, name).items())) for name in ("args", "labels")}
    return dataclasses.replace(inputs, **turned)


@given(INPUTS)
def test_equal_inputs_have_one_digest_in_any_order(inputs: Inputs) -> None:
    digest = inputs_digest(inputs)
    assert digest is not None
    assert digest.startswith("sha256:")
    assert inputs_digest(shuffled(inputs)) == digest


@given(INPUTS, INPUTS, st.sampled_from([field.name for field in dataclasses.fields(Inputs)]))
def test_another_value_anywhere_is_another_digest(one: Inputs, other: Inputs, name: str) -> None:
    theirs = getattr(other, name)
    assume(set(theirs) != set(getattr(one, name)) if name in SETS else theirs != getattr(one, name))
    assert inputs_digest(dataclasses.replace(one, **{name: theirs})) != inputs_digest(one)


@given(INPUTS)
def test_a_work_tree_that_differs_from_its_commit_names_no_content(inputs: Inputs) -> None:
    assert inputs_digest(dataclasses.replace(inputs, dirty=True)) is None
    assert inputs_digest(dataclasses.replace(inputs, revision=None)) is None


@pytest.mark.parametrize("surrogate", ["\udc80"])
def test_what_is_no_unicode_has_a_digest_too(surrogate: str) -> None:
    known = Inputs(
        revision="ab" * 20,
        dirty=False,
        dockerfile=b"",
        where=(surrogate, "Dockerfile"),
        target=None,
        base=None,
        args={},
        platforms=(),
        secrets=(),
        labels={},
    )
    assert inputs_digest(known) is not None

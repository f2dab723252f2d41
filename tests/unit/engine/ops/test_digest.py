from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.engine.embedded.ops.values.digest import digest_of

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6) | st.binary(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def _typed(value: object) -> object:
    """Python holds 1 == True; the keys must not."""
    match value:
        case list():
            return [_typed(item) for item in value]
        case dict():
            return {key: _typed(item) for key, item in value.items()}
        case _:
            return (type(value).__name__, value)


@given(VALUES, VALUES)
def test_keys_are_equal_just_when_the_values_are(one: object, two: object) -> None:
    assert (digest_of(one) == digest_of(two)) == (_typed(one) == _typed(two))


def test_parts_do_not_run_together() -> None:
    assert digest_of("ab", "c") != digest_of("a", "bc")
    assert digest_of(["a"], "b") != digest_of("a", ["b"])


def test_what_has_no_canonical_form_is_refused() -> None:
    with pytest.raises(TypeError, match="set cannot be part of a key"):
        digest_of({"a"})

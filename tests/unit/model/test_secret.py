"""References to secrets: what their text shows, and how they are found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.model import SecretRef, values_of

if TYPE_CHECKING:
    from collections.abc import Mapping


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("env://TOKEN", "env://TOKEN"),
        ("file://~/.config/pip.conf", "file://~/.config/pip.conf"),
        ("cmd://pass", "cmd://pass"),
        ("cmd://curl -H 'Authorization: hunter2' https://x", "cmd://curl …"),
        ("cmd://pass\thunter2", "cmd://pass …"),
        ("cmd:// ~/bin/get-token.sh\nhunter2", "cmd://~/bin/get-token.sh …"),
        ("cmd://TOKEN=hunter2 curl", "cmd://TOKEN …"),
        ("cmd://(hunter2)", "cmd:// …"),
        ("vault://path/hunter2", "vault://…"),
        ("hunter2", "…"),
    ],
)
def test_its_text_names_the_place(uri: str, shown: str) -> None:
    assert str(SecretRef(uri)) == shown
    assert repr(SecretRef(uri)) == f"SecretRef({shown})"


@given(st.text(min_size=1), st.sampled_from(list(" \t\n\r\x0b\u2003=;'\"(&")), st.text())
def test_arguments_of_a_command_are_never_shown(program: str, separator: str, arguments: str) -> None:
    assert "hunter2" not in repr([SecretRef(f"cmd://x{program}{separator}hunter2{arguments}")])


def test_a_command_without_a_program_shows_nothing() -> None:
    assert str(SecretRef("cmd:// ")) == "cmd://"


@dataclass(frozen=True)
class _Spec:
    secrets: Mapping[str, SecretRef] = field(default_factory=dict)
    inner: tuple[object, ...] = ()
    word: str = "env://NOT_A_SECRET"


NESTED = st.recursive(
    st.one_of(st.text(), st.integers(), st.none(), st.builds(SecretRef, st.text())),
    lambda inner: st.one_of(
        st.lists(inner),
        st.dictionaries(st.text(), inner),
        st.builds(lambda parts: _Spec(inner=tuple(parts)), st.lists(inner)),
        st.builds(lambda refs: _Spec(secrets=refs), st.dictionaries(st.text(), st.builds(SecretRef, st.text()))),
    ),
)


@given(NESTED)
def test_every_reference_is_found_wherever_it_stands(value: object) -> None:
    """`repr` of plain values and dataclasses names all that is in them."""
    assert len(list(values_of(SecretRef, value))) == repr(_hidden(value)).count("SECRET-REFERENCE")


def _hidden(value: object) -> object:
    """The same value with a mark for every reference, and without texts."""
    if isinstance(value, SecretRef):
        return "SECRET-REFERENCE"
    if isinstance(value, _Spec):
        return [_hidden(value.secrets), _hidden(value.inner)]
    if isinstance(value, dict):
        return [_hidden(part) for part in value.values()]
    return [_hidden(part) for part in value] if isinstance(value, list | tuple) else ""


def test_references_are_found_wherever_they_stand() -> None:
    one, two, three, four = (SecretRef(f"env://{name}") for name in ("ONE", "TWO", "THREE", "FOUR"))
    found = values_of(SecretRef, _Spec(secrets={"a": one}, inner=([two], {three}, _Spec(inner=(four, _Spec, 7)))))
    assert list(found) == [one, two, three, four]

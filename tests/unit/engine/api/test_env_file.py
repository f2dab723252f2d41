from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.engine.embedded.api.envfile import EnvFile
from pipelines.engine.embedded.errors import InvalidInput

NAMES = st.text(string.ascii_letters, min_size=1, max_size=8)
PLAIN = st.text(string.printable, max_size=20).filter(lambda text: not set(text) & set("'\n\r\x0b\x0c"))


@given(st.dictionaries(NAMES, PLAIN))
def test_what_is_in_single_quotes_is_read_as_it_is(values: dict[str, str]) -> None:
    text = "".join(f"{name}='{value}'\n" for name, value in values.items())
    assert dict(EnvFile.parse(text).variables()) == values


@given(st.dictionaries(NAMES, st.from_regex(r"\A[a-z0-9=_-]*\Z"), min_size=1))
def test_a_file_written_is_the_file_read(values: dict[str, str]) -> None:
    file = EnvFile.parse("".join(f"{name}={value}\n" for name, value in values.items()))
    assert EnvFile.parse(file.text()) == file


@pytest.mark.parametrize("value", ["$((1+2))", "${#B}", "{a,b}", "x{1..3}"])
def test_what_only_a_shell_expands_is_refused_unless_quoted(value: str) -> None:
    with pytest.raises(InvalidInput, match="needs a shell"):
        EnvFile.parse(f"A={value}\n").value("A")
    assert EnvFile.parse(f"A='{value}'\n").value("A") == value


def test_variables_in_a_circle_stand_for_nothing() -> None:
    with pytest.raises(InvalidInput, match="unbound variable"):
        EnvFile.parse("LOOP_A=$LOOP_B\nLOOP_B=$LOOP_A\n").value("LOOP_A")


def test_a_default_stands_for_what_is_nowhere() -> None:
    assert EnvFile.parse("A=${LOCKGATE_NOWHERE:-x}${LOCKGATE_NOWHERE+y}\n").value("A") == "x"


def test_lines_that_refer_to_each_other_do_not_grow_without_end() -> None:
    text = "".join(f"A{number}=$A{number + 1}$A{number + 1}\n" for number in range(60)) + "A60=x\n"
    with pytest.raises(InvalidInput, match="more than"):
        EnvFile.parse(text).value("A0")


def test_a_value_of_many_commas_takes_no_time() -> None:
    assert EnvFile.parse("A={" + "," * 500_000).value("A").startswith("{,")

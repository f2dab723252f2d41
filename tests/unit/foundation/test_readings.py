"""The other readings of a text, one example each: what is left out, where it came from, and what is not at its end yet."""

from __future__ import annotations

import pytest

from pipelines.foundation.redaction.hex_dumps import dumps_of
from pipelines.foundation.redaction.readings import (
    ROW,
    open_control_sequence,
    readings_of,
    unfinished_readings_of,
    without_control_sequences,
)
from pipelines.foundation.redaction.redactor import Redactor, redactor_of

FULL = b"A" * ROW
ESC = b"\x1b"


def read(data: bytes) -> list[bytes]:
    return [reading.data for reading in readings_of(data)]


def read_unfinished(data: bytes) -> list[bytes]:
    return [reading.data for reading in unfinished_readings_of(data)]


def test_a_plain_text_has_one_reading() -> None:
    assert read(b"a text\nof lines\n") == [b"a text\nof lines\n"]


def test_control_sequences_are_left_out() -> None:
    assert read(b"se\x1b[1mcr\x1b[0met") == [b"se\x1b[1mcr\x1b[0met", b"secret"]
    assert without_control_sequences("se\x1b[1mcret") == "secret"
    assert without_control_sequences("secret") == "secret"


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\n  ", rb"\n", rb"\r\n"])
def test_the_ends_of_full_rows_are_left_out(end: bytes) -> None:
    assert FULL + b"B" in read(FULL + end + b"B")


def test_the_end_of_a_short_row_stays() -> None:
    assert read(FULL[1:] + b"\nB") == [FULL[1:] + b"\nB"]
    assert read(FULL[1:] + rb"\nB") == [FULL[1:] + rb"\nB"]


def test_a_reading_knows_where_its_bytes_came_from() -> None:
    whole, joined = readings_of(b"x" + FULL + b"\n B")
    assert [whole.place(at) for at in (0, 5)] == [0, 5]
    assert joined.place(ROW) == ROW
    assert joined.place(ROW + 1) == ROW + 3
    assert joined.end(ROW + 1) == ROW + 1
    assert joined.end(ROW + 2) == ROW + 4


@pytest.mark.parametrize("end", [b"\r", b"\\", rb"\r", rb"\r" + b"\\"])
def test_the_beginning_of_an_end_of_a_row_is_left_out_while_more_may_come(end: bytes) -> None:
    assert read_unfinished(FULL + end)[-1] == FULL
    assert read_unfinished(FULL) == [FULL]


def test_a_control_sequence_that_has_begun_is_left_out_while_more_may_come() -> None:
    assert read_unfinished(b"sec" + ESC + b"[1") == [b"sec" + ESC + b"[1", b"sec"]


@pytest.mark.parametrize(
    ("data", "at"),
    [
        (b"plain", 5),
        (b"ab\xc2", 2),  # the first of two bytes of a control character
        (b"ab" + ESC, 2),
        (b"ab" + ESC + b"[1", 2),
        (b"ab" + ESC + b"[1m", 6),  # at its end
        (b"ab" + ESC + b"]0;title" + ESC, 2),  # the end of a title has begun
        (b"ab" + ESC + b"[1m" + ESC, 6),  # the first is at its end, the second is not
    ],
)
def test_where_an_open_control_sequence_begins(data: bytes, at: int) -> None:
    assert open_control_sequence(data) == at


def test_a_dump_whose_last_line_has_no_end() -> None:
    row = b"00000000: 7365 6372 6574"
    assert [dump.data for dump in dumps_of(row, whole=True)] == [b"secret"]
    assert [dump.data for dump in dumps_of(row, whole=False)] == []


def test_a_line_of_thousands_of_characters_is_no_row() -> None:
    row = b"00000000: " + b"7365 " * 2000
    assert list(dumps_of(row + b"\n", whole=True)) == []


def test_a_value_is_registered_once() -> None:
    redactor = Redactor(["a-secret-value"])
    assert redactor.register("a-secret-value")
    assert redactor.value_count == 1
    assert not redactor.register("x")
    assert redactor.value_count == 1


def test_a_redactor_for_the_same_values_is_made_once() -> None:
    values = frozenset({b"a-secret-value"})
    assert redactor_of(values) is redactor_of(frozenset(values))
    assert redactor_of(values).text("it is a-secret-value") == "it is ***"


def test_certificates_alone_are_masked_as_they_stand_and_in_no_other_form() -> None:
    certificate = "-----BEGIN CERTIFICATE-----\nMIIBszCCARygAwIBAgIB\n-----END CERTIFICATE-----"
    redactor = Redactor([f"{certificate}\n"])
    assert redactor.text(f"<{certificate}>") == "<***>"
    assert redactor.text("MIIBszCCARygAwIBAgIB") == "MIIBszCCARygAwIBAgIB"

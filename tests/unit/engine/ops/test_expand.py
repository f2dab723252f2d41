from __future__ import annotations

import pytest

from pipelines.engine.embedded.ops.commands.expand import expand

ENV = (("A", "1"), ("LONG_NAME", "x y"), ("EMPTY", ""))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("$A", "1"),
        ("${A}", "1"),
        ("$A$A", "11"),
        ("x${A}y", "x1y"),
        ("$AB", ""),
        ("${A}B", "1B"),
        ("$LONG_NAME!", "x y!"),
        ("${MISSING}", ""),
        ("$EMPTY.", "."),
        ("100%", "100%"),
        ("tail $", "tail $"),
    ],
)
def test_variables_are_replaced(text: str, expected: str) -> None:
    assert expand(text, ENV) == expected

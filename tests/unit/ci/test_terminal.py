from __future__ import annotations

import pytest

from ci.machine.terminal import elapsed


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (45, "45 s of about 6 m 40 s"),
        (400, "6 m 40 s of about 6 m 40 s"),
        (1140, "19 m 00 s, longer than expected: about 6 m 40 s on two idle cores"),
    ],
)
def test_an_estimate_that_is_passed_is_said_to_be(seconds: float, text: str) -> None:
    assert elapsed(seconds, 400) == text

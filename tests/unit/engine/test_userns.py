from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.engine.embedded.userns import CONTAINER, Range, remedy, subordinate

if TYPE_CHECKING:
    from pathlib import Path

TABLE = """\
root:100000:65536
dev:165536:1000
1001:300000:65536
dev:500000:65536
broken
dev:x:1
"""


@pytest.mark.parametrize(
    ("uid", "name", "expected"),
    [
        (1000, "dev", Range(500000, 65536)),  # the larger of two
        (1001, "other", Range(300000, 65536)),  # by number
        (0, "root", Range(100000, 65536)),
        (1002, "nobody", None),
        (1, "", None),
    ],
)
def test_a_users_range_is_found(uid: int, name: str, expected: Range | None) -> None:
    assert subordinate(TABLE.splitlines(), uid, name) == expected


@given(st.text())
def test_any_text_is_no_error(text: str) -> None:
    found = subordinate(text.splitlines(), 1000, "dev")
    assert found is None or found.size >= 0


@pytest.mark.parametrize(("value", "said"), [("0", "run as root: sysctl x=1"), ("5", CONTAINER), (None, CONTAINER)])
def test_the_setting_that_refuses_is_named(tmp_path: Path, value: str | None, said: str) -> None:
    setting = tmp_path / "max"
    if value is not None:
        setting.write_text(value + "\n")
    assert remedy({str(setting): ("0", "sysctl x=1")}) == said

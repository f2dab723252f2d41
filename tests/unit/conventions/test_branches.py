"""The gate for branches: what it calls missed, and that its file says why something is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.branches import CONFIG, Exclusion, missed, read

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = "def f(x):\n    if x:\n        return 1\n    return 2\n"


def report(lines: list[int], branches: list[list[int]]) -> dict[str, object]:
    return {"files": {"a.py": {"missing_lines": lines, "missing_branches": branches}}}


def test_what_is_missed_is_said_once_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(SOURCE)
    assert missed(report([], []), tmp_path, []) == []
    assert missed(report([], [[2, 4], [4, -1]]), tmp_path, []) == [
        "a.py:2: never goes on to line 4: if x:",
        "a.py:4: never leaves the function from here: return 2",
    ]
    assert missed(report([2], [[2, 4]]), tmp_path, []) == ["a.py:2: never run: if x:"]


def test_an_exclusion_spares_its_line_and_is_refused_when_nothing_needs_it(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(SOURCE)
    here, elsewhere = Exclusion("a.py", "if x:", "why"), Exclusion("b.py", "if x:", "why")
    assert missed(report([], [[2, 4]]), tmp_path, [here]) == []
    assert missed(report([], [[2, 4]]), tmp_path, [here, elsewhere]) == ["b.py: this exclusion is not needed any more: if x:"]


def test_every_exclusion_has_a_reason() -> None:
    assert all(entry.reason for entry in read().exclusions)
    assert CONFIG.read_text().count("[[never]]") == CONFIG.read_text().count("pattern =") <= CONFIG.read_text().count("reason =")

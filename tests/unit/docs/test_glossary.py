"""The glossary: every word once, every public name on it, every name of the code real."""

from __future__ import annotations

import re
from collections import Counter

import pipelines
from tests.unit.conventions.source import REPOSITORY, names

PAGE = REPOSITORY / "docs/glossary.md"
ROWS = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in PAGE.read_text().splitlines() if line.startswith("| ")]
TERMS = [row for row in ROWS if row[0] != "word"]


def test_every_row_has_a_word_and_its_meaning() -> None:
    assert TERMS
    assert [row for row in TERMS if len(row) != 3 or not row[0] or not row[1]] == []


def test_every_word_stands_once() -> None:
    assert [word for word, count in Counter(row[0].lower() for row in TERMS).items() if count > 1] == []


def test_every_public_name_is_there_once() -> None:
    said = Counter(name for row in TERMS for name in re.findall(r"`(\w+)`", row[2]))
    assert [name for name in pipelines.__all__ if said[name] != 1] == []


def test_every_name_of_the_code_exists() -> None:
    defined = {name.text for name in names() if name.kind in {"class", "function"}} | {"pipeline"}
    assert sorted({name for row in TERMS for name in re.findall(r"`(\w+)`", row[2])} - defined) == []

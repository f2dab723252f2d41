"""English that a reader understands at first sight: words in their usual order, no set phrases of one language."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest

from tests.unit.conventions.source import REPOSITORY, trees

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGES = ("README.md", "CONTRIBUTING.md", *(f"docs/{path.name}" for path in sorted((REPOSITORY / "docs").glob("*.md"))))
REFUSED = {
    "write `is not a folder`, not `is no folder`": re.compile(
        r"(?<!there )\b(?:is|are|was|were) no (?!longer\b|more than\b|less than\b|one\b)[a-z]", re.IGNORECASE
    ),
    "write `does not know`, not `knows of no`": re.compile(r"\bknows? (?:of )?no\b", re.IGNORECASE),
    "write `depends on`, not `hangs on`": re.compile(r"\bhangs on\b", re.IGNORECASE),
    "say what is not known, not who cannot know it": re.compile(r"\bnobody (?:here )?(?:can )?knows?\b", re.IGNORECASE),
    "write `not found`, not `is not to be found`": re.compile(r"\b(?:is|are) (?:not )?to be found\b", re.IGNORECASE),
    "write plain words": re.compile(r"\bfor want of\b|\bsave for\b|\bwhither\b|\bwhence\b|\bthereof\b", re.IGNORECASE),
}


def faults(text: str) -> Iterator[str]:
    """What is wrong in a text, each with the words that are."""
    line = " ".join(text.split())
    for advice, pattern in REFUSED.items():
        for found in pattern.finditer(line):
            yield f"{advice}: … {line[max(0, found.start() - 30) : found.end() + 30]} …"


def test_messages_and_documentation_strings() -> None:
    wrong = [
        f"{file}:{node.lineno}: {fault}"
        for file, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for fault in faults(node.value)
    ]
    assert wrong == []


@pytest.mark.parametrize("page", PAGES)
def test_pages(page: str) -> None:
    assert list(faults((REPOSITORY / page).read_text())) == []


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("/tmp/x is no folder", 1),
        ("these are no files, they are folders", 1),
        ("there is no folder, and there are no files", 0),
        ("it is no longer there; is no more than 3 s", 0),
        ("its file system knows no locks", 1),
        ("that hangs on the weather", 1),
    ],
)
def test_the_rule_finds_what_it_is_for(text: str, count: int) -> None:
    assert len(list(faults(text))) == count

"""A name is plain English and has one meaning in the whole package."""

from __future__ import annotations

import ast
from collections import defaultdict

from tests.unit.conventions.source import Name, names, names_in

# Names that the code had and nobody understood at first sight.
METAPHORS = {
    *("asker", "bench", "book", "border", "care", "conductor", "desk", "ear", "front", "heard", "hurry", "lend", "outlet", "press", "seer"),
    *("shelf", "survey", "trouble"),
}
# These say nothing when they stand alone: `known` what? `known_hosts` is fine.
BARE = {"forms", "given", "known", "late", "later", "leaves", "left", "masked", "narrow", "parts", "quiet", "tagged", "words"}


def retired(found: tuple[Name, ...]) -> set[str]:
    """Metaphors as any part of a name, bare words as a whole name that others see."""
    return {
        f"{name.kind} {name.text}"
        for name in found
        if METAPHORS & set(name.words) or (name.is_public and len(name.words) == 1 and name.words[0] in BARE)
    }


def doubled(found: tuple[Name, ...]) -> set[str]:
    """Public classes that two modules define."""
    files: dict[str, set[str]] = defaultdict(set)
    for name in found:
        if name.kind == "class" and name.is_public and name.top:
            files[name.text].add(name.file)
    return {f"doubled {text}" for text, where in files.items() if len(where) > 1}


def test_no_name_is_retired_or_doubled() -> None:
    found = retired(names()) | doubled(names())
    assert sorted(found) == [], "rename these: plain English, one public class name with one meaning"


def test_the_rules_find_what_they_are_for() -> None:
    one = "class Desk: ...\ndef _keep_book(given): ...\ndef known_hosts(*, words=()): ...\nclass Image: ...\nclass _Own: ...\n"
    two = "class Image: ...\nclass _Own: ...\ndef late(): ...\n"
    found = (*names_in("a/survey.py", ast.parse(one)), *names_in("b/__init__.py", ast.parse(two)))
    assert retired(found) == {"module survey", "class Desk", "function _keep_book", "parameter given", "parameter words", "function late"}
    assert doubled(found) == {"doubled Image"}

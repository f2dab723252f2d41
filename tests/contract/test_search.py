from __future__ import annotations

from typing import Any

import dagger
import pytest
from dagger import dag

from tests.contract.asking import ask

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("engine")]

FOUND = "filePath lineNumber absoluteOffset matchedLines submatches { text start end }"


def tree() -> dagger.Directory:
    named = dag.directory().with_new_file("a.txt", "one\ntwo one\nThree\n").with_new_file("s/b.md", "one $x\n")
    return named.with_new_file(".hid", "one\n").with_new_file("ig.log", "one\n")


async def found(thing: dagger.Directory | dagger.File, arguments: str) -> list[tuple[Any, ...]]:
    """What a search tells, sorted: ripgrep's order is that of its threads."""
    results = (await ask(thing, f"search({arguments}) {{ {FOUND} }}"))["search"]
    rows = [
        (
            one["filePath"],
            one["lineNumber"],
            one["absoluteOffset"],
            one["matchedLines"],
            [(sub["text"], sub["start"], sub["end"]) for sub in one["submatches"]],
        )
        for one in results
    ]
    return sorted(rows)


B = ("s/b.md", 1, 0, "one $x\n", [("one", 0, 3)])


async def test_lines_that_match_are_told_with_their_place() -> None:
    assert await found(tree(), 'pattern: "one"') == [
        (".hid", 1, 0, "one\n", [("one", 0, 3)]),
        ("a.txt", 1, 0, "one\n", [("one", 0, 3)]),
        ("a.txt", 2, 4, "two one\n", [("one", 4, 7)]),
        ("ig.log", 1, 0, "one\n", [("one", 0, 3)]),
        B,
    ]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (r'pattern: "t\\w+"', [("a.txt", 2, 4, "two one\n", [("two", 0, 3)])]),
        ('pattern: "$x", literal: true', [("s/b.md", 1, 0, "one $x\n", [("$x", 4, 6)])]),
        ('pattern: "THREE", insensitive: true', [("a.txt", 3, 12, "Three\n", [("Three", 0, 5)])]),
        ('pattern: "one", globs: ["*.md"]', [B]),
        ('pattern: "one", paths: ["s"]', [B]),
        (r'pattern: "one\\ntwo", multiline: true', [("a.txt", 1, 0, "one\ntwo one\n", [("one\ntwo", 0, 7)])]),
        (
            'pattern: "two.*Three", multiline: true, dotall: true',
            [("a.txt", 2, 4, "two one\nThree\n", [("two one\nThree", 0, 13)])],
        ),
        ('pattern: "zzz"', []),
    ],
)
async def test_what_narrows_a_search(arguments: str, expected: list[tuple[Any, ...]]) -> None:
    assert await found(tree(), arguments) == expected


async def test_hidden_files_can_be_left_out_and_files_alone_be_told() -> None:
    assert {row[0] for row in await found(tree(), 'pattern: "one", skipHidden: true')} == {"a.txt", "ig.log", "s/b.md"}
    assert await found(tree(), 'pattern: "one", filesOnly: true') == [
        (name, 0, 0, "", []) for name in (".hid", "a.txt", "ig.log", "s/b.md")
    ]
    assert len(await found(tree(), 'pattern: "one", limit: 2')) == 2


async def test_paths_start_from_the_directory_and_offsets_count_bytes() -> None:
    assert await found(tree().directory("s"), 'pattern: "one"') == [("b.md", *B[1:])]
    assert await found(tree().file("s/b.md"), 'pattern: "one"') == [("b.md", *B[1:])]
    accented = dag.directory().with_new_file("z", "éone one\n")
    assert await found(accented, 'pattern: "one"') == [("z", 1, 0, "éone one\n", [("one", 2, 5), ("one", 6, 9)])]


async def test_what_is_no_pattern_is_refused() -> None:
    with pytest.raises(Exception, match="regex parse error"):
        await found(tree(), 'pattern: "("')


def file() -> dagger.File:
    return dag.directory().with_new_file("d/f.txt", "one\ntwo one\nthree one\n", permissions=0o755).file("d/f.txt")


@pytest.mark.parametrize(
    ("replaced", "expected"),
    [
        (lambda: file().with_replaced("one", "1", all=True), "1\ntwo 1\nthree 1\n"),
        (lambda: file().with_replaced("two", "2"), "one\n2 one\nthree one\n"),
        (lambda: file().with_replaced("one", "1", first_from=2), "one\ntwo 1\nthree one\n"),
        (lambda: file().with_replaced("one", "1", first_from=0), "1\ntwo one\nthree one\n"),
        (lambda: file().with_replaced("zzz", "1", all=True), "one\ntwo one\nthree one\n"),
        (lambda: file().with_replaced("one\ntwo", "X"), "X one\nthree one\n"),
    ],
)
async def test_text_is_replaced(replaced: Any, expected: str) -> None:
    assert await replaced().contents() == expected


async def test_a_file_with_text_replaced_keeps_name_and_mode() -> None:
    replaced = file().with_replaced("two", "2")
    assert (await replaced.name(), await replaced.stat().permissions()) == ("f.txt", 0o755)


@pytest.mark.parametrize(
    ("replaced", "error"),
    [
        (lambda: file().with_replaced("one", "1"), r"found multiple times: line 1 \(0-3\), line 2 \(4-7\), line 3 \(6-9\)"),
        (lambda: file().with_replaced("one", "1", first_from=9), "search string not found"),
        (lambda: file().with_replaced("zzz", "1"), "search string not found"),
    ],
)
async def test_where_to_replace_must_be_clear(replaced: Any, error: str) -> None:
    with pytest.raises(dagger.QueryError, match=error):
        await replaced().contents()

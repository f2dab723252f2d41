"""What another room or a user calls is documented: what it means, in which unit or shape, which errors."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pipelines
from tests.unit.conventions.source import trees

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

SHARE = 0.95
NEW_WORDS = 3
"""So many words of a docstring have to be neither in the name nor one of those that say nothing."""
SAY_NOTHING = {
    *(
        "a",
        "an",
        "the",
        "of",
        "to",
        "in",
        "on",
        "for",
        "by",
        "and",
        "or",
        "is",
        "are",
        "be",
        "it",
        "its",
        "this",
        "that",
        "with",
        "from",
        "as",
    ),
    *("at", "class", "function", "value", "object"),
}

Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def room(module: str) -> tuple[str, ...]:
    """`flow` for pipelines.flow.run; the embedded engine has rooms of its own."""
    parts = module.split(".")[1:]
    return tuple(parts[:3] if parts[:2] == ["engine", "embedded"] else parts[:1])


def module_of(file: str) -> str:
    return ".".join(["pipelines", *file.removesuffix(".py").removesuffix("__init__").split("/")]).removesuffix(".")


def imports(every: Mapping[str, ast.Module]) -> Iterator[tuple[str, str, str]]:
    """Module that imports, module that is imported, name."""
    for file, tree in every.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pipelines."):
                for alias in node.names:
                    yield module_of(file), str(node.module), alias.name


def called_from_elsewhere(every: Mapping[str, ast.Module], facade: Iterable[str] = ()) -> dict[str, Definition]:
    """Public classes and functions at the top of a module that another room imports or a user may, by `module:name`."""
    handed_on = {(importer, name): imported for importer, imported, name in imports(every)}
    wanted = {(imported, name) for importer, imported, name in imports(every) if room(importer) != room(imported)}
    wanted |= {("pipelines", name) for name in facade}
    while passed_on := {(handed_on[one], one[1]) for one in wanted if one in handed_on} - wanted:
        wanted |= passed_on
    return {
        f"{module_of(file)}:{node.name}": node
        for file, tree in every.items()
        for node in tree.body
        if isinstance(node, Definition) and not node.name.startswith("_") and (module_of(file), node.name) in wanted
    }


def says_more(node: Definition) -> bool:
    """Whether the docstring says more than the name does."""
    text = ast.get_docstring(node) or ""
    named = {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", node.name)}
    said = {word.lower() for word in re.findall(r"[A-Za-z0-9]+", text)} - SAY_NOTHING
    return len({word for word in said if word not in named and word.removesuffix("s") not in named}) >= NEW_WORDS


def test_what_others_call_is_documented() -> None:
    found = called_from_elsewhere(trees(), pipelines.__all__)
    silent = sorted(name for name, node in found.items() if not says_more(node))
    share = 1 - len(silent) / len(found)
    assert share >= SHARE, f"{share:.0%} of {len(found)}; these say nothing, or only their name: {', '.join(silent)}"


def test_a_docstring_that_repeats_the_name_does_not_count() -> None:
    tree = ast.parse(
        'def read_file():\n    """Read the file."""\n'
        "def silent(): ...\n"
        'def size_of():\n    """Bytes on disk, without holes."""\n'
        'class StoredImages:\n    """The stored image."""\n'
    )
    assert [says_more(node) for node in tree.body if isinstance(node, Definition)] == [False, False, True, False]


def test_only_other_rooms_and_users_count() -> None:
    every = {
        "__init__.py": ast.parse("from pipelines.flow import public"),
        "flow/__init__.py": ast.parse("from pipelines.flow.b import public"),
        "flow/a.py": ast.parse("from pipelines.flow.b import near\nfrom pipelines.config import far\n"),
        "flow/b.py": ast.parse("def near(): ...\ndef public(): ..."),
        "config/__init__.py": ast.parse("from pipelines.config.c import far\n"),
        "config/c.py": ast.parse("def far(): ...\ndef _far(): ..."),
        "config/d.py": ast.parse("def far(): ..."),
        "engine/embedded/ops/d.py": ast.parse("from pipelines.engine.embedded.store.e import Layer\n"),
        "engine/embedded/store/e.py": ast.parse("class Layer: ..."),
    }
    assert set(called_from_elsewhere(every, ["public"])) == {
        "pipelines.flow.b:public",
        "pipelines.config.c:far",
        "pipelines.engine.embedded.store.e:Layer",
    }

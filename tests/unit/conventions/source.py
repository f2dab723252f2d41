"""The package as text: its files, and the names they define."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).parents[3]
PACKAGE = REPOSITORY / "pipelines"


@dataclass(frozen=True)
class Name:
    """A name that a file defines.

    Attributes:
        kind: module, class, function or parameter (of any function, lambdas apart).
        text: as it is written.
        file: its path below the package.
        top: whether it stands at the top of its module.
    """

    kind: str
    text: str
    file: str
    top: bool = True

    @property
    def is_public(self) -> bool:
        return not self.text.startswith("_")

    @property
    def words(self) -> tuple[str, ...]:
        """`StoredImage` and `stored_image` are both stored, image."""
        return tuple(word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", self.text))


@cache
def trees() -> dict[str, ast.Module]:
    """The syntax of every file, by its path below the package."""
    return {path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text()) for path in sorted(PACKAGE.rglob("*.py"))}


@cache
def names() -> tuple[Name, ...]:
    """Every name the package defines."""
    return tuple(name for file, tree in trees().items() for name in names_in(file, tree))


def names_in(file: str, tree: ast.Module) -> Iterator[Name]:
    """The names of one file, the module's own first."""
    path = Path(file)
    yield Name("module", path.parent.name if path.stem == "__init__" else path.stem, file)
    for node in ast.walk(tree):
        top = node in tree.body
        if isinstance(node, ast.ClassDef):
            yield Name("class", node.name, file, top)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield Name("function", node.name, file, top)
            every = node.args
            for argument in (*every.posonlyargs, *every.args, *every.kwonlyargs, every.vararg, every.kwarg):
                if argument is not None:
                    yield Name("parameter", argument.arg, file, top=False)

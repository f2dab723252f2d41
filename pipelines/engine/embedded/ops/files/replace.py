"""Text replaced in a file."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from pipelines.engine.embedded.errors import InvalidInput
from pipelines.engine.embedded.ops.files.actions import Action

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.engine.embedded.store.trees.root import Root


@dataclass(frozen=True)
class ReplaceText(Action):
    """A text in the file `path` replaced: everywhere, or where it first is from line `first` on, or where it is once."""

    name: ClassVar[str] = "replace"
    path: str
    search: str = field(repr=False)
    replacement: str = field(repr=False)
    everywhere: bool = False
    first: int | None = None

    def recipe(self) -> Any:
        return [self.path, self.search, self.replacement, self.everywhere, self.first]

    def apply(self, root: Root, _: Sequence[Root], /) -> None:
        root.write(self.path, self.replaced(root.read(self.path)))

    def replaced(self, data: bytes) -> bytes:
        """The new content.

        Raises:
            InvalidInput: it is nowhere, or in several places and not said where.
        """
        old, new = self.search.encode(), self.replacement.encode()
        if not old:
            raise InvalidInput("withReplaced: the text to search for is empty")
        if self.everywhere:
            return data.replace(old, new)
        places = [match.start() for match in re.finditer(re.escape(old), data)]
        if self.first is not None:
            places = [place for place in places if data.count(b"\n", 0, place) + 1 >= self.first][:1]
        if not places:
            raise InvalidInput("search string not found")
        if len(places) > 1:
            raise InvalidInput(f"search string found multiple times: {', '.join(_place(data, place, len(old)) for place in places)}")
        return data[: places[0]] + new + data[places[0] + len(old) :]


def _place(data: bytes, place: int, length: int) -> str:
    start = place - (data.rfind(b"\n", 0, place) + 1)
    line = data.count(b"\n", 0, place) + 1
    return f"line {line} ({start}-{start + length})"

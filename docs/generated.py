"""Writes the part of a page that is made from the code, between its two markers; with --check only compares."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DOCS = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the page `page`, between comments that name it; `program` is the module that writes it, `text` gives what belongs there."""

    page: str
    name: str
    program: str
    text: Callable[[], str]

    def main(self, argv: Sequence[str]) -> int:
        """Write the page, or, with --check, exit with 1 when it is out of date."""
        path = DOCS / self.page
        before = path.read_text(encoding="utf-8")
        after = self._replaced(before)
        if "--check" not in argv:
            path.write_text(after, encoding="utf-8")
        elif after != before:
            print(f"{path} is out of date: python -m docs.{self.program}", file=sys.stderr)
            return 1
        return 0

    def _replaced(self, page: str) -> str:
        begin, end = f"<!-- {self.name}: begin (docs/{self.program}.py writes this) -->", f"<!-- {self.name}: end -->"
        head, _, rest = page.partition(begin)
        _, _, tail = rest.partition(end)
        return f"{head}{begin}\n\n{self.text().rstrip()}\n\n{end}{tail}"

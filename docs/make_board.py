"""Draw docs/board.svg, the picture of the live board, from a real run.

    python docs/make_board.py PROJECT [OUT]

Runs the project, keeps the frame in which most steps were at work, and writes it as SVG. Works in an empty engine store, so that there is
something to see, unless LOCKGATE_STORE names another. Exits with the run's exit code.
"""

from __future__ import annotations

import io
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from pipelines import RunRequest, load, run_project
from pipelines.cli.progress.board import Board
from pipelines.cli.progress.rows import Phase
from pipelines.cli.terminal import Terminal

if TYPE_CHECKING:
    from rich.console import Group

    from pipelines import Run

OUT = Path(__file__).with_name("board.svg")
WIDTH, HEIGHT = 100, 26
TICK_S = 0.1


class Keeper(Board):
    """A board nobody sees, that keeps its best frame."""

    def __init__(self) -> None:
        super().__init__(Terminal(stream=io.StringIO(), color=True, live=True, unicode=True, width=WIDTH))
        self.best: tuple[int, Group] | None = None

    def tick(self) -> None:
        """Keep the frame of now if it shows more than the best so far: steps at work first, then lines."""
        frame = self.picture()
        working = sum(row.phase is Phase.RUNNING for row in self._rows.values())
        score = working * 100 + len(frame.renderables)
        if self.best is None or score >= self.best[0]:
            self.best = (score, frame)


async def watched(project: Path, board: Keeper) -> Run:
    async def tick() -> None:
        while True:
            board.tick()
            await anyio.sleep(TICK_S)

    async with anyio.create_task_group() as group:
        group.start_soon(tick)
        loaded = load(project, environ=dict(os.environ))
        run = await run_project(loaded.project, RunRequest(environ=dict(os.environ)), board)
        group.cancel_scope.cancel()
    return run


def svg(frame: Group) -> str:
    """The frame as SVG, with the reader's own fonts instead of ones from the net."""
    from rich.console import Console

    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(frame)
    text = console.export_svg(title="lockgate run", unique_id="board")
    own_fonts = re.sub(r"\s*@font-face \{.*?\}", "", text, flags=re.DOTALL)
    return own_fonts.replace("<svg ", '<svg xml:space="preserve" ', 1)


def main(argv: list[str]) -> int:
    if not argv:
        print(__doc__, file=sys.stderr)
        return 2
    os.environ |= {"COLUMNS": str(WIDTH), "LINES": str(HEIGHT)}
    board = Keeper()
    with tempfile.TemporaryDirectory(prefix="lockgate-board-", ignore_cleanup_errors=True) as store:
        os.environ.setdefault("LOCKGATE_STORE", store)
        run = anyio.run(watched, Path(argv[0]), board)
    if board.best is None:
        return 70
    out = Path(argv[1]) if len(argv) > 1 else OUT
    out.write_text(svg(board.best[1]), encoding="utf-8")
    print(f"{out}: {len(run.results)} steps, exit code {run.exit_code}")
    return run.exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

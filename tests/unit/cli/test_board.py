from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import pytest

from pipelines.cli.progress.board import Board
from pipelines.flow.plan import NOT_SELECTED, Plan, PlannedStep
from pipelines.model import EngineInfo, Result, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipelines.cli.terminal import Terminal

PLAN = Plan(
    project="shop",
    steps=(
        PlannedStep(id="image.shop", kind="image", name="shop"),
        PlannedStep(id="test.unit", kind="test", name="unit", needs=("image.shop",)),
        PlannedStep(id="scan.shop", kind="scan", name="shop", needs=("image.shop",)),
        PlannedStep(id="perf.x", kind="perf", name="x", skip=NOT_SELECTED),
        PlannedStep(id="publish.shop", kind="publish", name="shop", skip="only in CI"),
    ),
)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def board(clock: Clock, screen: Callable[..., Terminal], monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Board]]:
    boards: list[Board] = []
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("LINES", "20")

    def make(*, unicode: bool = True) -> Board:
        boards.append(Board(screen(live=True, unicode=unicode), clock=clock))
        return boards[-1]

    yield make
    for made in boards:
        made.close()


def picture(board: Board) -> list[str]:
    from rich.console import Console

    file = io.StringIO()
    Console(file=file, width=60, height=20, color_system=None).print(board.picture())
    return [line.rstrip() for line in file.getvalue().splitlines()]


def test_states_times_and_last_lines(board: Callable[..., Board], clock: Clock) -> None:
    drawn = board()
    drawn.run_started("r", PLAN)
    drawn.engine_ready(EngineInfo(kind="embedded", reason="no Dagger found"))
    drawn.step_finished(Result(id="perf.x", kind="perf", name="x", status=Status.SKIPPED, reason=NOT_SELECTED))
    drawn.step_finished(Result(id="publish.shop", kind="publish", name="shop", status=Status.SKIPPED, reason="only in CI"))
    drawn.step_started("image.shop")
    clock.now = 4.0
    drawn.step_finished(Result(id="image.shop", kind="image", name="shop", status=Status.PASSED, duration_s=4, cached=True))
    drawn.step_started("test.unit")
    clock.now = 5.5
    drawn.step_output("test.unit", "test_a \x1b[32mok\x1b[0m\ntest_b with a name that is longer than the terminal is wide, so cut\n")
    assert picture(drawn) == [
        " shop  2/4 steps  5.5s  embedded engine (no Dagger found)",
        " ✔ image.shop      4.0s  passed (cached)",
        " ⠼ test.unit       1.5s",
        "   │ test_a ok",
        "   │ test_b with a name that is longer than the terminal is…",
        " · scan.shop             waits for its turn",
        " - publish.shop          skipped  only in CI",
    ]


def test_what_waits_says_for_what(board: Callable[..., Board]) -> None:
    drawn = board()
    drawn.run_started("r", PLAN)
    assert " · test.unit             waits for image.shop" in picture(drawn)


def test_a_retry_is_shown_until_the_end(board: Callable[..., Board]) -> None:
    drawn = board()
    drawn.run_started("r", PLAN)
    drawn.step_started("image.shop")
    drawn.step_retry("image.shop", "reset", 2)
    assert any("tries again in 2.0s: reset" in line for line in picture(drawn))
    drawn.step_finished(Result(id="image.shop", kind="image", name="shop", status=Status.FAILED, reason="no Dockerfile"))
    assert not any("tries again" in line for line in picture(drawn))
    assert any(re.search(r"✘ image\.shop +failed  no Dockerfile", line) for line in picture(drawn))


def test_without_unicode_everything_is_ascii(board: Callable[..., Board]) -> None:
    drawn = board(unicode=False)
    drawn.run_started("r", PLAN)
    drawn.step_started("image.shop")
    drawn.step_output("image.shop", "hello\n")
    assert "\n".join(picture(drawn)).isascii()


def test_the_last_picture_stays_without_output(board: Callable[..., Board], clock: Clock) -> None:
    drawn = board()
    drawn.run_started("r", PLAN)
    drawn.step_started("image.shop")
    drawn.step_output("image.shop", "secretive line\n")
    clock.now = 3
    drawn.close()
    clock.now = 99
    last = picture(drawn)
    assert not any("secretive" in line for line in last)
    assert last[0] == " shop  0/4 steps  3.0s"
    drawn.tick()


def test_a_step_named_like_markup_is_shown_as_it_is(board: Callable[..., Board]) -> None:
    drawn = board()
    drawn.run_started("r", Plan(project="[red]x[/red]", steps=(PlannedStep(id="a.b", kind="a", name="b"),)))
    drawn.step_started("a.b")
    drawn.step_output("a.b", "[bold]text[/nonsense]\n")
    assert picture(drawn)[0].startswith(" [red]x[/red]")
    assert "   │ [bold]text[/nonsense]" in picture(drawn)


def test_what_the_engine_prints_fills_the_room_below_while_steps_run(board: Callable[..., Board]) -> None:
    drawn = board()
    drawn.run_started("r", PLAN)
    drawn.engine_output("".join(f"| line {number}\n" for number in range(30)))
    assert not any("| line" in line for line in picture(drawn))
    drawn.step_started("image.shop")
    lines = picture(drawn)
    assert lines[-6:] == [f" │ | line {number}" for number in range(24, 30)]
    assert len(lines) < 20
    drawn.close()
    assert not any("| line" in line for line in picture(drawn))


def test_what_a_command_prints_is_shown_while_it_runs(board: Callable[..., Board]) -> None:
    drawn = board()
    drawn.run_started("r", PLAN)
    drawn.step_progress("image.shop", "too early", whole=True)
    drawn.step_started("image.shop")
    drawn.step_progress("image.shop", "collected 2 items", whole=True)
    drawn.step_progress("image.shop", "test_a ..", whole=False)
    assert [line for line in picture(drawn) if "│" in line] == ["   │ collected 2 items", "   │ test_a .."]
    drawn.step_progress("image.shop", "test_a ... ok", whole=True)
    assert [line for line in picture(drawn) if "│" in line] == ["   │ collected 2 items", "   │ test_a ... ok"]


def test_a_step_that_is_silent_for_long_says_so_beside_its_name(board: Callable[..., Board], clock: Clock) -> None:
    drawn = board()
    drawn.run_started("r1", PLAN)
    drawn.step_started("image.shop")
    drawn.step_output("image.shop", "pulling\n")
    clock.now += 59
    assert "no output" not in "".join(picture(drawn))
    clock.now += 4
    assert any("no output for 1m03s (last: pulling)" in line for line in picture(drawn))
    drawn.step_output("image.shop", "done\n")
    assert "no output" not in "".join(picture(drawn))

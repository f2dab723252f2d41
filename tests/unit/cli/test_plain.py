from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from pipelines.cli.progress.plain import BLOCK_LINES, PlainProgress
from pipelines.flow.plan import NOT_SELECTED, Plan, PlannedStep
from pipelines.model import EngineInfo, Result, Status
from pipelines.providers import Provider, detect

if TYPE_CHECKING:
    from pipelines.cli.terminal import Terminal

PLAN = Plan(
    project="shop",
    steps=(
        PlannedStep(id="image.shop", kind="image", name="shop"),
        PlannedStep(id="test.unit", kind="test", name="unit", needs=("image.shop",)),
        PlannedStep(id="scan.the-other-one", kind="scan", name="other", skip=NOT_SELECTED),
    ),
)
PASSED = Result(id="image.shop", kind="image", name="shop", status=Status.PASSED, duration_s=12.3, cached=True)
FAILED = Result(id="test.unit", kind="test", name="unit", status=Status.FAILED, duration_s=1, reason="2 of 3\ntests failed", log="/l")


class Clock:
    """Time that passes when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def plain(clock: Clock, screen: Callable[..., Terminal]) -> Callable[..., tuple[PlainProgress, Callable[[], str]]]:
    def make(provider: Provider | None = None, verbosity: int = 0, *, short: bool = False) -> tuple[PlainProgress, Callable[[], str]]:
        terminal = screen()
        assert isinstance(terminal.stream, io.StringIO)
        sink = PlainProgress(terminal, provider or Provider(), verbosity=verbosity, short=short, clock=clock, wall=lambda: 1000 + clock.now)
        return sink, terminal.stream.getvalue

    return make


Make = Callable[..., tuple[PlainProgress, Callable[[], str]]]


def test_beside_another_display_only_ends_are_told(plain: Make) -> None:
    sink, text = plain(short=True)
    sink.run_started("r1", PLAN)
    sink.step_started("image.shop")
    sink.step_finished(PASSED)
    assert "started" not in text()
    assert "image.shop  passed (cached) in 12s" in text()


def test_a_line_when_it_begins_and_one_when_it_ends(plain: Make, clock: Clock) -> None:
    sink, text = plain()
    sink.run_started("r1", PLAN)
    sink.engine_ready(EngineInfo(kind="embedded", reason="no Dagger found"))
    sink.step_started("image.shop")
    clock.now += 12.3
    sink.step_output("image.shop", "not shown\n")
    sink.step_finished(PASSED)
    sink.step_finished(FAILED)
    assert text().splitlines() == [
        "shop: 2 steps, run r1",
        "  0.0s  engine: embedded (no Dagger found)",
        "  0.0s  image.shop  started",
        "   12s  image.shop  passed (cached) in 12s",
        "   12s  test.unit   failed in 1.0s: 2 of 3 tests failed",
    ]


def test_steps_nobody_asked_for_are_not_mentioned(plain: Make) -> None:
    sink, text = plain()
    sink.run_started("r1", PLAN)
    sink.step_finished(Result(id="scan.the-other-one", kind="scan", name="o", status=Status.SKIPPED, reason=NOT_SELECTED))
    assert "the-other-one" not in text()


def test_with_verbosity_output_comes_line_by_line(plain: Make) -> None:
    sink, text = plain(verbosity=1)
    sink.run_started("r1", PLAN)
    sink.step_started("test.unit")
    sink.step_output("test.unit", "one\ntw")
    sink.step_output("test.unit", "o\n")
    assert text().splitlines()[2:] == ["test.unit  | one", "test.unit  | two"]


def test_where_logs_fold_a_step_is_one_block(plain: Make, clock: Clock) -> None:
    sink, text = plain(detect({"GITLAB_CI": "true"}))
    sink.run_started("r1", PLAN)
    sink.step_started("test.unit")
    clock.now += 2
    sink.step_output("test.unit", "one\ntwo")
    sink.step_finished(FAILED)
    assert text().splitlines()[2:] == [
        "\x1b[0Ksection_start:1100:test.unit",
        "\x1b[0K  2.0s  test.unit   failed in 1.0s: 2 of 3 tests failed",
        "one",
        "two",
        "\x1b[0Ksection_end:1102:test.unit",
        "\x1b[0K",
    ]


def test_a_block_that_passed_is_folded_and_a_long_one_says_where_the_rest_is(plain: Make) -> None:
    sink, text = plain(detect({"GITLAB_CI": "true"}))
    sink.run_started("r1", PLAN)
    sink.step_started("image.shop")
    sink.step_output("image.shop", "x\n" * (BLOCK_LINES + 3))
    sink.step_finished(PASSED)
    assert "image.shop[collapsed=true]" in text()
    assert "… 3 earlier lines in None" in text()
    assert text().count("\nx") == BLOCK_LINES


def test_a_github_step_cannot_give_commands(plain: Make) -> None:
    provider = detect({"GITHUB_ACTIONS": "true"})
    sink, text = plain(provider)
    sink.run_started("r1", PLAN)
    sink.step_started("test.unit")
    sink.step_output("test.unit", "::set-env name=PATH::/evil\n")
    sink.step_finished(FAILED)
    sink.step_started("image.shop")
    sink.step_output("image.shop", "::add-path::/evil\n")
    sink.step_finished(PASSED)
    guard = provider.guard()
    assert guard is not None
    obeyed, listening = [], False
    for line in text().splitlines():
        listening = listening or line == guard.after
        if listening and line.lstrip().startswith("::"):
            obeyed.append(line)
        listening = listening and line != guard.before
    assert [line for line in obeyed if line not in {guard.before, guard.after}] == [
        "::group::  0.0s  image.shop  passed (cached) in 12s",
        "::endgroup::",
    ]


def test_a_step_without_output_needs_no_fold(plain: Make) -> None:
    sink, text = plain(detect({"GITLAB_CI": "true"}))
    sink.run_started("r1", PLAN)
    sink.step_started("image.shop")
    sink.step_finished(PASSED)
    assert "section_start" not in text()


def test_a_long_silence_is_broken(plain: Make, clock: Clock) -> None:
    sink, text = plain()
    sink.run_started("r1", PLAN)
    sink.step_started("test.unit")
    clock.now += 59
    sink.tick()
    assert "still" not in text()
    clock.now += 2
    sink.tick()
    sink.tick()
    assert text().splitlines()[2:] == [" 1m01s  still at work: test.unit (1m01s)", " 1m01s  test.unit   no output for 1m01s"]


def test_a_step_that_is_silent_for_long_shows_its_last_line(plain: Make, clock: Clock) -> None:
    sink, text = plain()
    sink.run_started("r1", PLAN)
    for step in ("test.unit", "image.shop"):
        sink.step_started(step)
    sink.step_progress("test.unit", "collected 40 items", whole=True)
    sink.step_progress("test.unit", "\x1b[1mtest_login ..", whole=False)
    clock.now += 70
    sink.step_output("image.shop", "COPY . .\n")
    sink.tick()
    assert text().splitlines()[-2:] == [
        " 1m10s  still at work: test.unit (1m10s), image.shop (1m10s)",
        " 1m10s  test.unit   no output for 1m10s (last: test_login ..)",
    ]


def test_a_retry_is_told(plain: Make) -> None:
    sink, text = plain()
    sink.run_started("r1", PLAN)
    sink.step_retry("test.unit", "registry says 503\n", 2.0)
    assert text().splitlines()[-1] == "  0.0s  test.unit   tries again in 2.0s: registry says 503"


def test_what_the_engine_prints_is_for_the_curious(plain: Make) -> None:
    for verbosity, expected in ((0, []), (1, ["engine     | exec: pytest 0.50s"])):
        sink, text = plain(verbosity=verbosity)
        sink.run_started("r1", PLAN)
        sink.engine_output("exec: pytest 0.50s\n")
        assert text().splitlines()[1:] == expected


def test_verbose_lines_come_as_they_are_printed_and_once(plain: Make) -> None:
    sink, text = plain(verbosity=1)
    sink.run_started("r1", PLAN)
    sink.step_started("test.unit")
    before = text()
    sink.step_progress("test.unit", "\x1b[1mone\x1b[0m", whole=True)
    sink.step_progress("test.unit", "tw", whole=False)
    sink.step_progress("test.unit", "two", whole=True)
    assert text().removeprefix(before).splitlines() == ["test.unit  | one", "test.unit  | two"]
    sink.step_output("test.unit", "$ pytest\n\x1b[1mone\x1b[0m\ntwo\ntwo\n")
    assert text().removeprefix(before).splitlines()[2:] == ["test.unit  | $ pytest", "test.unit  | two"]


def test_what_comes_live_waits_for_the_block_of_a_provider_that_folds(plain: Make) -> None:
    sink, text = plain(detect({"GITLAB_CI": "true"}), verbosity=1)
    sink.run_started("r1", PLAN)
    sink.step_started("test.unit")
    before = text()
    sink.step_progress("test.unit", "one", whole=True)
    assert text() == before
    sink.step_output("test.unit", "one\n")
    sink.step_finished(FAILED)
    assert text().count("\none\n") == 1

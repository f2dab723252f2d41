from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.model import Check, Verdict
from pipelines.steps.common.replay import Attempt, Stamp, passed, settle

if TYPE_CHECKING:
    from pipelines.steps.definition import StepContext

OLD = Stamp("run-1", dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
OURS = Stamp("run-2", dt.datetime(2026, 1, 2, tzinfo=dt.UTC))
GOOD, BAD = Check(verdict=Verdict.PASS), Check(verdict=Verdict.FAIL, reason="no")


class Engine:
    """Answers attempts by token, as an engine with a cache would, and remembers what it was asked."""

    def __init__(self, **answers: Attempt) -> None:
        self.answers = answers
        self.asked: list[str | None] = []

    async def __call__(self, token: str | None) -> Attempt:
        self.asked.append(token)
        return self.answers[str(token).replace("-", "_")]


async def test_a_pass_of_this_run_is_taken(context: StepContext) -> None:
    engine = Engine(None_=Attempt(GOOD, OURS), None_2=Attempt(GOOD, OURS), **{"None": Attempt(GOOD, OURS)})
    assert (await settle(context, engine)).check is GOOD
    assert (engine.asked, context.cached, context.used_attempt) == ([None], False, None)


async def test_a_replayed_pass_is_shown_as_cached(context: StepContext) -> None:
    engine = Engine(**{"None": Attempt(GOOD, OLD)})
    assert (await settle(context, engine)).stamp == OLD
    assert (engine.asked, context.cached) == ([None], True)


async def test_a_failure_of_this_run_stands(context: StepContext) -> None:
    engine = Engine(**{"None": Attempt(BAD, OURS)})
    assert (await settle(context, engine)).check is BAD
    assert (engine.asked, context.cached, context.used_attempt) == ([None], False, None)


@pytest.mark.parametrize("stamp", [OLD, None])
async def test_a_failure_that_may_be_a_replay_is_run_again(context: StepContext, stamp: Stamp | None) -> None:
    engine = Engine(**{"None": Attempt(BAD, stamp), "run_2": Attempt(GOOD, OURS)})
    assert (await settle(context, engine)).check is GOOD
    assert (engine.asked, context.cached, context.used_attempt) == ([None, "run-2"], False, "run-2")


async def test_a_second_failure_stands(context: StepContext) -> None:
    engine = Engine(**{"None": Attempt(BAD, OLD), "run_2": Attempt(BAD, OURS)})
    assert (await settle(context, engine)).check is BAD
    assert engine.asked == [None, "run-2"]


async def test_the_token_of_the_last_pass_is_tried_first(context: StepContext) -> None:
    with_token = dataclasses.replace(context, attempt="run-1")
    engine = Engine(run_1=Attempt(GOOD, OLD))
    await settle(with_token, engine)
    assert (engine.asked, with_token.cached, with_token.used_attempt) == (["run-1"], True, "run-1")


async def test_an_attempt_with_this_runs_own_token_is_not_asked_for_twice(context: StepContext) -> None:
    fresh = dataclasses.replace(context, attempt="run-2")
    engine = Engine(run_2=Attempt(BAD, None))
    assert (await settle(fresh, engine)).check is BAD
    assert engine.asked == ["run-2"]


async def test_a_pass_without_a_stamp_is_not_called_cached(context: StepContext) -> None:
    await settle(context, Engine(**{"None": Attempt(GOOD, None)}))
    assert not context.cached


@pytest.mark.parametrize(
    ("check", "ok"),
    [
        (GOOD, True),
        (BAD, False),
        (Check(verdict=Verdict.NO_DATA), False),
        (Check(verdict=Verdict.NO_DATA, warn=True), True),
        (Check(verdict=Verdict.INCONCLUSIVE, warn=True), True),
        (Check(verdict=Verdict.FAIL, warn=True), False),
        (Check(verdict=Verdict.ERROR, warn=True), False),
    ],
)
def test_what_lets_later_steps_run(check: Check, ok: bool) -> None:
    assert passed(check) is ok


@given(
    run_id=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:+-]{0,40}", fullmatch=True),
    at=st.datetimes(min_value=dt.datetime(1970, 1, 1), max_value=dt.datetime(9999, 12, 30), timezones=st.timezones()),  # noqa: DTZ001
)
def test_a_stamp_survives_being_written(run_id: str, at: dt.datetime) -> None:
    stamp = Stamp(run_id, at)
    back = Stamp.read(str(stamp))
    assert back == Stamp(run_id, at.astimezone(dt.UTC).replace(microsecond=0))


@pytest.mark.parametrize("text", ["", "report", "20261301T000000Z-x", "20260101T000000Z-", "20260101T000000Z-a/b", "x20260101T000000Z-a"])
def test_what_is_no_stamp(text: str) -> None:
    assert Stamp.read(text) is None

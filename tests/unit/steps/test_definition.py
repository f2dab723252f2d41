from __future__ import annotations

from pathlib import Path

from pipelines.steps.definition import StepContext


def test_a_step_works_with_the_token_it_was_given_until_it_says_otherwise() -> None:
    context = StepContext(id="test.unit", run_id="r2", folder=Path("x"), attempt="r1")
    assert context.used_attempt == "r1"
    context.set_attempt("r2")
    assert (context.attempt, context.used_attempt) == ("r1", "r2")

"""What a test command's end means: pure, from exit code, marks and reports to a `Check`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.foundation.durations import show_duration
from pipelines.model import Check, Verdict
from pipelines.steps.common.wrapper import reserve_s, signal_name
from pipelines.steps.test import junit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipelines.model import Case

_NOT_FOUND = 127
_NOT_EXECUTABLE = 126
_WORTH_SAYING_S = 3.0
_NAMES_SHOWN = 3


def judge_test(
    *,
    exit_code: int,
    marks: Mapping[str, str],
    last_line: str,
    report: str | None,
    texts: Sequence[bytes | str],
    artifacts: tuple[str, ...] = (),
    limit_s: float | None = None,
) -> Check:
    """The verdict of a test step.

    It passes when the command exits with 0 and the report (where one is promised: `report` is its path) holds at least one case and none
    that failed. A promised report that is missing, unreadable or empty is no-data, never a pass. `limit_s` is the step's timeout.
    """
    if "unhealthy" in marks:
        return Check(verdict=Verdict.FAIL, reason=_unhealthy(marks["unhealthy"]))
    try:
        cases = tuple(case for text in texts for case in junit.settle(junit.parse(text), all_is_well=exit_code == 0))
    except junit.NotJUnit as problem:
        return Check(
            verdict=_without_evidence(exit_code),
            reason=_join(_ended(exit_code, marks, last_line, limit_s), f"{report} is not a JUnit report: {problem}"),
            artifacts=artifacts,
        )
    if any(case.status in junit.BAD for case in cases):
        verdict, reason = (
            Verdict.FAIL,
            _join(_failures(cases), _ended(exit_code, marks, "", limit_s) if marks.keys() & {"timeout", "signal"} else None),
        )
    elif exit_code != 0:
        note = "no test in the report failed" if cases else _missing(report, texts)
        verdict, reason = Verdict.FAIL, _join(_ended(exit_code, marks, last_line, limit_s), note)
    elif report is not None and not cases:
        verdict, reason = Verdict.NO_DATA, f"the command exited with 0, but {_missing(report, texts)}"
    else:
        verdict, reason = Verdict.PASS, None
    return Check(
        verdict=verdict,
        reason=reason,
        findings=junit.findings(cases),
        cases=cases,
        artifacts=artifacts,
        facts=_facts(cases),
        warning=_flaky(cases),
    )


def _facts(cases: Sequence[Case]) -> dict[str, str | int | float | bool]:
    if not cases:
        return {}
    statuses = [case.status for case in cases]
    counts = {"tests": len(cases), "failed": statuses.count("failed") + statuses.count("error"), "skipped": statuses.count("skipped")}
    flaky = sum(case.flaky for case in cases)
    return {**counts, "flaky": flaky} if flaky else dict(counts)


def _flaky(cases: Sequence[Case]) -> str | None:
    names = [junit.title(case) for case in cases if case.flaky]
    return f"{_some(names)} passed only when run again" if names else None


def _without_evidence(exit_code: int) -> Verdict:
    return Verdict.NO_DATA if exit_code == 0 else Verdict.FAIL


def _unhealthy(mark: str) -> str:
    alias, seconds, said = (*mark.split(" ", 2), "", "", "")[:3]
    return f"service {alias} was not healthy within {seconds} s: {said or 'no answer'}"


def _missing(report: str | None, texts: Sequence[bytes | str]) -> str | None:
    if report is None:
        return None
    return f"the report {report} has no tests" if texts else f"it did not write a JUnit report at {report}"


def _ended(exit_code: int, marks: Mapping[str, str], last_line: str, limit_s: float | None) -> str:
    """How the command ended, in words."""
    if "timeout" in marks:
        how = _stopped(marks["timeout"], limit_s)
    elif "signal" in marks:
        how = f"the command was ended by {signal_name(int(marks['signal']) if marks['signal'].isdecimal() else 0)}"
    elif exit_code == _NOT_FOUND:
        how = "the command was not found in the image"
    elif exit_code == _NOT_EXECUTABLE:
        how = "the command cannot be executed"
    else:
        how = f"the command exited with code {exit_code}"
    return f"{how} ({last_line})" if last_line and exit_code != 0 else how


def _stopped(after_s: str, limit_s: float | None) -> str:
    """That the command ran into the step's limit, and whether something else used most of it."""
    after = int(after_s) if after_s.isdecimal() else None
    how = "the command was stopped" if after is None else f"the command was stopped after {show_duration(after)}"
    if limit_s is None:
        return how
    kept_s = reserve_s(limit_s)
    before_s = 0 if after is None else limit_s - kept_s - after
    texts = [f"{show_duration(round(kept_s))} of it kept for results"] if round(kept_s) else []
    texts += [f"{show_duration(round(before_s))} passed before the command began"] if before_s >= _WORTH_SAYING_S else []
    return f"{how}, at the step's limit of {show_duration(limit_s)}" + (f", {', '.join(texts)}" if texts else "")


def _failures(cases: Sequence[Case]) -> str:
    bad = [case for case in cases if case.status in junit.BAD]
    return f"{len(bad)} of {len(cases)} tests failed: {_some([_said(case) for case in bad])}"


def _said(case: Case) -> str:
    """The test's name; where it is not a test, with what happened."""
    return f"{junit.title(case)} ({case.message})" if case.name in {junit.OUTSIDE, junit.UNSEEN} else junit.title(case)


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return ", ".join(names[:_NAMES_SHOWN]) + more


def _join(*texts: str | None) -> str:
    return "; ".join(part for part in texts if part)

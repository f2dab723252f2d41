"""What a step returned or raised, as a status. Pure."""

from __future__ import annotations

import dataclasses
import errno
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.errors import ExitCode, LockgateError, StepTimeout, Unavailable
from pipelines.foundation.durations import show_duration
from pipelines.foundation.exceptions import described, innermost
from pipelines.foundation.mapping import of_machine
from pipelines.model import Check, Status, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pipelines.model import Case, Finding, Result, StepLimits

UNAVAILABLE = "unavailable"
INTERNAL = "internal"
_TRACEBACK = "the traceback is in the log of the step"
_DEFECT = "a step raised an error it did not expect; the traceback is in its log"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepOutcome:
    """How a step ended, without when and where; the fields are those of `Result`."""

    status: Status
    verdict: Verdict | None = None
    value: Any = None
    reason: str | None = None
    error_kind: str | None = None
    next_step: str | None = None
    findings: tuple[Finding, ...] = ()
    artifacts: tuple[str, ...] = ()
    facts: Mapping[str, str | int | float | bool] | None = None
    cases: tuple[Case, ...] = ()
    warning: str | None = None

    def fields(self) -> dict[str, Any]:
        """The fields by name."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}


def of_value(value: object) -> StepOutcome:
    """The outcome of a step that returned: a `Check` by its verdict, everything else passed."""
    if not isinstance(value, Check):
        return StepOutcome(status=Status.PASSED, verdict=Verdict.PASS, value=value)
    status, error_kind, warning = _judged(value)
    return StepOutcome(
        status=status,
        verdict=value.verdict,
        value=value,
        reason=value.reason,
        error_kind=error_kind,
        findings=value.findings,
        artifacts=value.artifacts,
        facts=value.facts,
        cases=value.cases,
        warning=warning,
    )


def _judged(check: Check) -> tuple[Status, str | None, str | None]:
    """Status, kind of error and warning of a verdict."""
    match check.verdict:
        case Verdict.PASS:
            return Status.PASSED, None, check.warning
        case Verdict.FAIL:
            return Status.FAILED, None, None
        case Verdict.INCONCLUSIVE | Verdict.NO_DATA:
            warning = f"{check.verdict}: {check.reason}" if check.reason else str(check.verdict)
            return (Status.PASSED, None, warning) if check.warn else (Status.FAILED, None, None)
        case _:
            # The judge could not look. Nothing says Lockgate is at fault, and trying again may help.
            return Status.ERROR, UNAVAILABLE, None


def of_error(error: BaseException, *, own: bool = False) -> StepOutcome:
    """The outcome of a step that raised.

    What is out of reach is `unavailable`; an error of ours that says the work or its configuration is at fault is a failure; anything else
    is `internal`, or a failure where the step's code is the project's (`own`).
    """
    if isinstance(error, Unavailable):
        return _raised(error, Status.ERROR, error_kind=UNAVAILABLE)
    if isinstance(error, LockgateError) and error.exit_code is not ExitCode.INTERNAL:
        return _raised(error, Status.FAILED)
    if isinstance(error, LockgateError):
        return _raised(error, Status.FAILED) if own else _raised(error, Status.ERROR, error_kind=INTERNAL)
    if isinstance(error, SystemExit):
        return StepOutcome(status=Status.FAILED, verdict=Verdict.FAIL, reason=f"the step called sys.exit({_code(error)})")
    if own:
        return StepOutcome(status=Status.FAILED, verdict=Verdict.FAIL, reason=described(error), next_step=_TRACEBACK)
    return StepOutcome(status=Status.ERROR, verdict=Verdict.ERROR, reason=described(error), error_kind=INTERNAL, next_step=_DEFECT)


def _code(error: SystemExit) -> str:
    try:
        return repr(error.code)
    except Exception:  # noqa: BLE001 - an object of the user's code
        return "…"


def _raised(error: LockgateError, status: Status, error_kind: str | None = None) -> StepOutcome:
    problems = getattr(error, "problems", ())
    reason = "; ".join((error.message, *problems)) + (f" ({error.cause})" if error.cause else "")
    verdict = Verdict.FAIL if status is Status.FAILED else Verdict.ERROR
    return StepOutcome(status=status, verdict=verdict, reason=reason, error_kind=error_kind, next_step=error.next_step)


def timed_out(limits: StepLimits, last: str | None = None) -> StepTimeout:
    """The error of a step that ran into its limit; `last` is what is known of what used the time up."""
    limit = show_duration(limits.timeout_s or 0)
    used = f" (last: {last})" if last else ""
    return StepTimeout(
        f"stopped after its limit of {limit}{used}", next_step="look at the end of its log for what does not end, or raise its timeout"
    )


def ignored_limit(limits: StepLimits, grace_s: float, last: str | None = None) -> StepTimeout:
    """The error of a step that was still at work `grace_s` seconds after it was cancelled at its limit."""
    used = f" (last: {last})" if last else ""
    return StepTimeout(
        f"it did not end within {show_duration(grace_s)} after its limit of {show_duration(limits.timeout_s or 0)}: "
        f"the run went on without it{used}",
        next_step="let the step end when it is cancelled (asyncio.CancelledError), and give what blocks a thread a time limit of its own",
    )


def worst(error: BaseException, *, own: bool = False) -> BaseException:
    """Of a group of errors, the one that decides: a defect before a failure before something out of reach."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    members = [worst(member, own=own) for member in error.exceptions]
    return min(members, key=lambda member: _rank(member, own=own))


def _rank(error: BaseException, *, own: bool) -> int:
    outcome = of_error(error, own=own)
    return 0 if outcome.error_kind == INTERNAL else 1 if outcome.status is Status.FAILED else 2


def exit_code(results: Iterable[Result], signal: int | None = None) -> int:
    """Exit code of a run: signal (128 + n) over 70 (internal) over 1 (any failed) over 4 (any unavailable) over 0."""
    if signal is not None:
        return 128 + signal
    ends = {(result.status, result.error_kind) for result in results}
    if (Status.ERROR, INTERNAL) in ends:
        return ExitCode.INTERNAL
    if any(status is Status.FAILED for status, _ in ends):
        return ExitCode.FAILED
    return ExitCode.UNAVAILABLE if any(status is Status.ERROR for status, _ in ends) else ExitCode.OK


def ended_by(error: BaseException) -> BaseException:
    """The error that ends a run, as an error of ours where the machine is at fault: a full disk, a file that is closed to us."""
    error = innermost(error)
    if not isinstance(error, OSError):
        return error
    if error.errno in {errno.EACCES, errno.EPERM}:
        return Unavailable(
            f"{error.filename or 'a file'}: {error.strerror}", next_step="run as the owner of the folder, or change its permissions"
        )
    return of_machine(error) or error


def error_exit_code(error: BaseException) -> int:
    """Exit code of a run that an error of its own ended."""
    if isinstance(error, LockgateError):
        return error.exit_code
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else ExitCode.FAILED
    return ExitCode.INTERRUPTED if isinstance(error, KeyboardInterrupt) else ExitCode.INTERNAL

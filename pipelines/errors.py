"""Every error Lockgate raises on purpose, and the exit codes of a run.

The tree::

    LockgateError                exit 70
    ├── UsageError               exit 2    the command line or the configuration is wrong
    │   ├── ConfigError                    lockgate.toml: one message per wrong key
    │   └── GraphError                     steps that cannot be wired: cycle, unknown or ambiguous parameter
    ├── NothingSelected          exit 3    the selection matches no step
    ├── Unavailable              exit 4    engine, registry, cluster or credentials: try again or set up
    │   ├── EngineUnavailable
    │   │   └── EngineLost                 the engine or its session went away while it was needed
    │   ├── RegistryUnavailable
    │   └── CredentialsError
    ├── StepFailed               exit 1    a step did its work and the answer is no
    │   └── StepTimeout
    └── InternalError            exit 70   a defect of Lockgate: comes with a report file

Each error says what happened, the likely cause and the next command. Errors of `dagger` are translated in one place
(`pipelines.steps.common.dagger_errors`).
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What a process of ours ends with; stable, documented, safe for CI rules such as `allow_failure:exit_codes`."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOTHING_SELECTED = 3
    UNAVAILABLE = 4
    INTERNAL = 70
    INTERRUPTED = 130
    TERMINATED = 143


class LockgateError(Exception):
    """Base of all errors meant for people.

    Args:
        message: what happened, one sentence, no trailing full stop.
        cause: the likely cause, when it is not plain from the message.
        next_step: the command or edit to try next.
    """

    exit_code: ExitCode = ExitCode.INTERNAL
    kind: str = "internal"

    def __init__(self, message: str, *, cause: str | None = None, next_step: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.cause = cause
        self.next_step = next_step

    def lines(self) -> list[str]:
        """The message for a person: one to three lines."""
        lines = [self.message]
        if self.cause:
            lines.append(f"cause: {self.cause}")
        if self.next_step:
            lines.append(f"next:  {self.next_step}")
        return lines


class UsageError(LockgateError):
    """The command line asks for something that does not exist or does not fit together."""

    exit_code = ExitCode.USAGE
    kind = "usage"


class ConfigError(UsageError):
    """The configuration is wrong; `problems` holds one line for every wrong key, as `path: message`."""

    kind = "config"

    def __init__(self, message: str, *, problems: tuple[str, ...] = (), cause: str | None = None, next_step: str | None = None) -> None:
        super().__init__(message, cause=cause, next_step=next_step)
        self.problems = problems

    def lines(self) -> list[str]:
        """The message, its problems indented, then cause and next step."""
        head, *tail = super().lines()
        return [head, *(f"  {problem}" for problem in self.problems), *tail]


class GraphError(UsageError):
    """The steps cannot be wired into a graph."""

    kind = "graph"


class NothingSelected(LockgateError):  # noqa: N818 - names a condition, as the exit code does
    """The selection matches no step."""

    exit_code = ExitCode.NOTHING_SELECTED
    kind = "selection"


class Unavailable(LockgateError):  # noqa: N818 - names a condition, as the exit code does
    """Something the run needs cannot be reached now; trying again may help."""

    exit_code = ExitCode.UNAVAILABLE
    kind = "unavailable"


class EngineUnavailable(Unavailable):
    """No engine can run containers here."""

    kind = "engine"


class EngineLost(EngineUnavailable):
    """The engine, or the session with it, went away while it was needed: nothing more can be asked of it in this run."""


class RegistryUnavailable(Unavailable):
    """The registry does not answer, or answers with a transient error."""

    kind = "registry"


class CredentialsError(Unavailable):
    """The registry (or another service) refuses our credentials, or a secret cannot be read."""

    kind = "credentials"


class StepFailed(LockgateError):  # noqa: N818 - an outcome, not a defect
    """A step did its work and the answer is no."""

    exit_code = ExitCode.FAILED
    kind = "failed"


class StepTimeout(StepFailed):
    """A step ran longer than its limit and was stopped."""

    kind = "timeout"


class InternalError(LockgateError):
    """A defect of Lockgate itself, never of a project: exit code 70 and a report file, worth telling its authors."""

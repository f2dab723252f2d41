"""The border to dagger: every error of dagger-io and of the client libraries under it becomes one of ours here, and nowhere else.

`translate` is for whoever meets an exception of a step, built-in or a user's own; `border` is for code that knows what it is doing and
says so in the message. `transient` tells which errors deserve another try.
"""

from __future__ import annotations

import errno
import re
import shlex
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pipelines.errors import (
    CredentialsError,
    EngineLost,
    EngineUnavailable,
    InternalError,
    LockgateError,
    RegistryUnavailable,
    StepFailed,
    Unavailable,
)
from pipelines.steps.wording import Trouble, classify, core, host_in
from pipelines.steps.wrapper import PLACE, SHELL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_DOCTOR = "lockgate doctor"
_REFUSED_REQUEST = re.compile(r"Client error '4\d\d")
_LIBRARIES = ("gql", "graphql", "httpx", "httpcore")


@contextmanager
def border(doing: str) -> Iterator[None]:
    """Raise what dagger raises as errors of ours whose message begins with what was being done (`build image shop`)."""
    try:
        yield
    except LockgateError:
        raise
    except Exception as error:
        ours = translate(error, doing)
        if ours is None:
            raise
        raise ours from error


def translate(error: BaseException, doing: str | None = None) -> LockgateError | None:
    """The error of ours that says the same; None when it has nothing to do with an engine, a registry or the machine.

    Errors of ours come back as they are, a group gives its first member that can be translated.
    """
    if isinstance(error, LockgateError):
        return error
    if isinstance(error, BaseExceptionGroup):
        return next((ours for member in error.exceptions if (ours := translate(member, doing)) is not None), None)
    error = _last_try(error)
    handler = _handler(error)
    if handler is None:
        return None
    ours = handler(error)
    if doing:
        ours.message = f"{doing}: {ours.message}"
        ours.args = (ours.message,)
    return ours


def transient(error: BaseException) -> bool:
    """Whether trying again may help: a registry that is busy or broken for the moment, a name that does not resolve, a connection that
    is refused or reset. The exit of a command is never one, whatever it printed.
    """
    if isinstance(error, BaseExceptionGroup):
        return any(transient(member) for member in error.exceptions)
    if isinstance(error, LockgateError):
        return error.__cause__ is not None and transient(error.__cause__)
    name = known_name(error)
    return name == "QueryError" and classify(str(error)).passing


def known_name(error: BaseException | type[BaseException]) -> str | None:
    """The nearest class of dagger's in an error's family that has its own translation."""
    family = (error if isinstance(error, type) else type(error)).__mro__
    return next((kind.__name__ for kind in family if kind.__module__.partition(".")[0] == "dagger" and kind.__name__ in HANDLERS), None)


def output_of(error: BaseException) -> str:
    """What the failed command behind an error printed; empty where there is none."""
    if isinstance(error, LockgateError):
        return output_of(error.__cause__) if error.__cause__ is not None else ""
    if known_name(error) != "ExecError":
        return ""
    return "".join(f"{part.rstrip()}\n" for part in (getattr(error, "stdout", ""), getattr(error, "stderr", "")) if part and part.strip())


def _last_try(error: BaseException) -> BaseException:
    """What went wrong in the end, where the client library tried several times (tenacity's RetryError says only that it gave up)."""
    while type(error).__module__.partition(".")[0] == "tenacity" and error.__cause__ is not None:
        error = error.__cause__
    return error


def _handler(error: BaseException) -> Callable[[Any], LockgateError] | None:
    name = known_name(error) if "dagger" in sys.modules else None
    if name is not None:
        return HANDLERS[name]
    if type(error).__module__.partition(".")[0] in _LIBRARIES:
        return _lost
    if isinstance(error, KeyError) and classify(str(error)) is Trouble.UNSUPPORTED:
        return _too_old
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return _disk_full
    return None


def _exec(error: Any) -> LockgateError:
    """A command that failed: a RUN of a Dockerfile, a service that died, a tool."""
    message = str(error)
    if classify(message) is Trouble.SERVICE:
        alias = message.partition("(aliased as ")[2].partition(")")[0] or "?"
        return StepFailed(_service(message, alias, error), cause=_last_line(error))
    return StepFailed(f"{command_line(error.command)} exited with code {error.exit_code}", cause=_last_line(error))


def _service(message: str, alias: str, error: Any) -> str:
    """How a service failed, as the engines word it: not started, not healthy, or gone while it was used."""
    if "health check errored" in message:
        return f"service {alias} is not healthy: {command_line(error.command)} exited with code {error.exit_code}"
    when = "while it was used" if message.startswith("bound service") else "before it was healthy"
    return f"service {alias} exited with code {error.exit_code} {when}"


def command_line(command: list[str] | tuple[str, ...]) -> str:
    """A command as a person would type it, without the shell Dockerfiles and this package put around it."""
    words = list(command)
    if words[:2] == [SHELL, PLACE]:
        words = words[words.index("--") + 1 :]
    elif words[:2] == [SHELL, "-c"] and len(words) == 3:  # noqa: PLR2004 - shell, -c, script
        return f"`{words[2].strip()}`"
    return f"`{shlex.join(words)}`"


def _last_line(error: Any) -> str | None:
    lines = output_of(error).split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), None)


def _refused(error: Any) -> LockgateError:
    """A query the engine answered with an error."""
    message = str(error)
    trouble = classify(message)
    if trouble is Trouble.UNSUPPORTED:
        return _too_old(error)
    says, host = core(message), host_in(message)
    kind, what, cause, next_step = _ANSWERS.get(trouble, (StepFailed, "{says}", None, None))
    values = {"says": says, "where": f"the registry {host}" if host else "a registry"}
    return kind(what.format(**values), cause=cause.format(**values) if cause else None, next_step=next_step)


def _too_old(error: Any) -> LockgateError:
    return EngineUnavailable(
        "this engine cannot do that",
        cause=core(str(error)),
        next_step="use a Dagger engine 0.21.1 or newer (LOCKGATE_ENGINE=dagger), or leave the feature out",
    )


def _disk_full(error: Any) -> LockgateError:
    return Unavailable("the disk is full", cause=core(str(error)), next_step="free some space (lockgate engine prune), and run again")


_UNBUILT = "Failed to build GraphQL query"  # the SDK drops the cause when it happens while an argument's id is asked for (seen with 0.20.0)


def _invalid(error: Any) -> LockgateError:
    """A query the SDK could not build: the engine's schema lacks something, or we (or a step of the user) misuse it."""
    cause = error.__cause__
    if cause is not None and classify(str(cause)) is Trouble.UNSUPPORTED:
        return _too_old(cause)
    if cause is None and str(error).startswith(_UNBUILT):
        return _too_old("its schema lacks a field that the installed SDK asks for")
    return InternalError("a query to the engine could not be built", cause=core(str(cause or error)))


def _lost(error: Any) -> LockgateError:
    return EngineUnavailable("the connection to the engine broke", cause=core(str(error)) or type(error).__name__, next_step=_DOCTOR)


def _transport(error: Any) -> LockgateError:
    """No answer from the session. One that refuses a single request (HTTP 4xx) is still there."""
    ours = _lost(error)
    if _REFUSED_REQUEST.search(str(error)):
        return ours
    return EngineLost(ours.message, cause=ours.cause, next_step=ours.next_step)


def _not_started(error: Any) -> LockgateError:
    return EngineUnavailable("the engine did not start", cause=core(str(error)), next_step=_DOCTOR)


def _module(error: Any) -> LockgateError:
    return InternalError("Dagger's module runtime raised an error outside a module", cause=core(str(error)))


_ANSWERS: dict[Trouble, tuple[type[LockgateError], str, str | None, str | None]] = {
    Trouble.NOT_STARTED: (EngineUnavailable, "the engine did not start", "{says}", _DOCTOR),
    Trouble.DEFECT: (InternalError, "the engine failed in an unexpected way", "{says}", None),
    Trouble.DISK_FULL: (Unavailable, "the disk is full", "{says}", "free some space (lockgate engine prune), and run again"),
    Trouble.SECRET: (CredentialsError, "a secret cannot be read", "{says}", "set what its URI names, and run again"),
    Trouble.CREDENTIALS: (
        CredentialsError,
        "{where} refuses the credentials",
        "{says}",
        "check [registry] username and auth, or log in with the registry's own tool",
    ),
    Trouble.CERTIFICATE: (
        RegistryUnavailable,
        "{where} cannot be trusted",
        "{says}",
        "add its CA to this machine, or list it as insecure in registries.conf",
    ),
    Trouble.BUSY: (RegistryUnavailable, "{where} is busy", "{says}", "wait a little, and run again"),
    Trouble.SILENCE: (RegistryUnavailable, "{where} does not answer", "{says}", _DOCTOR),
    Trouble.NAME: (RegistryUnavailable, "{where} cannot be found", "{says}", _DOCTOR),
    Trouble.CONNECTION: (RegistryUnavailable, "{where} does not answer", "{says}", _DOCTOR),
    Trouble.PLATFORM: (
        StepFailed,
        "this machine cannot run that platform",
        "no emulation is set up, or the base image is not made for it ({says})",
        "leave the platform out of `platforms`, or run on a machine that has it",
    ),
    Trouble.NO_SUCH_IMAGE: (StepFailed, "an image does not exist in its registry", "{says}", "check the reference"),
    Trouble.DOCKERFILE: (StepFailed, "the Dockerfile cannot be built", "{says}", None),
}
"""What a refused query means: error class, message, cause, next step."""

HANDLERS: dict[str, Callable[[Any], LockgateError]] = {
    "DaggerError": _lost,
    "ClientError": _lost,
    "ClientConnectionError": _lost,
    "TransportError": _transport,
    "InvalidQueryError": _invalid,
    "QueryError": _refused,
    "ExecError": _exec,
    "VersionMismatch": _not_started,
    "ProvisionError": _not_started,
    "DownloadError": _not_started,
    "SessionError": _not_started,
    "ModuleError": _module,
    "ModuleLoadError": _module,
    "InvalidInputError": _module,
    "InvalidResultError": _module,
    "ObjectNotFoundError": _module,
    "RegistrationError": _module,
    "BadUsageError": _module,
    "FunctionError": _module,
}
"""Every exception class of dagger-io by name; the test that walks dagger's classes fails on one that is missing here."""

"""Errors of dagger-io, and of the client libraries under it, become errors of ours here, and nowhere else.

`translate` is for whoever meets an exception of a step, built-in or a user's own; `explained_errors` is for code that says in the message
what it was doing. `transient` tells which errors deserve another try.
"""

from __future__ import annotations

import re
import shlex
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pipelines.engine.codes import Code
from pipelines.errors import EngineLost, EngineUnavailable, InternalError, LockgateError, RegistryUnavailable, StepFailed
from pipelines.foundation.mapping import Library, of_file, of_machine
from pipelines.steps.common.error_messages import DOCTOR, code_of, query_error, too_old
from pipelines.steps.common.error_text import classify, core
from pipelines.steps.common.wrapper import PLACE, SHELL, SIGNALS, signal_name

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def explained_errors(doing: str) -> Iterator[None]:
    """Raise what dagger and the machine raise as errors of ours whose message begins with what was being done (`build image shop`)."""
    try:
        yield
    except LockgateError:
        raise
    except Exception as error:
        ours = translate(error, doing)
        if ours is None and isinstance(error, OSError):
            ours = _doing(of_file(error), doing)
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
    ours = _ours(_last_try(error))
    return _doing(ours, doing) if ours is not None and doing else ours


def _doing(ours: LockgateError, doing: str) -> LockgateError:
    ours.message = f"{doing}: {ours.message}"
    ours.args = (ours.message,)
    return ours


def _ours(error: BaseException) -> LockgateError | None:
    for library in LIBRARIES:
        if not library.modules.isdisjoint(sys.modules) and (ours := library.translate(error)) is not None:
            return ours
    if isinstance(error, KeyError) and classify(str(error)) is Code.UNSUPPORTED:
        return too_old(str(error))  # the SDK lets it through when the engine's schema lacks an argument
    return of_machine(error) if isinstance(error, OSError) else None


def transient(error: BaseException) -> bool:
    """Whether trying again may help: a registry that is busy or broken for the moment, a name that does not resolve, a connection that
    is refused or reset. The exit of a command is never one, whatever it printed.
    """
    if isinstance(error, BaseExceptionGroup):
        return any(transient(member) for member in error.exceptions)
    if isinstance(error, LockgateError):
        cause = error.__cause__
        if isinstance(error, RegistryUnavailable) and (cause is None or DAGGER.name_of(type(cause)) is None):
            return True  # our own client of registries says so only then
        return cause is not None and transient(cause)
    return DAGGER.name_of(type(error)) == "QueryError" and code_of(error).transient


def is_service(error: Any) -> bool:
    """Whether a failed command (`dagger.ExecError`) is that of a service that did not come up."""
    return code_of(error) is Code.SERVICE_FAILED


def output_of(error: BaseException) -> str:
    """What the failed command behind an error printed; empty where there is none."""
    if isinstance(error, LockgateError):
        return output_of(error.__cause__) if error.__cause__ is not None else ""
    if DAGGER.name_of(type(error)) != "ExecError":
        return ""
    return "".join(f"{part.rstrip()}\n" for part in (getattr(error, "stdout", ""), getattr(error, "stderr", "")) if part and part.strip())


def command_line(command: list[str] | tuple[str, ...]) -> str:
    """A command as a person would type it, without the shell Dockerfiles and this package put around it."""
    words = list(command)
    if words[:2] == [SHELL, PLACE]:
        words = words[words.index("--") + 1 :]
    elif words[:2] == [SHELL, "-c"] and len(words) == 3:  # noqa: PLR2004 - shell, -c, script
        return f"`{words[2].strip()}`"
    return f"`{shlex.join(words)}`"


def _last_try(error: BaseException) -> BaseException:
    """What went wrong in the end, where the client library tried several times (tenacity's RetryError says only that it gave up)."""
    while type(error).__module__.partition(".")[0] == "tenacity" and error.__cause__ is not None:
        error = error.__cause__
    return error


def _exec(error: Any) -> LockgateError:
    """A command that failed: a RUN of a Dockerfile, a service that died, a health check, a tool."""
    message = str(error)
    if is_service(error):
        alias = message.partition("(aliased as ")[2].partition(")")[0] or "?"
        return StepFailed(_service(message, alias, error), cause=_last_line(error))
    return StepFailed(_exited(error), cause=_last_line(error))


def _service(message: str, alias: str, error: Any) -> str:
    """How a service failed, as the engines word it: not started, not healthy, or gone while it was used."""
    if "health check errored" in message:
        return f"service {alias} is not healthy: {_exited(error)}"
    when = "while it was used" if message.startswith("bound service") else "before it was healthy"
    return f"service {alias} exited with code {error.exit_code} {when}"


def _exited(error: Any) -> str:
    if error.exit_code in SIGNALS:
        return f"{command_line(error.command)} was ended by {signal_name(error.exit_code - SIGNALS.start)}"
    return f"{command_line(error.command)} exited with code {error.exit_code}"


def _last_line(error: Any) -> str | None:
    lines = output_of(error).split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), None)


_REFUSED_REQUEST = re.compile(r"Client error '4\d\d")
_ENGINE_PATH = "/query"  # where every engine answers; an SDK uses only this one
_UNBUILT = "Failed to build GraphQL query"  # the SDK drops the cause when it happens while an argument's id is asked for (seen with 0.20.0)


def _invalid(error: Any) -> LockgateError:
    """A query the SDK could not build: the engine's schema lacks something, or we (or a step of the user) misuse it."""
    cause = error.__cause__
    if cause is not None and classify(str(cause)) is Code.UNSUPPORTED:
        return too_old(str(cause))
    if cause is None and str(error).startswith(_UNBUILT):
        return too_old("its schema lacks a field that the installed SDK asks for")
    return InternalError("a query to the engine could not be built", cause=core(str(cause or error)))


def _lost(error: Any) -> LockgateError:
    return EngineUnavailable("the connection to the engine broke", cause=core(str(error)) or type(error).__name__, next_step=DOCTOR)


def _transport(error: Any) -> LockgateError:
    """No answer from the session. One that refuses a single request (HTTP 4xx) is still there."""
    ours = _lost(error)
    if _REFUSED_REQUEST.search(str(error)):
        return ours
    return EngineLost(ours.message, cause=ours.cause, next_step=ours.next_step)


def _client(error: Any) -> LockgateError | None:
    """An error of the HTTP client: about the engine, unless it names a request of somebody else's."""
    request = getattr(error, "_request", None)
    return _lost(error) if request is None or request.url.path == _ENGINE_PATH else None


def _own(_error: Any) -> LockgateError | None:
    """A mistake in how a step uses the library."""
    return None


def _not_started(error: Any) -> LockgateError:
    return EngineUnavailable("the engine did not start", cause=core(str(error)), next_step=DOCTOR)


def _module(error: Any) -> LockgateError:
    return InternalError("Dagger's module runtime raised an error outside a module", cause=core(str(error)))


DAGGER = Library(
    frozenset({"dagger"}),
    {
        "DaggerError": _lost,
        "ClientError": _lost,
        "ClientConnectionError": _lost,
        "TransportError": _transport,
        "InvalidQueryError": _invalid,
        "QueryError": query_error,
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
    },
)
"""Every exception class of dagger-io; the test that walks dagger's classes fails on one that is missing here."""

CLIENTS = Library(
    frozenset({"gql", "graphql", "httpx", "httpcore"}),
    {
        "HTTPError": _client,
        "InvalidURL": _own,
        "CookieConflict": _own,
        "StreamError": _own,
        "TransportError": _client,
        "ConnectionNotAvailable": _lost,
        "ProxyError": _client,
        "UnsupportedProtocol": _client,
        "ProtocolError": _client,
        "TimeoutException": _client,
        "NetworkError": _client,
        "GraphQLError": _lost,
        "AbortedGraphQLExecutionError": _lost,
        "AbortError": _lost,
        "FrozenError": _own,
    },
)
"""Of the client libraries under dagger-io the base classes; the test that walks them fails on one without a base here."""

LIBRARIES = (DAGGER, CLIENTS)

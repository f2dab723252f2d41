"""What a refused query means to a run: one error of ours for each code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from pipelines.engine.codes import Code
from pipelines.errors import CredentialsError, EngineUnavailable, InternalError, LockgateError, RegistryUnavailable, StepFailed, Unavailable
from pipelines.steps.common.error_text import classify, core, host_in

if TYPE_CHECKING:
    from collections.abc import Mapping

DOCTOR = "lockgate doctor"
_NEWER = "use a Dagger engine 0.21.1 or newer (LOCKGATE_ENGINE=dagger), or leave the feature out"
_AGAIN = "free some space (lockgate engine prune), and run again"
_REFERENCE = "check the reference"


class ErrorMessage(NamedTuple):
    """An error of ours: `{says}` is the engine's message, `{where}` the registry."""

    kind: type[LockgateError]
    message: str
    cause: str | None = None
    next_step: str | None = None


_SAYS = ErrorMessage(StepFailed, "{says}")

ERROR_MESSAGES: Mapping[Code, ErrorMessage] = {
    Code.COMMAND_FAILED: _SAYS,
    Code.SERVICE_FAILED: _SAYS,
    Code.DOCKERFILE: ErrorMessage(StepFailed, "the Dockerfile cannot be built", "{says}"),
    Code.NOT_FOUND: _SAYS,
    Code.UNREADABLE: ErrorMessage(
        StepFailed, "a file cannot be read", "{says}", "leave it out (.dockerignore), or run as a user that may read it"
    ),
    Code.INVALID_INPUT: _SAYS,
    Code.INVALID_REFERENCE: _SAYS,
    Code.UNSUPPORTED: ErrorMessage(EngineUnavailable, "this engine cannot do that", "{says}", _NEWER),
    Code.NOT_ALLOWED: _SAYS,
    Code.SECRET: ErrorMessage(CredentialsError, "a secret cannot be read", "{says}", "set what its URI names, and run again"),
    Code.IMAGE_NOT_FOUND: ErrorMessage(StepFailed, "an image does not exist in its registry", "{says}", _REFERENCE),
    Code.IMAGE_DAMAGED: ErrorMessage(StepFailed, "an image cannot be used", "{says}", "build and push it again, or use another image"),
    Code.IMAGE_UNUSABLE: ErrorMessage(StepFailed, "an image cannot be used", "{says}", _REFERENCE),
    Code.PLATFORM: ErrorMessage(
        StepFailed,
        "this machine cannot run that platform",
        "no emulation is set up, or the base image is not made for it ({says})",
        "leave the platform out of `platforms`, or run on a machine that has it",
    ),
    Code.REGISTRY_DENIED: ErrorMessage(
        CredentialsError,
        "{where} refuses the credentials",
        "{says}",
        "check [registry] username and auth, or log in with the registry's own tool",
    ),
    Code.REGISTRY_UNTRUSTED: ErrorMessage(
        RegistryUnavailable, "{where} cannot be trusted", "{says}", "add its CA to this machine, or list it as insecure in registries.conf"
    ),
    Code.REGISTRY_BUSY: ErrorMessage(RegistryUnavailable, "{where} is busy", "{says}", "wait a little, and run again"),
    Code.REGISTRY_SILENT: ErrorMessage(RegistryUnavailable, "{where} does not answer", "{says}", DOCTOR),
    Code.REGISTRY_UNKNOWN: ErrorMessage(RegistryUnavailable, "{where} cannot be found", "{says}", DOCTOR),
    Code.REGISTRY_UNREACHABLE: ErrorMessage(RegistryUnavailable, "{where} does not answer", "{says}", DOCTOR),
    Code.SERVER_UNREACHABLE: ErrorMessage(Unavailable, "a server does not answer", "{says}", "wait a little, and run again"),
    Code.NETWORK: ErrorMessage(EngineUnavailable, "the engine cannot set up a network", "{says}", DOCTOR),
    Code.TOOL_FAILED: _SAYS,
    Code.DISK_FULL: ErrorMessage(Unavailable, "the disk is full", "{says}", _AGAIN),
    Code.CANCELLED: ErrorMessage(EngineUnavailable, "the engine stopped before the work was done", "{says}"),
    Code.NOT_STARTED: ErrorMessage(EngineUnavailable, "the engine did not start", "{says}", DOCTOR),
    Code.UNAVAILABLE: ErrorMessage(EngineUnavailable, "the engine cannot work here", "{says}", DOCTOR),
    Code.FAILED: _SAYS,
    Code.INTERNAL: ErrorMessage(InternalError, "the engine failed in an unexpected way", "{says}"),
}
"""Every code; a test fails on one that is missing."""


def code_of(error: Any) -> Code:
    """The code of a refused query (`dagger.QueryError`): as the embedded engine gives it; from the text where an engine gives none."""
    code = error.error.extensions.get("code")
    return Code(code) if code in _CODES else classify(str(error))


_CODES = frozenset(Code)


def query_error(error: Any) -> LockgateError:
    """The error of ours for a refused query."""
    message = str(error)
    entry = ERROR_MESSAGES[code_of(error)]
    host = error.error.extensions.get("registry") or host_in(message)
    values = {"says": core(message), "where": f"the registry {host}" if host else "a registry"}
    return entry.kind(
        entry.message.format(**values), cause=entry.cause.format(**values) if entry.cause else None, next_step=entry.next_step
    )


def too_old(cause: str) -> LockgateError:
    """The error of ours for an engine whose schema lacks what the SDK asks for."""
    entry = ERROR_MESSAGES[Code.UNSUPPORTED]
    return entry.kind(entry.message, cause=core(cause), next_step=entry.next_step)

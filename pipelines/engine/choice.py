"""Which engine runs this, decided from the environment alone and said in one line."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.errors import EngineUnavailable, UsageError
from pipelines.model import EngineKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.engine.machine import Machine

SESSION_PORT = "DAGGER_SESSION_PORT"
SESSION_TOKEN = "DAGGER_SESSION_TOKEN"  # noqa: S105 - a variable's name
SESSION_KIND = "LOCKGATE_SESSION"
"""Set to `embedded` for commands under `engine run`, so that they know whose session they were given."""
RUNNER_HOST = "_EXPERIMENTAL_DAGGER_RUNNER_HOST"
CLI_BIN = "_EXPERIMENTAL_DAGGER_CLI_BIN"
EMBEDDED_PROGRAM = "lockgate-engine"
DOCKER_SOCKET = "/var/run/docker.sock"


class How(StrEnum):
    """How a session comes about: it is open already, a command opens it, or the SDK provides an engine."""

    SESSION = "session"
    COMMAND = "command"
    PROVISION = "provision"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """An engine: `kind` is dagger or embedded, `reason` one line for people, `command` what opens a session (without `session`).

    `variables` are added to the environment of the embedded engine's process: what its containers may do (`pipelines.engine.limits`).
    """

    kind: str
    reason: str
    how: How
    command: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)


def choose(kind: EngineKind, environ: Mapping[str, str], machine: Machine | None = None) -> Choice:
    """The engine to use.

    `auto` takes the first that is there: an open session, a runner host, a dagger program, the embedded engine, a container runtime
    for the SDK to start an engine in. `dagger` leaves the embedded engine out; `embedded` takes nothing else.

    Raises:
        EngineUnavailable: there is none.
        UsageError: the session variables contradict each other.
    """
    if kind is EngineKind.EMBEDDED:
        return _own_session(environ) or embedded("asked for")
    seen = machine or _this_machine(environ)
    found = _session(environ) or _runner(environ, seen) or _program(environ, seen)
    if found is not None:
        return found
    if kind is EngineKind.AUTO:
        return _embedded_or_provision(environ, seen)
    provision = _provision(environ, seen)
    if provision is None:
        raise EngineUnavailable(
            "no Dagger engine can be reached",
            cause=f"no open session, no {RUNNER_HOST}, no dagger on PATH, and no container runtime to start one in",
            next_step="install dagger, or use the embedded engine: LOCKGATE_ENGINE=embedded",
        )
    return provision


def keeps_results(kind: EngineKind, environ: Mapping[str, str], machine: Machine | None = None) -> bool:
    """Whether `choose` would take the embedded engine of this user, if any, by what costs nothing to find out: no session of somebody
    else, no program that stands for an engine.
    """
    if platform.system() != "Linux" or environ.get(SESSION_PORT):
        return False
    if kind is not EngineKind.AUTO:
        return kind is EngineKind.EMBEDDED
    seen = machine or _this_machine(environ)
    return not (environ.get(RUNNER_HOST) or environ.get(CLI_BIN) or seen.which("dagger"))


def embedded(reason: str, system: str = platform.system()) -> Choice:
    """The embedded engine. It is started with this Python, and without the current folder on its path, which may hold other `pipelines`.

    Raises:
        EngineUnavailable: the system is not Linux.
    """
    if system != "Linux":
        raise EngineUnavailable(
            f"the embedded engine runs on Linux only, this is {system}", next_step="use a Dagger engine: LOCKGATE_ENGINE=dagger"
        )
    program = "import sys; from pipelines.engine.embedded.main import main; sys.exit(main())"
    return Choice(kind="embedded", reason=reason, how=How.COMMAND, command=(sys.executable, "-P", "-c", program))


def _this_machine(environ: Mapping[str, str]) -> Machine:
    from pipelines.engine.machine import ThisMachine

    return ThisMachine(environ)


def _session(environ: Mapping[str, str]) -> Choice | None:
    port = environ.get(SESSION_PORT)
    if not port:
        return None
    if not environ.get(SESSION_TOKEN):
        raise UsageError(
            f"{SESSION_PORT} is set, {SESSION_TOKEN} is not",
            cause="one of the two variables of an open session is missing",
            next_step=f"set both, or unset {SESSION_PORT}",
        )
    if not port.isascii() or not port.isdigit() or not 0 < int(port) < 2**16:
        raise UsageError(f"{SESSION_PORT} is not a port number: {port!r}", next_step=f"unset {SESSION_PORT}")
    return _own_session(environ) or Choice(kind="dagger", reason=f"a session is open ({SESSION_PORT})", how=How.SESSION)


def _own_session(environ: Mapping[str, str]) -> Choice | None:
    if environ.get(SESSION_PORT) and environ.get(SESSION_TOKEN) and environ.get(SESSION_KIND) == "embedded":
        return Choice(kind="embedded", reason="session of `lockgate engine run`", how=How.SESSION)
    return None


def _runner(environ: Mapping[str, str], machine: Machine) -> Choice | None:
    if not environ.get(RUNNER_HOST):
        return None
    program = environ.get(CLI_BIN) or machine.which("dagger")
    if program:
        return Choice(kind="dagger", reason=f"{RUNNER_HOST} is set", how=How.COMMAND, command=(program,))
    return Choice(kind="dagger", reason=f"{RUNNER_HOST} is set; no dagger found, so the SDK downloads one", how=How.PROVISION)


def _program(environ: Mapping[str, str], machine: Machine) -> Choice | None:
    if chosen := environ.get(CLI_BIN):
        kind = "embedded" if Path(chosen).name == EMBEDDED_PROGRAM else "dagger"
        return Choice(kind=kind, reason=f"{CLI_BIN} is set", how=How.COMMAND, command=(chosen,))
    program = machine.which("dagger")
    return Choice(kind="dagger", reason=f"dagger found at {program}", how=How.COMMAND, command=(program,)) if program else None


def _embedded_or_provision(environ: Mapping[str, str], machine: Machine) -> Choice:
    from pipelines.engine.probe import missing

    lack = missing(environ, machine)
    if lack is None:
        return embedded("no Dagger found")
    provision = _provision(environ, machine)
    if provision is None:
        raise EngineUnavailable(
            "no engine can run containers here",
            cause=f"no Dagger found; the embedded engine lacks {lack.name}: {lack.detail}",
            next_step=lack.fix or "lockgate doctor",
        )
    return provision


def _provision(environ: Mapping[str, str], machine: Machine) -> Choice | None:
    runtime = environ.get("DOCKER_HOST") or (DOCKER_SOCKET if machine.is_socket(DOCKER_SOCKET) else None) or machine.which("podman")
    if runtime is None:
        return None
    return Choice(kind="dagger", reason=f"container runtime found ({runtime}): the SDK downloads and starts an engine", how=How.PROVISION)

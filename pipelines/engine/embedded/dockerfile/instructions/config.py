"""The instructions that change only the image's config. Those that make files are in ``run.py`` and ``copying.py``."""

from __future__ import annotations

import posixpath
import signal
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.dockerfile.errors import Fault
from pipelines.engine.embedded.dockerfile.instructions.base import Pairs, StageInstruction, expand_pairs
from pipelines.engine.embedded.dockerfile.syntax.numbers import whole_number
from pipelines.engine.embedded.dockerfile.syntax.ports import exposed

if TYPE_CHECKING:
    from pipelines.engine.embedded.dockerfile.syntax.expand import Expander

DEFAULT_SHELL = ("/bin/sh", "-c")
HIGHEST_SIGNAL = 2**31 - 1
MOST_PORTS = 4 * 65536  # of one EXPOSE: more than there are


@dataclass(frozen=True, slots=True)
class CommandLine:
    """What RUN, CMD and ENTRYPOINT name.

    Attributes:
        words: the arguments (exec form), or the one command line (shell form).
        shell: it is the shell form.
    """

    words: tuple[str, ...]
    shell: bool

    def argv(self, shell: tuple[str, ...] = ()) -> tuple[str, ...]:
        """The arguments to run; ``shell`` is the config's ``Shell``, by default ``/bin/sh -c``."""
        return (*(shell or DEFAULT_SHELL), " ".join(self.words)) if self.shell else self.words


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgInstruction(StageInstruction):
    """ARG: build arguments with their default, None where there is none. Their values: ``BuildPlan.arguments``."""

    pairs: tuple[tuple[str, str | None], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvInstruction(StageInstruction):
    """ENV: variables of the image, also of the instructions that follow."""

    pairs: Pairs

    def expand(self, expander: Expander) -> EnvInstruction:
        return replace(self, pairs=expand_pairs(self.pairs, expander))


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelInstruction(StageInstruction):
    """LABEL."""

    pairs: Pairs

    def expand(self, expander: Expander) -> LabelInstruction:
        return replace(self, pairs=expand_pairs(self.pairs, expander))


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkdirInstruction(StageInstruction):
    """WORKDIR: sets the working directory and makes it (0755, owned by the config's user) where it is missing."""

    path: str

    def expand(self, expander: Expander) -> WorkdirInstruction:
        return replace(self, path=expander.word(self.path))

    def resolve(self, current: str) -> str:
        """The absolute path, relative ones taken from the working directory so far."""
        return posixpath.normpath(posixpath.join("/", current, self.path)).replace("//", "/")


@dataclass(frozen=True, slots=True, kw_only=True)
class UserInstruction(StageInstruction):
    """USER: for RUN and for the image."""

    user: str

    def expand(self, expander: Expander) -> UserInstruction:
        return replace(self, user=expander.word(self.user))


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposeInstruction(StageInstruction):
    """EXPOSE: after expansion each port is ``number/protocol``, ranges written out."""

    ports: tuple[str, ...]

    def expand(self, expander: Expander) -> ExposeInstruction:
        ports: dict[str, None] = {}
        count = 0
        for word in (word for text in self.ports for word in expander.split_words(text)):
            found = exposed(word)
            count += len(found)
            if count > MOST_PORTS:
                raise Fault(f"EXPOSE names more than {MOST_PORTS} ports")
            ports.update(dict.fromkeys(found))
        return replace(self, ports=tuple(ports))


@dataclass(frozen=True, slots=True, kw_only=True)
class EntrypointInstruction(StageInstruction):
    """ENTRYPOINT; also clears a CMD that this stage has not set itself. ``ENTRYPOINT []`` clears the entrypoint."""

    command: CommandLine


@dataclass(frozen=True, slots=True, kw_only=True)
class CmdInstruction(StageInstruction):
    """CMD: the default arguments."""

    command: CommandLine


@dataclass(frozen=True, slots=True, kw_only=True)
class ShellInstruction(StageInstruction):
    """SHELL: what the shell form runs in."""

    argv: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthcheckInstruction(StageInstruction):
    """HEALTHCHECK; times in nanoseconds, 0 where not given.

    Attributes:
        test: ``("NONE",)``, ``("CMD", arg, …)`` or ``("CMD-SHELL", command line)``.
    """

    test: tuple[str, ...]
    interval: int = 0
    timeout: int = 0
    start_period: int = 0
    start_interval: int = 0
    retries: int = 0

    def config(self) -> dict[str, Any]:
        """The ``Healthcheck`` object of the image config (Docker image specification), without zeros."""
        values = {
            "Interval": self.interval,
            "Timeout": self.timeout,
            "StartPeriod": self.start_period,
            "StartInterval": self.start_interval,
            "Retries": self.retries,
        }
        return {"Test": list(self.test), **{name: value for name, value in values.items() if value}}


@dataclass(frozen=True, slots=True, kw_only=True)
class StopSignalInstruction(StageInstruction):
    """STOPSIGNAL: a name, with or without SIG, or a number."""

    signal: str

    def expand(self, expander: Expander) -> StopSignalInstruction:
        wanted = expander.word(self.signal)
        if not _is_signal(wanted):
            raise Fault(f"invalid signal: {wanted}")
        return replace(self, signal=wanted)


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeInstruction(StageInstruction):
    """VOLUME: paths noted in the config."""

    paths: tuple[str, ...]

    def expand(self, expander: Expander) -> VolumeInstruction:
        paths = tuple(expander.word(path) for path in self.paths)
        if "" in paths:
            raise Fault("VOLUME specified can not be an empty string")
        return replace(self, paths=paths)


@dataclass(frozen=True, slots=True, kw_only=True)
class OnBuildInstruction(StageInstruction):
    """ONBUILD: an instruction for the config's ``OnBuild``; a stage built from this image runs it first (``trigger_steps``)."""

    trigger: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MaintainerInstruction(StageInstruction):
    """MAINTAINER: the image's author."""

    name: str


def _is_signal(name: str) -> bool:
    if name.isdecimal():
        return bool(whole_number(name, HIGHEST_SIGNAL))
    full = name.upper() if name.upper().startswith("SIG") else f"SIG{name.upper()}"
    base = full.split("+")[0].split("-")[0]
    return base in {"SIGRTMIN", "SIGRTMAX"} or full in signal.Signals.__members__

"""What a recording answers: rules a test gives, the one given last first."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.ops.values.config import Config

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(slots=True)
class ExecRule:
    """How commands that begin with certain words end. Words may hold `*`, `?` and `[…]`; fewer words match more commands.

    Without a rule a command exits 0 and prints nothing.
    """

    command: tuple[str, ...]
    code: int = 0
    out: str = ""
    err: str = ""
    written: dict[str, str] = field(default_factory=dict)

    def matches(self, args: Sequence[str]) -> bool:
        """Whether a command begins with the rule's words."""
        return len(args) >= len(self.command) and all(map(fnmatch.fnmatchcase, args, self.command))

    def prints(self, stdout: str, stderr: str = "") -> ExecRule:
        """What it prints."""
        self.out, self.err = stdout, stderr
        return self

    def exits(self, code: int) -> ExecRule:
        """Its exit code."""
        self.code = code
        return self

    def writes(self, path: str, contents: str) -> ExecRule:
        """A file it writes, by absolute path in the container."""
        self.written[path] = contents
        return self


@dataclass(slots=True)
class RecordingRules:
    """Everything a test said."""

    execs: list[ExecRule] = field(default_factory=list)
    images: dict[str, Config] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)

    def for_command(self, args: Sequence[str]) -> ExecRule:
        """The rule for a command."""
        return next((rule for rule in reversed(self.execs) if rule.matches(args)), ExecRule(()))

    def config(self, ref: str) -> Config:
        """An image's configuration; without a rule it is empty but for PATH."""
        default = Config(env=(("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),))
        return self.images.get(ref, default)


def image_config(settings: Mapping[str, Any]) -> Config:
    """A configuration from keyword settings: env (a mapping), user, workdir, entrypoint, cmd, labels (a mapping)."""
    known = {"env", "labels", "entrypoint", "cmd", "user", "workdir"}
    if unknown := settings.keys() - known:
        raise TypeError(f"an image does not have {', '.join(sorted(unknown))}; known: {', '.join(sorted(known))}")
    return Config(
        env=tuple(settings.get("env", {}).items()),
        labels=tuple(settings.get("labels", {}).items()),
        entrypoint=tuple(settings["entrypoint"]) if "entrypoint" in settings else None,
        cmd=tuple(settings["cmd"]) if "cmd" in settings else None,
        user=settings.get("user", ""),
        workdir=settings.get("workdir", ""),
    )

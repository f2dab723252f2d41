from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipelines.engine.embedded.dockerfile.instructions.base import StageInstruction
from pipelines.engine.embedded.dockerfile.syntax.expand import Expander
from pipelines.engine.embedded.errors import Unsupported

if TYPE_CHECKING:
    from pipelines.engine.embedded.dockerfile.instructions.config import CommandLine
    from pipelines.engine.embedded.dockerfile.instructions.mounts import MountFlag, RunMount
    from pipelines.engine.embedded.dockerfile.syntax.parsed import Heredoc

HEREDOC = re.compile(r"\d*<<(?P<tabs>-?)\s*(?P<word>[^<]*)", re.DOTALL)
TABS = re.compile(r"^\t+", re.MULTILINE)
SCRIPTS = "/dev/pipes"
"""Where a here-document that begins with ``#!`` is mounted, read-only, mode 0755, while it runs."""


@dataclass(frozen=True, slots=True)
class HeredocWord:
    """A word that opens a here-document.

    Attributes:
        name: what ends it.
        expand: its body has variables (the word is not quoted).
        strip: leading tabs are not part of its body (``<<-``).
    """

    name: str
    expand: bool
    strip: bool

    def body(self, content: str) -> str:
        """The body as it counts: without leading tabs where `<<-` says so."""
        return TABS.sub("", content) if self.strip else content


def heredoc_word(text: str) -> HeredocWord | None:
    """The here-document that a whole word opens, or None where it is an ordinary word."""
    found = HEREDOC.fullmatch(text)
    if not found:
        return None
    names, written = Expander().split_words(found["word"]), Expander(keep_quotes=True).split_words(found["word"])
    if len(names) != 1 or len(written) != 1:
        return None
    return HeredocWord(names[0], names[0] == written[0], bool(found["tabs"]))


@dataclass(frozen=True, slots=True)
class Script:
    """A here-document that is a program: mount it at ``path`` with mode 0755 while the command runs."""

    path: str
    content: str


@dataclass(frozen=True, slots=True)
class Invocation:
    """What a RUN starts."""

    argv: tuple[str, ...]
    script: Script | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInstruction(StageInstruction):
    """RUN.

    The command itself is never expanded here: its shell does that.

    Attributes:
        flags: the ``--mount`` flags as written.
        mounts: the same expanded and checked; empty before ``expand``.
        network: default, none or host (refused by ``expand``).
        insecure: ``--security=insecure``: with all capabilities.
        devices: ``--device`` flags (refused by ``expand``).
    """

    command: CommandLine
    heredocs: tuple[Heredoc, ...] = ()
    flags: tuple[MountFlag, ...] = ()
    mounts: tuple[RunMount, ...] = ()
    network: str = "default"
    insecure: bool = False
    devices: tuple[str, ...] = ()

    def expand(self, expander: Expander) -> RunInstruction:
        if self.network == "host":
            raise Unsupported("RUN --network=host")
        if self.devices:
            raise Unsupported("RUN --device")
        return replace(self, mounts=tuple(flag.resolve(expander.word) for flag in self.flags))

    def invocation(self, shell: tuple[str, ...] = ()) -> Invocation:
        """The arguments to run; ``shell`` is the config's ``Shell``.

        A command that is one here-document is run as if its body were the command line, or as a program where it begins with ``#!``;
        in any other command the shell reads the here-documents itself.
        """
        if not self.heredocs:
            return Invocation(self.command.argv(shell))
        line = self.command.words[0]
        word = heredoc_word(line)
        if word is None:
            whole = line + "".join(f"\n{heredoc.content}{heredoc.name}" for heredoc in self.heredocs)
            return Invocation(replace(self.command, words=(whole,)).argv(shell))
        body = word.body(self.heredocs[0].content)
        if body.startswith("#!"):
            path = f"{SCRIPTS}/{word.name}"
            return Invocation(replace(self.command, words=(path,)).argv(shell), Script(path, body))
        return Invocation(replace(self.command, words=(body,)).argv(shell))

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipelines.engine.embedded.dockerfile.errors import Fault
from pipelines.engine.embedded.dockerfile.instructions.base import StageInstruction
from pipelines.engine.embedded.dockerfile.instructions.sources import wild
from pipelines.engine.embedded.dockerfile.syntax import chmod
from pipelines.engine.embedded.errors import Unsupported

if TYPE_CHECKING:
    from pipelines.engine.embedded.dockerfile.instructions.origins import Origin
    from pipelines.engine.embedded.dockerfile.syntax.expand import Expander

REMOTE = re.compile(r"https?://|git://|ssh://|[\w-]+@[\w.-]+:")
"""An URL or a git repository (``git@host:path``)."""

NUMBERS = re.compile(r"\d*(:\d+)?")


@dataclass(frozen=True, slots=True)
class InlineFile:
    """A file written in the Dockerfile: mode 0644, named as its here-document."""

    name: str
    content: str
    expand: bool


@dataclass(frozen=True, slots=True)
class CopySource:
    """A source path of COPY or ADD, absolute inside its origin.

    Attributes:
        path: with wildcards ``*``, ``?`` and ``[…]``; a directory gives its content, a link is followed.
        parents: with ``--parents`` the pattern of what is copied from the directory ``path``, with the folders it lies in.
    """

    path: str
    parents: str | None = None

    @property
    def required(self) -> bool:
        """Whether ``parents`` must match something: it is a path without wildcards."""
        return self.parents is not None and not wild(self.path) and not wild(self.parents)


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyInstruction(StageInstruction):
    """COPY and ADD.

    Attributes:
        paths: sources as written.
        inline: sources written in the Dockerfile, copied after the others.
        dest: as written; ``destination`` gives the path.
        origin: what the sources are read from.
        chown: ``[user][:group]`` by name or number, looked up in the image that is built; empty to keep owners.
        chmod: octal or symbolic (``chmod.apply``); empty to keep modes.
        exclude: patterns of what is left out, relative to each source.
        parents: ``--parents``.
        link: ``--link``: copied into an empty tree, which is laid over the image: links of the destination are not followed.
        unpack: a local tar archive among the sources is unpacked (ADD).
    """

    paths: tuple[str, ...]
    inline: tuple[InlineFile, ...] = ()
    dest: str
    origin: Origin
    chown: str = ""
    chmod: str = ""
    exclude: tuple[str, ...] = ()
    parents: bool = False
    link: bool = False
    unpack: bool = False
    add: bool = False
    checksum: str = ""

    def expand(self, expander: Expander) -> CopyInstruction:
        word = expander.word
        copy = replace(
            self,
            paths=tuple(word(path) for path in self.paths),
            inline=tuple(replace(one, content=expander.heredoc(one.content)) if one.expand else one for one in self.inline),
            dest=word(self.dest),
            chown=word(self.chown),
            chmod=word(self.chmod),
            checksum=word(self.checksum),
        )
        copy.check()
        return copy

    @property
    def linked(self) -> bool:
        """Whether it is done as a layer of its own (BuildKit does not where there is a ``--chmod``)."""
        return self.link and not self.chmod

    def check(self) -> None:
        """Refuse, once expanded, what cannot be copied."""
        chmod.check(self.chmod)
        if self.linked and not NUMBERS.fullmatch(self.chown):
            raise Fault(f"--link needs --chown with numbers, not {self.chown}: it copies into an empty tree, without an /etc/passwd")
        for path in self.paths:
            if REMOTE.match(path) and self.add:
                raise Unsupported(f"ADD from a URL or git repository ({path})")
            if REMOTE.match(path):
                raise Fault("source can't be a URL for COPY" if path.startswith("http") else "source can't be a git ref for COPY")
        if self.checksum:
            raise Fault(
                "checksum can't be specified for multiple sources" if len(self.paths) != 1 else "checksum requires HTTP(S) or Git sources"
            )

    def destination(self, workdir: str) -> str:
        """Absolute destination; it ends in ``/`` where it must be a directory."""
        path = posixpath.normpath(posixpath.join("/", workdir, self.dest)).replace("//", "/")
        directory = self.dest in {"", "."} or self.dest.endswith(("/", "/."))
        return path if path == "/" or not directory else path + "/"

    def sources(self) -> tuple[CopySource, ...]:
        """The source paths, to be resolved inside the origin (``..`` leads nowhere)."""
        return tuple(self._source(path) for path in self.paths)

    def _source(self, path: str) -> CopySource:
        if not self.parents:
            return CopySource(_rooted(path))
        pivot, found, rest = path.partition("/./")
        return CopySource(_rooted(pivot), _rooted(rest).lstrip("/")) if found else CopySource("/", _rooted(path).lstrip("/"))


def _rooted(path: str) -> str:
    return posixpath.normpath("/" + path.lstrip("/"))

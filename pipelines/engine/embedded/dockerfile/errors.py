from __future__ import annotations

from pipelines.engine.codes import Code
from pipelines.engine.embedded.errors import InvalidInput, NotFound

PREFIX = "failed to convert Dockerfile to LLB: "  # a Dagger engine's own words, so programs that look for them find them

LONGEST = 1000  # characters of a reason that are shown


class Fault(Exception):  # noqa: N818 - nobody sees it: who catches it adds the place and makes a DockerfileError of it
    """What is wrong with one instruction, before its file and line are known."""


class DockerfileError(InvalidInput):
    """A Dockerfile that cannot be built as written.

    Attributes:
        line: first line of the instruction, counted from 1; None where the fault concerns the whole file.
        file: the Dockerfile's path in its build context.
    """

    code = Code.DOCKERFILE

    def __init__(self, reason: str, *, line: int | None = None, file: str = "Dockerfile", parsing: bool = True) -> None:
        self.line = line
        self.file = file
        shown = reason if len(reason) <= LONGEST else reason[:LONGEST] + "…"
        super().__init__(PREFIX + _place(line, file, parsing=parsing) + shown)


class MissingSource(NotFound):
    """What COPY or ADD names is not in its source."""

    code = Code.DOCKERFILE


def _place(line: int | None, file: str, *, parsing: bool) -> str:
    if line is None:
        return ""
    kind = "dockerfile parse error" if parsing else "dockerfile error"
    where = "" if file == "Dockerfile" else f" of {file}"
    return f"{kind} on line {line}{where}: "

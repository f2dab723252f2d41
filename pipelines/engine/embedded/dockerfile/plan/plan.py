"""What is to be built: stages with typed steps, and the one place where their words are expanded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from pipelines.engine.embedded.dockerfile.errors import DockerfileError, Fault
from pipelines.engine.embedded.dockerfile.syntax.expand import Expander
from pipelines.engine.embedded.dockerfile.syntax.limit import ExpansionLimit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.engine.embedded.dockerfile.instructions.base import StageInstruction
    from pipelines.engine.embedded.dockerfile.instructions.config import ArgInstruction
    from pipelines.engine.embedded.dockerfile.instructions.origins import Base

S = TypeVar("S", bound="StageInstruction")
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY")


@dataclass(frozen=True, slots=True)
class BuildStage:
    """One FROM and what follows it.

    Attributes:
        index: its place in the file, from 0.
        name: after AS, in lower case; empty where it has none.
        base: what it starts from.
        platform: of its base image, normalised; None for the build's.
        steps: its instructions, words as written.
        text: the FROM line.
        line: of FROM.
    """

    index: int
    name: str
    base: Base
    platform: str | None
    steps: tuple[StageInstruction, ...]
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class BuildPlan:
    """A Dockerfile, one target of it chosen.

    To build a stage: start from its base (a stage is built first, and its variables go on into this one). Put the triggers
    (`trigger_steps`) of the base's config before its own steps and clear them in the config. Then, for each step, `expand` it with the
    variables so far and apply it. The variables are the config's Env, then what ENV and ARG (`arguments`) set, in order: the last one wins.
    RUN sees them all, but only ENV goes into the config.

    Attributes:
        stages: all stages in file order.
        target: index of the one to build.
        needed: the target and the stages it reads from, in an order in which they can be built.
        platform: what the image is for, normalised.
        build_args: what the caller gave.
        global_args: ARGs before the first FROM and the platform ARGs: a stage sees one only after an ARG of its own names it.
        escape: the file's escape character.
        file: the Dockerfile's path in the build context.
        budget: how much text the variables may still expand to.
    """

    stages: tuple[BuildStage, ...]
    target: int
    needed: tuple[int, ...]
    platform: str
    build_args: Mapping[str, str] = field(default_factory=dict)
    global_args: Mapping[str, str] = field(default_factory=dict)
    escape: str = "\\"
    file: str = "Dockerfile"
    budget: ExpansionLimit = field(default_factory=ExpansionLimit, compare=False)

    def expand(self, step: S, variables: Mapping[str, str]) -> S:
        """The step with its words expanded and checked.

        Raises:
            DockerfileError: with the step's line.
            Unsupported: for ``RUN --mount=type=ssh`` and ADD from a URL or git repository.
        """
        try:
            return step.expand(Expander(variables, self.escape, budget=self.budget))
        except Fault as fault:
            raise DockerfileError(str(fault), line=step.line, file=self.file, parsing=False) from None

    def arguments(self, step: ArgInstruction, variables: Mapping[str, str]) -> dict[str, str]:
        """The build arguments an ARG brings into its stage: the caller's value, else its default, else the global one."""
        values = dict(variables)
        found: dict[str, str] = {}
        for name, default in step.pairs:
            value = self._argument(step, name, default, values)
            if value is not None:
                values[name] = found[name] = value
        return found

    def _argument(self, step: ArgInstruction, name: str, default: str | None, variables: Mapping[str, str]) -> str | None:
        if name in self.build_args:
            return self.build_args[name]
        if default is None:
            return self.global_args.get(name)
        try:
            return Expander(variables, self.escape, budget=self.budget).word(default)
        except Fault as fault:
            raise DockerfileError(str(fault), line=step.line, file=self.file, parsing=False) from None

    def proxies(self) -> dict[str, str]:
        """Proxy variables among the build arguments, in both cases: every RUN sees them, no key and no image holds them."""
        given = {name.upper(): value for name, value in self.build_args.items() if name.upper() in PROXIES}
        return {spelling: value for name, value in given.items() for spelling in (name, name.lower())}

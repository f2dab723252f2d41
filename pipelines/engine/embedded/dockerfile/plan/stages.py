"""A Dockerfile to a plan: stages, their names, the arguments of FROM, the target."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pipelines.engine.embedded.dockerfile.errors import DockerfileError, Fault
from pipelines.engine.embedded.dockerfile.instructions import translate
from pipelines.engine.embedded.dockerfile.instructions.config import ArgInstruction
from pipelines.engine.embedded.dockerfile.instructions.origins import Base, ImageRef, Origin, Scratch, StageRef
from pipelines.engine.embedded.dockerfile.plan import order
from pipelines.engine.embedded.dockerfile.plan.plan import BuildPlan, BuildStage
from pipelines.engine.embedded.dockerfile.syntax import flags
from pipelines.engine.embedded.dockerfile.syntax.expand import Expander
from pipelines.engine.embedded.dockerfile.syntax.limit import ExpansionLimit
from pipelines.engine.embedded.dockerfile.syntax.numbers import whole_number
from pipelines.engine.embedded.dockerfile.syntax.parse import parse
from pipelines.engine.embedded.dockerfile.syntax.suggest import hint
from pipelines.engine.embedded.errors import InvalidInput
from pipelines.engine.embedded.images import platforms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pipelines.engine.embedded.dockerfile.instructions.base import StageInstruction
    from pipelines.engine.embedded.dockerfile.syntax.parse import Dockerfile
    from pipelines.engine.embedded.dockerfile.syntax.parsed import ParsedInstruction
    from pipelines.engine.embedded.images.platforms import Platform

STAGE_NAME = re.compile(r"[a-z][a-z0-9\-_.]*")
NAMED = 3  # words of ``FROM base AS name`` after FROM


def plan(
    text: str,
    *,
    target: str = "",
    build_args: Mapping[str, str] | None = None,
    platform: str = "",
    file: str = "Dockerfile",
) -> BuildPlan:
    """Read a Dockerfile.

    Blocks for about 20 ms the first time a text is seen (the parser is a process of its own).

    Args:
        text: the file.
        target: name or empty for the last stage.
        build_args: values for ARGs.
        platform: what to build for, by default this machine's.
        file: its path in the build context, for messages.

    Raises:
        DockerfileError: for a file that cannot be built as written.
        InvalidInput: for an unknown platform.
    """
    return plan_of(parse(text, file), target=target, build_args=build_args, platform=platform)


def plan_of(parsed: Dockerfile, *, target: str = "", build_args: Mapping[str, str] | None = None, platform: str = "") -> BuildPlan:
    """As `plan`, of a file that is parsed."""
    file = parsed.file
    wanted = platforms.parse(platform) if platform else platforms.host()
    draft = _Draft(dict(build_args or {}), parsed.escape, file)
    draft.read(parsed.nodes)
    draft.set_globals(wanted, target)
    stages = tuple(draft.stage(index) for index in range(len(draft.parts)))
    order.refuse_circles(stages, file)
    index = _target(target, stages)
    needed = order.needed(stages, index, file)
    return BuildPlan(stages, index, needed, str(wanted), draft.build_args, draft.globals, parsed.escape, file, draft.budget)


@dataclass(slots=True)
class _Part:
    """A FROM and its instructions, names not yet looked up."""

    node: ParsedInstruction
    name: str
    base: str
    platform: str
    nodes: list[ParsedInstruction] = field(default_factory=list)


@dataclass(slots=True)
class _Draft:
    """A file of which a plan is being made."""

    build_args: dict[str, str]
    escape: str
    file: str
    parts: list[_Part] = field(default_factory=list)
    heads: list[tuple[ParsedInstruction, ArgInstruction]] = field(default_factory=list)
    globals: dict[str, str] = field(default_factory=dict)
    budget: ExpansionLimit = field(default_factory=ExpansionLimit)

    def fail(self, reason: object, node: ParsedInstruction) -> DockerfileError:
        return DockerfileError(str(reason), line=node.line, file=self.file)

    def read(self, nodes: tuple[ParsedInstruction, ...]) -> None:
        """Split the file at its FROMs; every instruction is checked, also in stages that the target does not need."""
        for node in nodes:
            try:
                self._read(node)
            except Fault as fault:
                raise self.fail(fault, node) from None
        if not self.parts:
            raise DockerfileError("dockerfile contains no stages to build", file=self.file)

    def _read(self, node: ParsedInstruction) -> None:
        if node.name == "FROM":
            self.parts.append(_part(node))
            return
        step = translate.step(node, ImageRef)
        if self.parts:
            self.parts[-1].nodes.append(node)
        elif isinstance(step, ArgInstruction):
            self.heads.append((node, step))
        else:
            raise Fault("no build stage in current context")

    def set_globals(self, platform: Platform, target: str) -> None:
        """Values of the platform ARGs, then of the ARGs before the first FROM."""
        automatic = _automatic(platform, target or self.parts[-1].name or "default")
        self.globals = {name: self.build_args.get(name, value) for name, value in automatic.items()}
        for node, step in self.heads:
            for name, default in step.pairs:
                value = self.build_args.get(name) if name in self.build_args or default is None else self._word(default, node)
                if value is not None:
                    self.globals[name] = value

    def _word(self, text: str, node: ParsedInstruction) -> str:
        try:
            return Expander(self.globals, self.escape, budget=self.budget).word(text)
        except Fault as fault:
            raise self.fail(fault, node) from None

    def stage(self, index: int) -> BuildStage:
        part = self.parts[index]
        find = self.finder()
        steps = tuple(self._step(node, find) for node in part.nodes)
        return BuildStage(index, part.name, self._base(part, index), self._platform(part), steps, part.node.text, part.node.line)

    def _step(self, node: ParsedInstruction, find: Callable[[str], Origin]) -> StageInstruction:
        try:
            return translate.step(node, find)
        except Fault as fault:
            raise self.fail(fault, node) from None

    def finder(self) -> Callable[[str], Origin]:
        return lambda name: lookup({part.name: index for index, part in enumerate(self.parts) if part.name}, len(self.parts), name)

    def _base(self, part: _Part, index: int) -> Base:
        name = self._word(part.base, part.node)
        if not name:
            raise self.fail(f"base name ({part.base}) should not be blank", part.node)
        earlier = {other.name: place for place, other in enumerate(self.parts[:index]) if other.name}
        if name in earlier:
            return StageRef(earlier[name])
        return Scratch() if name == "scratch" else ImageRef(name)

    def _platform(self, part: _Part) -> str | None:
        if not part.platform:
            return None
        text = self._word(part.platform, part.node)
        if not text:
            raise self.fail(f"empty platform value from expression {part.platform}", part.node)
        try:
            return str(platforms.parse(text))
        except InvalidInput as error:
            raise self.fail(f"failed to parse platform {part.platform}: {error}", part.node) from None


def lookup(names: Mapping[str, int], count: int, name: str) -> Origin:
    """What ``--from=name`` means among ``count`` stages: an index, a stage's name, ``scratch`` or an image."""
    if re.fullmatch("[+-]?[0-9]+", name):
        index = whole_number(name.removeprefix("+"), count - 1)
        if index is None:
            raise Fault(f"invalid stage index {name}")
        return StageRef(index)
    if name.lower() in names:
        return StageRef(names[name.lower()])
    return Scratch() if name == "scratch" else ImageRef(name)


def _part(node: ParsedInstruction) -> _Part:
    words = node.args
    named = len(words) == NAMED and words[1].lower() == "as"
    if not named and len(words) != 1:
        raise Fault("FROM requires either one or three arguments")
    name = words[2].lower() if named else ""
    if named and not STAGE_NAME.fullmatch(name):
        raise Fault(f'invalid name for build stage: "{words[2]}", name can\'t start with a number or contain symbols')
    given = flags.read(node.flags, texts=("platform",))
    return _Part(node, name, words[0], given.text("platform"))


def _automatic(target: Platform, stage: str) -> dict[str, str]:
    """The ARGs every Dockerfile has (Dockerfile reference, "Automatic platform ARGs in the global scope")."""
    values: dict[str, str] = {}
    for kind, platform in (("BUILD", platforms.host()), ("TARGET", target)):
        values |= {
            f"{kind}PLATFORM": str(platform),
            f"{kind}OS": platform.os,
            f"{kind}OSVERSION": "",
            f"{kind}ARCH": platform.architecture,
            f"{kind}VARIANT": platform.variant,
        }
    return values | {"TARGETSTAGE": stage}


def _target(name: str, stages: tuple[BuildStage, ...]) -> int:
    if not name:
        return len(stages) - 1
    found = [stage.index for stage in stages if stage.name == name.lower()]
    if not found:
        raise DockerfileError(f'target stage "{name}" could not be found' + hint(name, (stage.name for stage in stages if stage.name)))
    return found[-1]


def trigger_steps(plan: BuildPlan, stage: BuildStage, expressions: Iterable[str]) -> tuple[StageInstruction, ...]:
    """The steps of ONBUILD triggers, placed at the stage's FROM line."""
    return tuple(_trigger_step(plan, stage, expression) for expression in expressions)


def _trigger_step(plan: BuildPlan, stage: BuildStage, expression: str) -> StageInstruction:
    nodes = parse(expression, plan.file).nodes
    names = {other.name: other.index for other in plan.stages if other.name}
    try:
        if len(nodes) != 1:
            raise Fault("onbuild trigger should be a single expression")
        step = translate.step(replace(nodes[0], line=stage.line), lambda name: lookup(names, len(plan.stages), name))
    except Fault as fault:
        raise DockerfileError(f"ONBUILD {expression}: {fault}", line=stage.line, file=plan.file) from None
    order.check(stage, step, plan.stages, plan.file)
    return step

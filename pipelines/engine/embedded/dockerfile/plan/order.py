"""Which stages a stage needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.engine.embedded.dockerfile.errors import DockerfileError
from pipelines.engine.embedded.dockerfile.instructions.copy import CopyInstruction
from pipelines.engine.embedded.dockerfile.instructions.origins import StageRef
from pipelines.engine.embedded.dockerfile.instructions.run import RunInstruction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.engine.embedded.dockerfile.instructions.base import StageInstruction
    from pipelines.engine.embedded.dockerfile.plan.plan import BuildStage


def refuse_circles(stages: Sequence[BuildStage], file: str) -> None:
    """Refuse stages that read from each other in a circle, or from themselves, whether they are needed or not."""
    reads = [{one.index: step.line for step in stage.steps for one in references(step)} for stage in stages]
    for stage in stages:
        if isinstance(stage.base, StageRef):
            reads[stage.index].setdefault(stage.base.index, stage.line)
    done: set[int] = set()
    for stage in stages:
        _walk(stage.index, reads, done, stages, file)


def _walk(start: int, reads: Sequence[dict[int, int]], done: set[int], stages: Sequence[BuildStage], file: str) -> None:
    """Depth first, without Python's stack: a file may have any number of stages."""
    path, open_ = [start], {start}
    pending = [iter(reads[start].items())] if start not in done else []
    while pending:
        found = next(((index, line) for index, line in pending[-1] if index not in done), None)
        if found is None:
            pending.pop()
            open_.discard(last := path.pop())
            done.add(last)
            continue
        index, line = found
        if index in open_:
            raise DockerfileError(f"circular dependency detected on stage: {title(stages[index])}", line=line, file=file, parsing=False)
        path.append(index)
        open_.add(index)
        pending.append(iter(reads[index].items()))


def references(step: StageInstruction) -> tuple[StageRef, ...]:
    """The stages one instruction reads from."""
    origins = (
        (step.origin,)
        if isinstance(step, CopyInstruction)
        else tuple(flag.origin for flag in step.flags)
        if isinstance(step, RunInstruction)
        else ()
    )
    return tuple(origin for origin in origins if isinstance(origin, StageRef))


def check(stage: BuildStage, step: StageInstruction, stages: Sequence[BuildStage], file: str) -> None:
    """Refuse to read from a stage that is not finished before this one."""
    for reference in references(step):
        if reference.index == stage.index:
            raise DockerfileError(f"circular dependency detected on stage: {title(stage)}", line=step.line, file=file, parsing=False)
        if reference.index > stage.index:
            verb = "copy" if isinstance(step, CopyInstruction) else "mount"
            reason = (
                f'cannot {verb} from stage "{title(stages[reference.index])}", it needs to be defined before current stage "{title(stage)}"'
            )
            raise DockerfileError(reason, line=step.line, file=file, parsing=False)


def needed(stages: Sequence[BuildStage], target: int, file: str) -> tuple[int, ...]:
    """Indexes of the target and of the stages it reads from, directly or not, in file order; triggers of base images not counted."""
    found: set[int] = set()
    todo = [target]
    while todo:
        stage = stages[todo.pop()]
        if stage.index in found:
            continue
        found.add(stage.index)
        for step in stage.steps:
            check(stage, step, stages, file)
            todo += [reference.index for reference in references(step)]
        if isinstance(stage.base, StageRef):
            todo.append(stage.base.index)
    return tuple(sorted(found))


def title(stage: BuildStage) -> str:
    """How messages call a stage."""
    return stage.name or f"stage-{stage.index}"

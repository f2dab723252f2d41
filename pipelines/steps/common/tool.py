"""Runs a tool (Trivy, k6) that writes a file, in an image that need not have a shell.

The tool takes the file's name from a variable of its own (`TRIVY_OUTPUT`, `K6_SUMMARY_EXPORT`). That variable is volatile and names the
file after this run's stamp: what is found afterwards tells which run the tool really ran in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipelines.errors import StepFailed
from pipelines.steps.common.replay import Stamp, has_volatile

if TYPE_CHECKING:
    from collections.abc import Sequence

    import dagger

    from pipelines.steps.common.step_inputs import StepInputs

OUTPUT = "/lockgate/output"
ROOT_USER = "0:0"
"""The user of tools. Both numbers: in an image without /etc/passwd a Dagger engine cannot look up the group of a user."""
_SUFFIX = ".json"
_PLAIN = f"report{_SUFFIX}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOption:
    """How a tool is told where to write: by a variable, or by a flag on engines without volatile variables."""

    variable: str
    flag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolOutput:
    """What a tool left: its file's text (empty if it wrote none), both output streams, its exit code."""

    text: str = field(repr=False)
    output: str = field(repr=False)
    exit_code: int = 0
    stamp: Stamp | None = None


async def run_tool(
    step_inputs: StepInputs, container: dagger.Container, command: Sequence[str], option: ReportOption, *, any_exit: bool = False
) -> ToolOutput:
    """Run the tool, whose working directory is `OUTPUT`, and read its file.

    Raises:
        dagger.ExecError: it exits with another code than 0, unless `any_exit`.
        StepFailed: it exits with 0 and leaves no file.
    """
    import dagger

    arguments = list(command)
    if await has_volatile(step_inputs.client):
        container = container.with_volatile_variable(option.variable, f"{Stamp.now(step_inputs.context.run_id)}{_SUFFIX}")
    else:
        arguments = [*arguments, option.flag, _PLAIN]
    done = container.with_exec(arguments, expect=dagger.ReturnType.ANY if any_exit else dagger.ReturnType.SUCCESS)
    output = await done.combined_output()
    exit_code = await done.exit_code() if any_exit else 0
    names = [name for name in await done.directory(OUTPUT).entries() if name.endswith(_SUFFIX)]
    if not names:
        if exit_code == 0:
            raise StepFailed(f"{arguments[0]} did not write a report", cause="it succeeded, but did not write the report to its path")
        return ToolOutput(text="", output=output, exit_code=exit_code)
    text = await done.directory(OUTPUT).file(names[0]).contents()
    return ToolOutput(text=text, output=output, exit_code=exit_code, stamp=Stamp.read(names[0].removesuffix(_SUFFIX)))

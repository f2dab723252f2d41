"""ExecOp: a command in a container, the file systems it leaves and its output."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pipelines.engine.embedded.errors import ExecError
from pipelines.engine.embedded.images import platforms
from pipelines.engine.embedded.ops.commands.command import ContainerCommand, source_of
from pipelines.engine.embedded.ops.commands.setup import ContainerSetup
from pipelines.engine.embedded.ops.interface import ComputedOp
from pipelines.engine.embedded.ops.tasks import in_thread
from pipelines.engine.embedded.ops.values.digest import digest_of
from pipelines.engine.embedded.ops.values.op import Op, OpOutput
from pipelines.engine.embedded.progress import LineSplitter
from pipelines.engine.embedded.sandbox.services.runner import while_up
from pipelines.foundation.regular_files import reading

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipelines.engine.embedded.ops.interface import ClientSession
    from pipelines.engine.embedded.ops.values.op import Op, OpOutput


SIGNALS = range(128, 192)
ALSO_RUNS = {"amd64": "386", "arm64": "arm"}
KEPT_OUTPUT = 128 * 1024  # bytes of each stream that an error carries, the last ones: enough to see the reason, small enough to send


class ExecOp(ComputedOp):
    """`inputs[0]` is the root file system, the others are the mounts' sources in order."""

    kind = "exec"
    __slots__ = ("command",)

    def __init__(self, rootfs: Op, command: ContainerCommand) -> None:
        super().__init__(command.recipe(), [rootfs, *command.sources()])
        self.command = command

    def describe(self) -> str:
        return self.command.shown()

    async def key(self, session: ClientSession, inputs: Sequence[OpOutput]) -> str:
        contents = [inputs[0].snapshot.id]
        sources = [source for mount in self.command.mounts if (source := source_of(mount)) is not None]
        for source, output in zip(sources, inputs[1:], strict=True):
            contents.append(await session.content(output.snapshot, source.path))
        return digest_of(self.kind, self.command.recipe(), contents)

    async def run(self, session: ClientSession, inputs: Sequence[OpOutput], key: str) -> OpOutput:
        setup = ContainerSetup(session, self.command, inputs)
        feed = LineSplitter(session.progress, asyncio.get_running_loop().call_later)
        try:
            await setup.prepare()
            exit_ = await while_up(setup.used, session.runtime.run(setup.spec(), feed.add))
            if not expected(self.command.expect, exit_.code):
                raise self._error(session.platform, exit_.code, setup)
            return await in_thread(setup.commit, key, exit_.code)
        finally:
            feed.close()
            await setup.close()

    def _error(self, host: str, code: int, setup: ContainerSetup) -> ExecError:
        stdout, stderr = (end_of(setup.streams[name]) for name in ("stdout", "stderr"))
        return ExecError(self.command.args, code, stdout, stderr, f"exit code: {code}{foreign(self.command.platform, host)}")


def foreign(platform: str, host: str) -> str:
    """A note for the failure of a container that is made for other machines: its programs may not run here at all. Else empty."""
    mine, theirs = (platforms.parse(one).architecture for one in (host, platform or host))
    if theirs == mine or theirs == ALSO_RUNS.get(mine):
        return ""
    return f" (the container is for {platform}, this machine is {host}: its programs need an emulator registered in binfmt_misc)"


def expected(expect: str, code: int) -> bool:
    """Whether an exit code is one of those a command may end with (Dagger's ReturnType: SUCCESS, FAILURE, ANY).

    A command that a signal ended has a code from 128 to 191: never expected, because what it left unfinished is unknown.
    """
    if expect == "SUCCESS":
        return code == 0
    return code not in SIGNALS and (expect == "ANY" or code != 0)


def end_of(path: Path) -> str:
    """The end of a stream, as an error carries it: at most `KEPT_OUTPUT` bytes, without the last newline."""
    with reading(path) as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - KEPT_OUTPUT))
        return file.read().decode(errors="replace").removesuffix("\n")

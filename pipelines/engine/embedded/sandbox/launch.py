"""Calls the OCI runtime: one program start per command, which returns when the command runs."""

from __future__ import annotations

import asyncio
import functools
import json
import os
import re
import signal
from contextlib import ExitStack
from typing import TYPE_CHECKING

from pipelines.engine.codes import Code
from pipelines.engine.embedded.child import Child, start
from pipelines.engine.embedded.errors import EngineError, InvalidInput
from pipelines.engine.embedded.sandbox.output import ContainerOutput

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.engine.embedded.child import Ended
    from pipelines.engine.embedded.sandbox.binary import RuntimeBinary
    from pipelines.engine.embedded.sandbox.cgroups.starter import Starter
    from pipelines.engine.embedded.sandbox.output import StandardStreams

# The runtime is a short-lived Go program: it ends before collecting garbage pays.
_ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "GOGC": "off"}
_ABOUT_THE_COMMAND = re.compile(r"(?:container process|process caused|failed): (exec: .*?)(?:: unknown)?$", re.DOTALL)  # runc
_NOT_FOUND = re.compile(r"executable file `(.*)` not found in \$PATH")  # crun
DEADLINE = 60.0  # seconds the runtime has to start a container: it takes 0.02 where nothing is wrong
_MESSAGE = 4096  # bytes of an error that was not logged
_NO_FOLDER = re.compile(r"error during container init: mkdir (.*): (.*?)$")  # runc makes the working directory
_NOT_EXECUTABLE = re.compile(r"open executable: (.*)$")  # crun


class CannotStart(EngineError):  # noqa: N818 - reads as a sentence where it is raised
    """The command itself could not be started: not found, not executable. The container was set up."""

    code = Code.COMMAND_FAILED


class Launch:
    """The runtime calls for one container.

    Args:
        binary: the runtime.
        root: the directory the runtime keeps its state in.
        bundle: the container's bundle; its name is the container's id.
        cgroups: whether the container has a cgroup.
        starter: starts the runtime.
    """

    def __init__(self, binary: RuntimeBinary, root: Path, bundle: Path, *, cgroups: bool, starter: Starter) -> None:
        self._starter = starter
        self._binary = binary
        self._bundle = bundle
        self._log = bundle / "log"
        self._options = ["--root", str(root), "--log", str(self._log), "--log-format", "json", *_cgroup_options(binary, cgroups=cgroups)]

    async def run(self, streams: StandardStreams) -> tuple[Child, ContainerOutput]:
        """Create the container and start its command.

        Raises:
            CannotStart: the command cannot be started: it is missing or cannot be executed.
            EngineError: anything else went wrong.
        """
        return await self._start(["run", "--bundle", str(self._bundle)], "pid", streams)

    async def exec(self, process: Path, streams: StandardStreams) -> tuple[Child, ContainerOutput]:
        """Start another command in the container; `process` holds its OCI process object. Raises like `run`."""
        return await self._start(["exec", "--process", str(process)], f"{process.name}.pid", streams)

    async def _start(self, call: list[str], pid_name: str, streams: StandardStreams) -> tuple[Child, ContainerOutput]:
        pid_file = self._bundle / pid_name
        argv = [self._binary.path.name, *self._options, *call, "--detach", "--pid-file", str(pid_file), self._bundle.name]
        with ExitStack() as failing:
            out, child_out = os.pipe()
            failing.callback(os.close, out)
            err, child_err = _pipe_or_close(child_out)
            failing.callback(os.close, err)
            runtime = await self._spawn(argv, streams.stdin, child_out, child_err)
            ended = await _in_time(runtime)
            if ended.code != 0:
                raise problem(self._log, err, ended.signal)
            child = Child(int(pid_file.read_text()))
            output = ContainerOutput(out, err, streams)
            failing.pop_all()
        return child, output

    async def _spawn(self, argv: list[str], stdin: bytes | Path | None, out: int, err: int) -> Child:
        """The runtime gets the container's own pipes and hands them on: nothing is copied between."""
        try:
            given = _open_stdin(stdin)
            try:
                binary = self._binary.executable
                call = functools.partial(start, argv, executable=binary, env=_ENVIRONMENT, stdio=(given, out, err))
                return Child(await self._starter.start(self._bundle.name, call))
            finally:
                os.close(given)
        finally:
            os.close(out)
            os.close(err)


def _pipe_or_close(fd: int) -> tuple[int, int]:
    """A pipe; where there can be none, `fd` is closed."""
    try:
        return os.pipe()
    except OSError:
        os.close(fd)
        raise


async def _in_time(starter: Child) -> Ended:
    try:
        return await asyncio.wait_for(starter.wait(), DEADLINE)
    except TimeoutError as problem:
        starter.send(signal.SIGKILL)
        raise EngineError(f"the container could not be started: the OCI runtime did not finish within {DEADLINE:.0f} s") from problem


def _open_stdin(stdin: bytes | Path | None) -> int:
    if not isinstance(stdin, bytes):
        return os.open(stdin or os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    memory = os.memfd_create("stdin", os.MFD_CLOEXEC)
    with os.fdopen(os.dup(memory), "wb") as file:
        file.write(stdin)
    os.lseek(memory, 0, os.SEEK_SET)
    return memory


def _cgroup_options(binary: RuntimeBinary, *, cgroups: bool) -> list[str]:
    if binary.path.name == "crun":
        return ["--cgroup-manager", "cgroupfs" if cgroups else "disabled"]
    return [] if cgroups else ["--rootless", "true"]


def problem(log: Path, err: int, killed_by: int | None = None) -> EngineError:
    """The error that the runtime's last message means; when it was killed without a message, the error says that."""
    message = _last_error(log) or os.read(err, _MESSAGE).decode(errors="replace").strip()
    if not message:
        how = "gave no reason" if killed_by is None else f"was ended by signal {killed_by}; memory may be short ([engine] memory)"
        message = f"the OCI runtime {how}"
    if found := _ABOUT_THE_COMMAND.search(message):
        return CannotStart(found[1])
    if found := _NOT_FOUND.search(message):
        return CannotStart(f'exec: "{found[1]}": executable file not found in $PATH')
    if found := _NOT_EXECUTABLE.search(message):
        return CannotStart(f"exec: {found[1]}")
    if found := _NO_FOLDER.search(message):
        return InvalidInput(f"the container could not be started: the directory {found[1]} cannot be made: {found[2]}")
    return EngineError(f"the container could not be started: {message}")


def _last_error(log: Path) -> str:
    try:
        lines = log.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    entries = [json.loads(line) for line in lines if line.startswith("{")]
    return next((str(entry["msg"]) for entry in reversed(entries) if entry.get("level") == "error"), "")

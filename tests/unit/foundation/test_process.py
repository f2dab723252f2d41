from __future__ import annotations

import asyncio
import os
import select
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from pipelines.foundation.process.blocking import run_blocking
from pipelines.foundation.process.result import Completed, OutputTooLarge, ProcessTimeout, StopTimes
from pipelines.foundation.process.running import INHERIT, OPEN, run, start

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pipelines.foundation.process.handle import Process

    Runner = Callable[..., Awaitable[Completed]]

QUICK = StopTimes(terminate_s=0.2)


async def blocking(argv: list[str], **options: Any) -> Completed:
    return await asyncio.to_thread(run_blocking, argv, **options)


@pytest.fixture(params=[run, blocking], ids=["loop", "thread"])
def runner(request: pytest.FixtureRequest) -> Runner:
    return request.param  # type: ignore[no-any-return]


def sh(script: str) -> list[str]:
    return ["sh", "-c", script]


def gone(pid: int) -> bool:
    """Whether no such process runs; the kernel may need a moment to end one that was killed."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], 10)[0])
    finally:
        os.close(descriptor)


class Heard:
    """Takes output, and tells when some has come."""

    def __init__(self) -> None:
        self.text = ""
        self.some = asyncio.Event()

    def take(self, data: bytes) -> None:
        self.text += data.decode()
        self.some.set()


async def test_output_and_exit_code(runner: Runner) -> None:
    done = await runner(sh("echo out; echo err >&2; exit 3"))
    assert (done.code, done.signal, done.text, done.complaint) == (3, None, "out\n", "err")


async def test_a_signal_is_told_from_an_exit_code(runner: Runner) -> None:
    done = await runner(sh("kill -TERM $$"))
    assert (done.code, done.signal) == (143, signal.SIGTERM)


async def test_input_environment_and_folder(runner: Runner, tmp_path: Path) -> None:
    done = await runner(sh("cat; echo $NAME; pwd"), stdin=b"given\n", env={"NAME": "value", "PATH": os.environ["PATH"]}, cwd=tmp_path)
    assert done.text.splitlines() == ["given", "value", str(tmp_path)]


async def test_without_input_there_is_nothing_to_read(runner: Runner) -> None:
    assert (await runner(sh("cat | wc -c"), timeout_s=20)).text.strip() == "0"


async def test_much_in_both_directions_at_once(runner: Runner) -> None:
    data = os.urandom(3 << 20)
    assert (await runner(["cat"], stdin=data)).stdout == data


async def test_input_nobody_reads_is_no_error(runner: Runner) -> None:
    assert (await runner(["true"], stdin=b"x" * (1 << 20))).code == 0


async def test_a_program_that_is_not_there(runner: Runner) -> None:
    with pytest.raises(FileNotFoundError):
        await runner(["lockgate-no-such-program"])


async def test_of_standard_error_the_end_is_kept(runner: Runner) -> None:
    done = await runner(sh("i=0; while [ $i -lt 3000 ]; do echo line $i >&2; i=$((i+1)); done"), stderr_kept=100)
    assert len(done.stderr) == 100
    assert done.complaint.endswith("line 2999")


async def test_a_program_that_prints_too_much_is_stopped(runner: Runner) -> None:
    with pytest.raises(OutputTooLarge, match="more than 1000 bytes"):
        await runner(["cat", "/dev/zero"], stdout_limit=1000)


async def test_the_deadline_ends_it_and_what_it_started(runner: Runner, tmp_path: Path) -> None:
    script = f"echo said >&2; sleep 600 & echo $! > {tmp_path}/pid; wait"
    with pytest.raises(ProcessTimeout, match=r"sh did not end within 0.5 s") as caught:
        await runner(sh(script), timeout_s=0.5, stop=QUICK)
    assert caught.value.stderr == b"said\n"
    assert gone(int((tmp_path / "pid").read_text()))


async def test_one_that_ignores_signals_is_killed(runner: Runner) -> None:
    began = time.monotonic()
    with pytest.raises(ProcessTimeout):
        await runner(sh("trap '' INT TERM; while :; do sleep 1; done"), timeout_s=0.3, stop=StopTimes(interrupt_s=0.1, terminate_s=0.1))
    assert time.monotonic() - began < 5


async def test_signals_come_in_order_and_each_has_its_time(runner: Runner, tmp_path: Path) -> None:
    script = f"trap 'echo int >> {tmp_path}/got' INT; trap 'echo term >> {tmp_path}/got; exit 0' TERM; while :; do sleep 0.05; done"
    with pytest.raises(ProcessTimeout):
        await runner(sh(script), timeout_s=0.5, stop=StopTimes(interrupt_s=0.5, terminate_s=5))
    assert (tmp_path / "got").read_text().split() == ["int", "term"]


async def test_a_background_process_does_not_keep_the_caller(runner: Runner) -> None:
    began = time.monotonic()
    done = await runner(sh("sleep 600 & echo $!"))
    assert time.monotonic() - began < 10
    os.kill(int(done.text), signal.SIGKILL)


async def test_it_leads_a_session_of_its_own_unless_asked_otherwise(runner: Runner) -> None:
    command = [sys.executable, "-c", "import os; print(os.getsid(0) == os.getpid())"]
    assert (await runner(command)).text == "True\n"
    assert (await runner(command, own_session=False)).text == "False\n"


async def test_a_cancelled_caller_leaves_no_process() -> None:
    heard = Heard()
    task = asyncio.create_task(run(sh("echo $$; sleep 600"), stop=QUICK, on_stdout=heard.take))
    await heard.some.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert gone(int(heard.text))


async def test_cancelled_while_it_starts_leaves_no_process(tmp_path: Path) -> None:
    task = asyncio.create_task(run(sh(f"trap '' TERM; touch {tmp_path}/began; sleep 600"), stop=QUICK))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not [entry for entry in Path("/proc").glob("[0-9]*/cmdline") if str(tmp_path).encode() in _read(entry)]


async def test_a_scope_that_is_cancelled_waits_for_the_end() -> None:
    heard = Heard()
    script = "trap 'echo end; exit' TERM; echo began; while :; do sleep 0.05; done"
    async with anyio.create_task_group() as group:
        group.start_soon(lambda: run(sh(script), stop=StopTimes(terminate_s=20), on_stdout=heard.take))
        await heard.some.wait()
        group.cancel_scope.cancel()
    assert heard.text == "began\nend\n"


async def test_callbacks_take_output_as_it_comes_and_their_errors_end_it() -> None:
    taken: list[bytes] = []
    done = await run(sh("echo one; echo two >&2"), on_stdout=taken.append, on_stderr=taken.append)
    assert (sorted(taken), done.stdout, done.stderr) == ([b"one\n", b"two\n"], b"", b"")

    def refuse(_data: bytes) -> None:
        raise ValueError("enough")

    with pytest.raises(ValueError, match="enough"):
        await run(sh("echo one; sleep 600"), on_stdout=refuse, stop=QUICK)


async def test_a_started_program_is_talked_to_and_stopped() -> None:
    heard: list[bytes] = []
    process: Process = await start(["cat"], stdin=OPEN, on_stdout=heard.append)
    process.write(b"hello")
    process.close_stdin()
    assert (await process.wait(), heard) == (0, [b"hello"])
    process.send(signal.SIGTERM)  # too late, and no error

    process = await start(sh("cat; echo end"), stdin=OPEN, on_stdout=heard.append)
    process.write(b"hello")
    await process.stop(StopTimes(stdin_s=20))
    assert (await process.wait(), b"".join(heard[1:])) == (0, b"helloend\n")

    process = await start(["sleep", "600"], on_stderr=INHERIT)
    assert not await process.ended_within(0)
    await process.stop()
    assert await process.wait() == 128 + signal.SIGTERM


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""

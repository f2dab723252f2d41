from __future__ import annotations

import asyncio
import os
import signal

import pytest

from pipelines.engine.embedded.child import Child, Ended, spawn

LIBC_OWN = (
    0b11 << 31
)  # 32 and 33 belong to the C library: what posix_spawn(3) starts (make does) has one ignored, and nobody may change that


def sh(script: str, stdout: int | None = None) -> Child:
    nothing = os.open(os.devnull, os.O_RDWR)
    try:
        out = nothing if stdout is None else stdout
        return spawn(["sh", "-c", script], executable="/bin/sh", env={"PATH": "/usr/bin:/bin"}, stdio=(nothing, out, nothing))
    finally:
        os.close(nothing)


async def said(script: str) -> str:
    """What a script wrote to standard output."""
    out, child_out = os.pipe()
    child = sh(script, child_out)
    os.close(child_out)
    with os.fdopen(out) as file:
        text = await asyncio.to_thread(file.read)
    await child.wait()
    return text.strip()


async def test_exit_codes_and_signals_are_told_apart() -> None:
    assert await sh("exit 7").wait() == Ended(7, None)
    assert await sh("kill -TERM $$").wait() == Ended(128 + signal.SIGTERM, signal.SIGTERM)


async def test_many_may_wait_and_giving_up_does_not_hurt_the_process() -> None:
    child = sh("read never; exit 3 <&0")
    waiting = asyncio.ensure_future(child.wait())
    waiting.cancel()
    first, second = await asyncio.gather(child.wait(), child.wait())
    assert first == second == Ended(3, None)
    assert not child.running


async def test_signals_to_what_has_ended_are_lost() -> None:
    """The system refuses to signal a process that is not there."""
    child = sh("exit 0")
    await child.wait()
    child.send(signal.SIGKILL)


async def test_a_program_starts_with_signals_as_they_are_by_default() -> None:
    ignored = await said("grep SigIgn /proc/self/status")
    assert int(ignored.split()[1], 16) & ~LIBC_OWN == 0  # Python itself ignores SIGPIPE


async def test_whether_a_signal_is_heeded_is_seen() -> None:
    out, child_out = os.pipe()
    child = sh("trap 'kill $!; exit 5' TERM; sleep 1000 & echo ready; wait", child_out)
    os.close(child_out)
    with os.fdopen(out) as file:
        assert await asyncio.to_thread(file.readline) == "ready\n"
    assert child.handles(signal.SIGTERM)
    assert not child.handles(signal.SIGHUP)
    child.send(signal.SIGTERM)
    assert (await child.wait()).code == 5
    assert not child.handles(signal.SIGTERM)


async def test_what_does_not_exist_cannot_be_started() -> None:
    with pytest.raises(FileNotFoundError):
        spawn(["x"], executable="/no/such/program", env={}, stdio=(3, 4, 5))

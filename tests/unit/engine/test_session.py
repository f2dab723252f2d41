"""Sessions of small programs that play the engine: real processes, real pipes."""

from __future__ import annotations

import os
import select
import sys
from typing import TYPE_CHECKING

import anyio
import pytest

from pipelines.engine.lifetime import Lifetime
from pipelines.engine.session import SessionAddress, kill_sessions, start_session
from pipelines.engine.watch import watching_end
from pipelines.errors import EngineUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

GREET = """print('{"port": 4711, "session_token": "secret"}', flush=True)"""
WAIT = "sys.stdin.read()"


def program(*lines: str) -> tuple[str, ...]:
    return (sys.executable, "-S", "-c", "\n".join(("import os, signal, sys, time", *lines)))


def ignore(_line: str) -> None:
    """Drop a line."""


def start(
    command: tuple[str, ...],
    log: Callable[[str], None] = ignore,
    *,
    start_s: float = 20,
    end_s: float = 20,
    lifetime: Lifetime | None = None,
) -> AbstractAsyncContextManager[SessionAddress]:
    return start_session(command, environ=dict(os.environ), log=log, start_s=start_s, end_s=end_s, lifetime=lifetime)


async def test_a_session_opens_and_ends_when_stdin_closes(tmp_path: Path) -> None:
    ended = tmp_path / "ended"
    lines: list[str] = []
    command = program("print('hello', file=sys.stderr)", GREET, WAIT, f"open({str(ended)!r}, 'w').write(' '.join(sys.argv))")
    async with start(command, lines.append) as session:
        assert session == SessionAddress(4711, "secret")
        assert not ended.exists()
    assert ended.read_text().startswith("-c session --label dagger.io/sdk.name:python --label dagger.io/sdk.version:")
    assert lines == ["hello"]


async def test_the_token_is_not_in_a_repr() -> None:
    assert "secret" not in repr(SessionAddress(1, "secret"))


async def test_an_outer_session_is_not_handed_down(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    command = program(f"open({str(seen)!r}, 'w').write(str([n for n in os.environ if 'SESSION' in n]))", GREET, WAIT)
    environ = dict(os.environ) | SessionAddress(1, "outer").variables("embedded")
    async with start_session(command, environ=environ, log=ignore, start_s=20, end_s=20):
        pass
    assert "DAGGER_SESSION" not in seen.read_text()
    assert "LOCKGATE_SESSION" not in seen.read_text()


async def test_a_program_that_is_not_there() -> None:
    with pytest.raises(EngineUnavailable, match=r"cannot be started: /no/such/program: No such file"):
        async with start(("/no/such/program",)):
            pass


async def test_an_early_end_tells_the_last_words() -> None:
    with pytest.raises(EngineUnavailable, match="ended before it was open") as caught:
        async with start(program("print('no runc here', file=sys.stderr)", "sys.exit(4)")):
            pass
    assert caught.value.cause == "no runc here"


async def test_no_greeting_in_time() -> None:
    with anyio.fail_after(20), pytest.raises(EngineUnavailable, match=r"printed nothing within 0\.2 s"):
        async with start(program("signal.pause()"), start_s=0.2, end_s=300):
            pass


@pytest.mark.parametrize("line", ["hello", "{}", '{"port": "x", "session_token": "t"}', "[1]", "x" * 100_000])
async def test_a_first_line_that_is_no_greeting(line: str) -> None:
    with pytest.raises(EngineUnavailable, match="is not a greeting"):
        async with start(program(f"print({line!r}, flush=True)", WAIT)):
            pass


async def test_a_session_that_does_not_end_is_terminated() -> None:
    """Without the end after its time this waits until the test's own limit."""
    async with start(program(GREET, "signal.pause()"), end_s=0.1):
        pass


async def test_what_happens_inside_comes_out_as_it_is() -> None:
    with pytest.raises(ZeroDivisionError):
        async with start(program(GREET, WAIT)):
            raise ZeroDivisionError


async def test_cancellation_still_ends_the_session(tmp_path: Path) -> None:
    ended = tmp_path / "ended"
    with anyio.CancelScope() as scope:
        async with start(program(GREET, WAIT, f"open({str(ended)!r}, 'w')")):
            scope.cancel()
            await anyio.sleep_forever()
    assert ended.exists()


async def test_long_output_arrives_whole() -> None:
    lines: list[str] = []
    async with start(program("sys.stderr.write('x' * 200_000 + '\\n' + 'end')", GREET, WAIT), lines.append):
        pass
    assert "".join(lines) == "x" * 200_000 + "end"
    assert lines[-1].endswith("end")


async def test_kill_leaves_nobody() -> None:
    command = program(
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)",
        "child = os.fork()",
        "child or print(os.getpid(), file=sys.stderr)",
        "child or signal.pause()",
        GREET,
        "signal.pause()",
    )
    heard = anyio.Event()
    children: list[int] = []

    def log(line: str) -> None:
        children.append(os.pidfd_open(int(line)))
        heard.set()

    async with start(command, log):
        await heard.wait()
        kill_sessions()
    ended, _, _ = select.select(children, [], [], 20)
    os.close(children[0])
    assert ended == children


async def test_a_process_that_ends_while_it_is_needed_is_told_at_once() -> None:
    lifetime = Lifetime()
    command = program(GREET, "print('the engine is gone', file=sys.stderr)")
    async with start(command, lifetime=lifetime):
        with anyio.fail_after(20):
            error = await lifetime.lost()
    assert (error.message, error.cause) == ("the engine session ended while it was needed", "the engine is gone")


@pytest.mark.parametrize(
    ("end", "cause"),
    [
        (
            "os.kill(os.getpid(), signal.SIGKILL)",
            "its process was ended by SIGKILL, by a person or because memory was short; note: the end is near",
        ),
        ("os.kill(os.getpid(), signal.SIGTERM)", "its process was ended by SIGTERM; note: the end is near"),
        ("sys.exit(3)", "note: the end is near"),
    ],
)
async def test_what_commands_printed_is_not_why_a_session_ended(end: str, cause: str) -> None:
    lines = ["\x1e\tnote: the end is near", "\x1e00aa\texec: make 0.1s", "\x1e00aa\t| compiled", "| untagged output", "> part"]
    lifetime = Lifetime()
    said = f"sys.stderr.write({''.join(f'{line}{chr(10)}' for line in lines)!r}); sys.stderr.flush()"
    async with start(program(GREET, said, end), lifetime=lifetime):
        with anyio.fail_after(20):
            error = await lifetime.lost()
    assert error.cause == cause


async def test_a_process_that_ends_because_it_is_closed_is_not_lost() -> None:
    lifetime = Lifetime()
    async with start(program(GREET, WAIT), lifetime=lifetime):
        pass
    assert lifetime.error is None


async def test_a_session_that_does_not_end_is_killed_when_nobody_waits_for_it() -> None:
    lifetime = Lifetime()
    with anyio.fail_after(20):
        async with start(program(GREET, "signal.signal(signal.SIGTERM, signal.SIG_IGN)", "signal.pause()"), lifetime=lifetime, end_s=300):
            lifetime.shorten_waits(grace_s=0)


async def test_a_session_whose_engine_goes_away_is_not_waited_for(tmp_path: Path) -> None:
    lifetime = Lifetime()
    async with watching_end(f"unix://{tmp_path}/none", lifetime, every_s=0.01, grace_s=0):
        with anyio.fail_after(100):
            async with start(program(GREET, WAIT, "time.sleep(1000)"), end_s=1000, lifetime=lifetime):
                pass


async def test_a_stop_shortens_an_end_that_is_waited_for_already() -> None:
    lifetime = Lifetime()

    async def shorten_waits() -> None:
        await closing.wait()
        lifetime.shorten_waits(grace_s=0)

    closing = anyio.Event()
    with anyio.fail_after(20):
        async with anyio.create_task_group() as group:
            group.start_soon(shorten_waits)
            async with start(program(GREET, "signal.pause()"), lifetime=lifetime, end_s=300):
                closing.set()

"""Where the engine lives: namespaces that end, with all processes and mounts in them, when the session ends or is killed.

Three processes: the caller, outside; process 1 of a new PID namespace, which only reaps orphans, so that the engine's own children
are its own to wait for; and the engine. The kernel kills a PID namespace with its process 1, and process 1 with its parent: `kill -9` of
any of the three ends everything.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from pipelines.engine.embedded import kernel, userns
from pipelines.engine.embedded.errors import UNAVAILABLE, EmbeddedUnavailable, EngineError

if TYPE_CHECKING:
    from collections.abc import Callable

NAMESPACES = kernel.CLONE_NEWPID | kernel.CLONE_NEWIPC
READY = b"ok\n"
FAILED = 1
INTERNAL = 70
READER_LEFT = 128 + signal.SIGPIPE
MASKED_PROC = "in a container, unmask /proc (Docker: --security-opt systempaths=unconfined; Kubernetes: procMount: Unmasked)"


class JailInfo(NamedTuple):
    """What runs inside is told this.

    Attributes:
        stop: a pipe's read end (file descriptor): at its end of file the work is to stop in good order.
        rootless: inside a user namespace.
        mapped: more ids than 0 exist here.
    """

    stop: int
    rootless: bool
    mapped: bool


class RunningJail:
    """A jail with something running inside, seen from outside."""

    def __init__(self, pid: int, status: int, stop: int, info: JailInfo) -> None:
        self.pid = pid
        self.status = status  # file descriptor: end of file when the jail is gone
        self.info = info
        self._stop = stop

    def ready(self) -> None:
        """Wait until the engine runs.

        Raises:
            EmbeddedUnavailable: the jail could not be built.
        """
        said = os.read(self.status, 4096)
        if said != READY:
            self.wait()
            raise EmbeddedUnavailable(said.decode(errors="replace").strip() or "the namespaces of the engine could not be set up")

    def stop(self) -> None:
        """Ask for an orderly end. May be called again."""
        if self._stop >= 0:
            os.close(self._stop)
            self._stop = -1

    def kill(self) -> None:
        """End everything inside, now."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> int:
        """Wait for the end; exit code, or minus the number of the signal that killed it."""
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def start(inside: Callable[[JailInfo], int], run_dir: str, *, rootless: bool = False) -> RunningJail:
    """Run `inside` in a jail; its result is the exit code. This process then can start no others: its children would be in there too.

    Args:
        inside: what the engine process does.
        run_dir: a folder to mount the jail's own tmpfs on.
        rootless: use a user namespace even as root.

    Raises:
        EmbeddedUnavailable: namespaces are refused; the message names the setting to change.
    """
    try:
        os.makedirs(run_dir, mode=0o700, exist_ok=True)  # noqa: PTH103 - pathlib would cost the start-up 8 ms
    except OSError as error:
        raise EmbeddedUnavailable(f"cannot make {run_dir}: {error.strerror}; set LOCKGATE_CACHE to a folder that you own") from error
    is_rootless, mapped = _unshare(rootless=rootless)
    status, status_writer = os.pipe()
    stop, stopper = os.pipe()
    info = JailInfo(stop, is_rootless, mapped)
    sys.stdout.flush()
    pid = os.fork()
    if not pid:
        os.close(status)
        os.close(stopper)
        _process_one(inside, info, run_dir, status_writer)
    os.close(status_writer)
    os.close(stop)
    return RunningJail(pid, status, stopper, info)


def _unshare(*, rootless: bool) -> tuple[bool, bool]:
    """Enter new namespaces: as root without a user namespace where that is allowed. Returns (rootless, ids are mapped)."""
    if not rootless and os.geteuid() == 0:
        try:
            kernel.unshare(NAMESPACES)
        except OSError as error:
            if error.errno not in {errno.EPERM, errno.ENOSYS}:
                raise  # else root of a container without CAP_SYS_ADMIN, or with a seccomp profile that refuses unshare
        else:
            return False, True
    mapped = userns.enter()
    try:
        kernel.unshare(NAMESPACES)
    except OSError as error:
        raise EmbeddedUnavailable(f"namespaces are refused ({error.strerror}): {userns.remedy()}") from error
    return True, mapped


def _process_one(inside: Callable[[JailInfo], int], info: JailInfo, run_dir: str, status_writer: int) -> NoReturn:
    """Process 1 of the jail: builds it, starts the engine, reaps whatever is orphaned, and ends with the engine."""
    try:
        kernel.die_with_parent(signal.SIGKILL)  # if the parent is dead already, the engine finds `stop` at its end
        os.setsid()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        _mount(run_dir)
        engine = os.fork()
    except OSError as error:
        where = f" {error.filename2 or error.filename}" if error.filename else ""
        os.write(status_writer, f"the namespaces of the engine could not be set up:{where} {error.strerror}; {_why(info)}\n".encode())
        os._exit(UNAVAILABLE)
    if not engine:
        os._exit(_run(inside, info))
    os.write(status_writer, READY)
    os._exit(_reap_until(engine))


def _mount(run_dir: str) -> None:
    kernel.unshare(kernel.CLONE_NEWNS)
    kernel.make_private()
    kernel.mount("proc", "/proc", "proc", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC)
    kernel.mount("tmpfs", run_dir, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "mode=700")


def _why(info: JailInfo) -> str:
    return MASKED_PROC if info.rootless else "the runner must allow mounts (Docker: --privileged, or run as an ordinary user)"


def _run(inside: Callable[[JailInfo], int], info: JailInfo) -> int:
    os.umask(0o022)  # modes of what is built must not depend on who builds
    try:
        return inside(info)
    except EngineError as error:
        print(f"engine: {error.message}", file=sys.stderr)  # noqa: T201 - the session's log
        return UNAVAILABLE if isinstance(error, EmbeddedUnavailable) else FAILED
    except BrokenPipeError:
        return READER_LEFT
    except BaseException:  # noqa: BLE001 - the last one who can say it
        import traceback

        traceback.print_exc()
        return INTERNAL
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(BrokenPipeError):
                stream.flush()


def _reap_until(engine: int) -> int:
    while True:
        pid, status = os.wait()
        if pid == engine:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code

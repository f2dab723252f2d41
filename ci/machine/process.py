"""Which process is which: a pid alone is reused sooner or later, a pid with its start time in one boot is not."""

from __future__ import annotations

import os
import select
import signal
from pathlib import Path

from ci.machine.errors import SetupError

STOP_GRACE_S = 10


def started(pid: int, proc: Path = Path("/proc")) -> str | None:
    """When this process started: boot id and clock ticks since boot (field 22 of proc_pid_stat(5)).

    None if there is no such process, or only a zombie.
    """
    try:
        stat = (proc / str(pid) / "stat").read_text()
        boot = (proc / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()  # the name in field 2 may hold spaces and brackets
    state, ticks = fields[0], fields[19]
    return None if state in "ZX" else f"{boot}/{ticks}"


def stop(pid: int, start: str, *, grace_s: float = STOP_GRACE_S) -> bool:
    """Terminate, and after a grace kill, exactly that process; False if it was not running any more.

    The process is held by a pidfd while its start time is compared, so a signal cannot reach another one that got its pid.

    Raises:
        PermissionError: it belongs to somebody else.
        SetupError: it survived.
    """
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    try:
        if started(pid) != start:
            return False
        for number in (signal.SIGTERM, signal.SIGKILL):
            signal.pidfd_send_signal(handle, number)
            if select.select([handle], [], [], grace_s)[0]:
                return True
    finally:
        os.close(handle)
    raise SetupError(f"process {pid} does not end", next_step=f"look at it: ps -fp {pid}")

"""Run a command as an ordinary user nobody has been before: `python become.py JOB.json`. To be started as root; changes nothing outside.

Everything the user needs but may not reach (an interpreter below /root, a checkout in a closed home) is opened by mounts of this process's
own, as are subordinate ids and the tun device.
"""

from __future__ import annotations

import json
import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

from pipelines.engine.embedded import kernel

NAME = "lockgate-test"
TUN = Path("/dev/net/tun")


@dataclass(frozen=True)
class Job:
    """What to run, and as whom.

    Attributes:
        uid: user and group.
        argv: the command, its program by full path.
        environ: its variables.
        cwd: where.
        needs: paths it must be able to read.
        scratch: a folder for mounts of ours.
        subordinate: the content of /etc/subuid and /etc/subgid as the user sees them.
        tun: whether the user may open /dev/net/tun.
        masked: whether part of /proc is hidden, as container runtimes do.
    """

    uid: int
    argv: list[str]
    environ: dict[str, str]
    cwd: str
    needs: list[str]
    scratch: str
    subordinate: str
    tun: bool = True
    masked: bool = False


def main() -> None:
    job = Job(**json.loads(Path(sys.argv[1]).read_text()))
    kernel.unshare(kernel.CLONE_NEWNS)
    kernel.make_private()
    scratch = Path(job.scratch)
    kernel.mount("tmpfs", scratch, "tmpfs", data="mode=755")
    _open_ways([Path(path) for path in job.needs], scratch)
    home = job.environ["HOME"]
    for name, line in (("passwd", f"{NAME}:x:{job.uid}:{job.uid}::{home}:/bin/sh\n"), ("group", f"{NAME}:x:{job.uid}:\n")):
        known = (Path("/etc") / name).read_text()
        _replace(Path("/etc") / name, scratch / name, f"{known.rstrip()}\n{line}")  # newuidmap wants its caller to have a name
    for name in ("subuid", "subgid"):
        _replace(Path("/etc") / name, scratch / name, job.subordinate)
    _device(scratch / "tun", 0o666 if job.tun else 0o600)
    if job.masked:
        kernel.mount("tmpfs", "/proc/bus", "tmpfs", kernel.MS_RDONLY)
    os.setgroups([])
    os.setresgid(job.uid, job.uid, job.uid)
    os.setresuid(job.uid, job.uid, job.uid)
    os.chdir(job.cwd)
    os.execve(job.argv[0], job.argv, job.environ)


def _open_ways(needs: list[Path], scratch: Path) -> None:
    """Lay an open folder over each closed one on the way to `needs`, with only them in it."""
    closed: dict[Path, list[Path]] = {}
    for path in needs:
        for folder in reversed(path.parents):
            if not folder.stat().st_mode & stat.S_IXOTH:
                closed.setdefault(folder, []).append(path)
                break
    for number, (folder, paths) in enumerate(closed.items()):
        kept = []
        for place, path in enumerate(dict.fromkeys(paths)):
            aside = scratch / f"need-{number}-{place}"
            aside.mkdir()
            kernel.bind(path, aside)
            kept.append((aside, path))
        kernel.mount("tmpfs", folder, "tmpfs", data="mode=755")
        for aside, path in kept:
            path.mkdir(parents=True, exist_ok=True)
            kernel.bind(aside, path)


def _replace(path: Path, stand_in: Path, content: str) -> None:
    stand_in.write_text(content)
    stand_in.chmod(0o644)
    if path.exists():
        kernel.bind(stand_in, path)


def _device(stand_in: Path, mode: int) -> None:
    """A tun device for the user, as set-up would leave it on a machine of theirs."""
    if TUN.exists():
        os.mknod(stand_in, stat.S_IFCHR, os.makedev(10, 200))
        stand_in.chmod(mode)
        kernel.bind(stand_in, TUN)


if __name__ == "__main__":
    main()

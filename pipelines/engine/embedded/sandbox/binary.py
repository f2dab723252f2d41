"""The programs a container is started with: the OCI runtime, and an init process where one is installed."""

from __future__ import annotations

import fcntl
import os
import shutil
import struct
from dataclasses import dataclass
from pathlib import Path

from pipelines.engine.embedded.errors import EmbeddedUnavailable
from pipelines.foundation.process.blocking import run_blocking
from pipelines.foundation.process.result import ProcessError

_RUNTIMES = ("runc", "crun")
_INITS = ("catatonit", "tini-static", "docker-init", "tini")
_ADMIN_PATHS = "/usr/local/sbin:/usr/sbin:/sbin"  # an ordinary user's PATH may lack them
_ELF, _PT_INTERP = b"\x7fELF", 3
_F_ADD_SEALS, _ALL_SEALS = 1033, 0xF  # fcntl(2): seal, shrink, grow, write


@dataclass(frozen=True, slots=True)
class RuntimeBinary:
    """The runtime as it is started: from a sealed copy in memory (`memory`, a descriptor) where that could be made."""

    path: Path
    memory: int | None
    seccomp: bool

    @property
    def executable(self) -> str:
        return str(self.path) if self.memory is None else f"/proc/{os.getpid()}/fd/{self.memory}"

    def close(self) -> None:
        """Release the copy in memory."""
        if self.memory is not None:
            os.close(self.memory)


def find_runtime(name: str | None = None) -> RuntimeBinary:
    """The OCI runtime to use: `name`, else runc, else crun (which wants CAP_SYS_RESOURCE to filter devices as root).

    The runtime would copy itself at every start, so that a container cannot overwrite the host's program (CVE-2019-5736); a sealed copy
    in memory is what it makes, and one that exists already it uses as it is.

    Raises:
        EmbeddedUnavailable: none is installed, or it does not run.
    """
    path = _which(*((name,) if name else _RUNTIMES))
    if path is None:
        wanted = name or " or ".join(_RUNTIMES)
        raise EmbeddedUnavailable(f"no OCI runtime: {wanted} is not on PATH. Install it (Debian: apt install runc), or use a Dagger engine")
    try:
        version = run_blocking([str(path), "--version"], timeout_s=10).text
    except (OSError, ProcessError) as error:
        raise EmbeddedUnavailable(f"the OCI runtime {path} does not say its version: {error}") from None
    return RuntimeBinary(path, _sealed_copy(path), "libseccomp" in version or "+SECCOMP" in version)


def find_init() -> Path | None:
    """An init program that runs in any root file system, that is: a statically linked one."""
    for name in _INITS:
        path = _which(name)
        if path is not None and is_static(path):
            return path
    return None


def is_static(path: Path) -> bool:
    """Whether an ELF program (elf(5), 64 bit, little endian) asks for no interpreter."""
    with path.open("rb") as file:
        header = file.read(64)
        if len(header) < 64 or header[:6] != _ELF + b"\x02\x01":  # noqa: PLR2004 - the header's size
            return False
        (offset,) = struct.unpack_from("<Q", header, 32)
        size, count = struct.unpack_from("<HH", header, 54)
        file.seek(offset)
        table = file.read(size * count)
    return all(struct.unpack_from("<I", table, n * size)[0] != _PT_INTERP for n in range(len(table) // size))


def _which(*names: str) -> Path | None:
    search = os.pathsep.join([os.environ.get("PATH", os.defpath), _ADMIN_PATHS])
    found = next((path for name in names if (path := shutil.which(name, path=search))), None)
    return Path(found) if found else None


def _sealed_copy(path: Path) -> int | None:
    """A copy in memory that cannot be changed; None where the kernel does not have such files (memfd_create(2))."""
    try:
        memory = os.memfd_create(path.name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    except OSError:
        return None
    with path.open("rb") as program:
        while os.sendfile(memory, program.fileno(), None, 1 << 30):
            pass
    fcntl.fcntl(memory, _F_ADD_SEALS, _ALL_SEALS)
    return memory

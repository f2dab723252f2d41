"""Unix sockets of the machine, shown to containers under another owner."""

from __future__ import annotations

import asyncio
import os
import socket
from typing import TYPE_CHECKING

from pipelines.engine.embedded.network.forward import StreamForward

if TYPE_CHECKING:
    from pathlib import Path


def forward_unix(source: Path, target: Path, *, uid: int = 0, gid: int = 0, mode: int = 0o600) -> StreamForward:
    """Listen on a new socket `target` and carry every connection to the socket `source`, until `close`; `target` stays behind.

    Raises:
        OSError: `target` cannot be made.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(str(target))
        os.chown(target, uid, gid)
        target.chmod(mode)
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return StreamForward(listener, lambda: _connect(source))


async def _connect(path: Path) -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    made.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(made, str(path))
    except BaseException:
        made.close()
        raise
    return made

"""A rootless session that prints, as JSON, what its containers saw: `rootless_session.py FOLDER PORT FILE`.

PORT is one of the machine's loopback, FILE one of its files: containers are to reach neither.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded import jail
from pipelines.engine.embedded.errors import EngineError
from pipelines.engine.embedded.network.switch import Switch
from pipelines.engine.embedded.sandbox.runtime import Runtime
from pipelines.engine.embedded.sandbox.spec import Bind, CaptureFiles, ContainerSpec, SecretFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.engine.embedded.network.lease import Lease

CONNECT = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 0.5)"


class Session:
    def __init__(self, folder: Path) -> None:
        (folder / "state").mkdir()
        (folder / "rootfs/etc").mkdir(parents=True)
        (folder / "rootfs/etc/passwd").write_text("root:x:0:0::/root:/bin/sh\n")
        self.folder = folder
        self.binds = tuple(self._programs())
        self.runtime = Runtime(folder / "state", rootless=True)
        self.seen: dict[str, Any] = {}

    def _programs(self) -> Iterator[Bind]:
        for name in ("usr", "bin", "lib", "lib64"):
            real, shown = Path("/", name), self.folder / "rootfs" / name
            if real.is_symlink():
                shown.symlink_to(real.readlink())
            elif real.is_dir():
                shown.mkdir()
                yield Bind(real, f"/{name}", readonly=True)

    async def run(self, name: str, *args: str, lease: Lease | None = None, **changes: Any) -> None:
        capture = CaptureFiles(self.folder / "out", self.folder / "err")
        spec = ContainerSpec(self.folder / "rootfs", args, mounts=self.binds, network=lease, capture=capture, **changes)
        try:
            end = await self.runtime.run(spec)
        except EngineError as error:
            self.seen[name] = error.message
        else:
            self.seen[name] = [end.code, capture_text(capture.stdout), capture_text(capture.stderr)]

    async def serve(self, port: str, file: str) -> None:
        async with Switch.open(self.folder) as switch:
            here, there = [await switch.lease() for _ in range(2)]
            await self.run("who", "sh", "-c", "id -u; grep CapEff /proc/self/status")
            secret = SecretFile("/run/pw", b"value")
            await self.run("secret", "sh", "-c", "stat -c '%a %u' /run/pw; cat /run/pw", secrets=(secret,), masks=(b"value",))
            await self.run("files", "sh", "-c", f"test -e {file} && echo reached; ls -d /proc/[0-9]* | wc -l")
            gateway = here.ip.rsplit(".", 2)[0] + ".0.1"
            for address in ("127.0.0.1", gateway, "10.0.2.2", "169.254.1.1"):
                await self.run(f"loopback {address}", "/usr/bin/python3", "-c", CONNECT, address, port, lease=here)
            await self.run("neighbour", "/usr/bin/python3", "-c", CONNECT, there.ip, "9", lease=here)
            await self.run("other user", "id", "-u", user="1000")
            await self.run("devices", "sh", "-c", "mknod /tmp/fuse c 10 229 && cat /tmp/fuse; echo > /dev/null && echo null")
            await self._cancel()
        await self.runtime.close()

    async def _cancel(self) -> None:
        ready = asyncio.Event()
        spec = ContainerSpec(self.folder / "rootfs", ("sh", "-c", "echo ready; sleep 1000"), mounts=self.binds)
        task = asyncio.ensure_future(self.runtime.run(spec, lambda *_: ready.set()))
        await ready.wait()
        task.cancel()
        await asyncio.wait({task})
        self.seen["left"] = [str(path) for name in ("bundles", "runtime") for path in (self.folder / "state" / name).iterdir()]


def capture_text(path: Path | None) -> str:
    return path.read_text() if path else ""


def inside(_: jail.JailInfo) -> int:
    folder, port, file = sys.argv[1:]
    session = Session(Path(folder))
    asyncio.run(session.serve(port, file))
    sys.stdout.write(json.dumps(session.seen))
    return 0


if __name__ == "__main__":
    jailed = jail.start(inside, sys.argv[1], rootless=True)
    jailed.ready()
    sys.exit(jailed.wait())

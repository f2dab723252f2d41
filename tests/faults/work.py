"""Work whose outcome is known beforehand, whoever does it and however often."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import dagger

SIZE = 200_000
WRITE = f"""
mkdir -p /d/$PIECE/sub && cd /d/$PIECE
yes $PIECE | head -c {SIZE} > big
echo $PIECE > name; ln -s ../name sub/link; ln big sub/hard; chown 7:8 name; rm -r /usr/share/doc
sha256sum < big
"""
READ = "cat /d/$PIECE/sub/link; stat -c %u:%g /d/$PIECE/name; sha256sum < /d/$PIECE/sub/hard; test ! -e /usr/share/doc && echo removed"


@dataclass(frozen=True)
class Piece:
    """Execs, copies and a publish that belong together."""

    name: str

    @property
    def digest(self) -> str:
        line = f"{self.name}\n".encode()
        return hashlib.sha256((line * (SIZE // len(line) + 1))[:SIZE]).hexdigest()

    def written(self, base: dagger.Container) -> dagger.Container:
        return base.with_env_variable("PIECE", self.name).with_exec(["sh", "-c", WRITE])

    async def check(self, client: dagger.Client, image: str) -> None:
        """Do it, or have it from the store: either way the answers must be these."""
        written = self.written(client.container().from_(image))
        assert await written.stdout() == f"{self.digest}  -\n", self.name
        cached = written.with_mounted_cache("/cache", client.cache_volume("faults"))
        read = cached.with_exec(["sh", "-c", f"touch /cache/$PIECE; {READ}"])
        assert await read.stdout() == f"{self.name}\n7:8\n{self.digest}  -\nremoved\n", self.name
        copied = client.directory().with_directory("in", written.directory("/d")).with_new_file("top", self.name)
        folder = f"in/{self.name}/"
        assert await copied.glob("**") == [
            "in/",
            *(folder + one for one in ("", "big", "name", "sub/", "sub/hard", "sub/link")),
            "top",
        ], self.name
        assert await copied.file(f"in/{self.name}/sub/link").contents() == f"{self.name}\n", self.name

    async def publish(self, client: dagger.Client, image: str, address: str) -> None:
        """Send it to a registry, which checks every digest, and read it back from there."""
        reference = await self.written(client.container().from_(image)).publish(f"{address}:{self.name}")
        back = client.container().from_(reference)
        assert await back.file(f"/d/{self.name}/name").contents() == f"{self.name}\n", self.name
        assert not await back.rootfs().exists("usr/share/doc"), self.name

"""Other programs that build images, where they are installed and answer. Nothing is installed, and no daemon is started."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.processes import cpu_of_programs, run

if TYPE_CHECKING:
    from pathlib import Path

ANSWERS_S = 20


@dataclass(frozen=True)
class Peer:
    """A program that builds an image from a Dockerfile.

    Attributes:
        name: the column's.
        probe: a command that succeeds where it can build.
        command: what builds the current folder.
        daemons: programs that do the work for it; what they use counts too.
    """

    name: str
    probe: tuple[str, ...]
    command: tuple[str, ...]
    daemons: tuple[str, ...] = ()

    def is_there(self) -> bool:
        """Whether it is installed and answers."""
        if shutil.which(self.probe[0]) is None:
            return False
        try:
            return subprocess.run(self.probe, capture_output=True, check=False, timeout=ANSWERS_S).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    def build(self, folder: Path, tag: str) -> float:
        """Seconds of processor time of a build of `folder`, the daemons' included."""
        before = cpu_of_programs(self.daemons)
        own = run([*self.command, "-t", f"{tag}:bench", "."], folder, {**os.environ, "DOCKER_BUILDKIT": "1"}).cpu_s
        return own + cpu_of_programs(self.daemons) - before


ALL = (
    Peer("docker (BuildKit)", ("docker", "info"), ("docker", "build", "-q"), ("dockerd", "containerd", "buildkitd")),
    Peer("buildah", ("buildah", "info"), ("buildah", "build", "-q", "--layers", "--tls-verify=false")),
    Peer("podman", ("podman", "info"), ("podman", "build", "-q", "--layers", "--tls-verify=false")),
)


def installed() -> list[Peer]:
    """The peers that answer here."""
    return [peer for peer in ALL if peer.is_there()]

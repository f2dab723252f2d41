"""`python -m ci.base`: the standard base image, made by this repository's own pipeline, and its line in the lock files.

Nothing is done while Dockerfile.base, lockgate.toml and the image underneath are what they were and the registry still has the result.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ci.machine import lock
from ci.machine.errors import SetupError
from ci.machine.paths import Paths
from ci.machine.registry import answers
from ci.published import by_digest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NAME = "base"
UNDERNEATH = "python"
INPUTS = ("Dockerfile.base", "lockgate.toml")


def main(checkout: Path, shared: Path) -> int:
    """Make the image if it has to be made; `shared` is the lock of this user's other projects."""
    projects = (checkout, checkout / "examples/shop")
    try:
        key = key_of(checkout, lock.read(lock.path(checkout)))
        if all(is_current(lock.read(lock.path(project)).get(NAME), key) for project in projects):
            share(shared, lock.read(lock.path(checkout))[NAME])
            return 0
        code = subprocess.run([sys.executable, "-m", "pipelines", "run"], cwd=checkout, check=False).returncode
        if code:
            return code
        record(projects, published(checkout / ".lockgate/reports/run.json"), key)
        share(shared, lock.read(lock.path(checkout))[NAME], again=True)
    except SetupError as error:
        print(f"ci.base: {error}", file=sys.stderr)
        return 1
    return 0


def key_of(checkout: Path, images: Mapping[str, lock.Locked]) -> str:
    """What decides the image.

    Raises:
        SetupError: set-up has not been here.
    """
    if UNDERNEATH not in images:
        raise SetupError(f"no image {UNDERNEATH} in {lock.path(checkout)}", next_step="run ci/setup")
    digest = hashlib.sha256(images[UNDERNEATH].reference.encode())
    for name in INPUTS:
        digest.update((checkout / name).read_bytes())
    return digest.hexdigest()[:12]


def is_current(locked: lock.Locked | None, key: str) -> bool:
    """Made from the same inputs, and still in the registry."""
    if locked is None or locked.key != key:
        return False
    host, _, path = locked.reference.partition("/")
    repository, _, digest = path.partition("@")
    name, _, port = host.partition(":")
    return name == "localhost" and answers(int(port), f"/v2/{repository}/manifests/{digest}")


def published(report: Path) -> str:
    """The reference by digest of the image the last run published.

    Raises:
        SetupError: it published none.
    """
    images: list[dict[str, Any]] = json.loads(report.read_text())["images"]
    for image in images:
        if image["name"] == NAME and image.get("published"):
            return by_digest(image["ref"], image["digest"])
    raise SetupError(f"the run published no image {NAME}", next_step=f"read {report}")


def record(projects: Sequence[Path], reference: str, key: str) -> None:
    """Put the line into the lock of every project, beside what set-up wrote."""
    for project in projects:
        file = lock.path(project)
        lock.write([file], {**lock.read(file), NAME: lock.Locked(reference=reference, origin="built", fixture=False, key=key)})


def share(file: Path, base: lock.Locked, *, again: bool = False) -> None:
    """Put the image into the user's lock for all projects, unless a person chose another; `again` replaces an older one."""
    before = lock.read(file)
    known = before.get(NAME)
    if known is None or (again and known.origin != lock.CHOSEN):
        lock.write([file], {**before, NAME: base})


if __name__ == "__main__":
    os.environ.setdefault("LOCKGATE_ENGINE", "embedded")
    root = Path(__file__).resolve().parents[1]
    sys.exit(main(root, Paths.from_environment(os.environ, root).config / "images.lock"))

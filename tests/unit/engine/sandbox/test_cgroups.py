from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

import pytest

from pipelines.engine.embedded.sandbox.cgroups.cgroups import sweep
from pipelines.engine.embedded.sandbox.cgroups.controllers import own_path

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("membership", "path"),
    [
        ("0::/\n", ""),
        ("0::/user.slice/session-3.scope\n", "user.slice/session-3.scope"),
        ("4:memory:/a\n1:name=systemd:/b:c\n0::/d:e\n", "d:e"),
        ("0::/../../elsewhere\n", ""),
        ("4:memory:/a\n", ""),
    ],
)
def test_our_own_cgroup(membership: str, path: str) -> None:
    assert own_path(membership) == path


def test_only_what_nobody_holds_is_swept(tmp_path: Path) -> None:
    for name in ("lockgate-dead/1/inner", "lockgate-alive/1", "other"):
        (tmp_path / name).mkdir(parents=True)
    alive = os.open(tmp_path / "lockgate-alive", os.O_RDONLY)
    fcntl.flock(alive, fcntl.LOCK_SH)
    sweep(tmp_path)
    os.close(alive)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lockgate-alive", "other"]

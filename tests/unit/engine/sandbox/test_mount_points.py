"""A run is played by making what a runtime would make."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pipelines.engine.embedded.sandbox.rootfs.mount_points import MountPoints
from pipelines.engine.embedded.sandbox.spec import Bind, Tmpfs

if TYPE_CHECKING:
    from pathlib import Path

LONG_AGO = 1_000_000_000 * 10**9


@pytest.fixture
def rootfs(tmp_path: Path) -> Path:
    root = tmp_path / "rootfs"
    for name in ("etc", "proc", "dev", "sys"):
        (root / name).mkdir(parents=True)
    for folder in (root, root / "etc"):
        os.utime(folder, ns=(LONG_AGO, LONG_AGO))
    return root


def listing(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


def test_what_was_made_for_mounting_goes_and_leaves_no_trace_in_times(rootfs: Path, tmp_path: Path) -> None:
    points = MountPoints.before(rootfs, (Bind(tmp_path, "/etc/resolv.conf"), Tmpfs("/made/deep/down"), Tmpfs("/made/too")))
    (rootfs / "etc/resolv.conf").touch()
    (rootfs / "made/deep/down").mkdir(parents=True)
    (rootfs / "made/too").mkdir()
    points.clean()
    assert listing(rootfs) == ["dev", "etc", "proc", "sys"]
    assert rootfs.stat().st_mtime_ns == (rootfs / "etc").stat().st_mtime_ns == LONG_AGO


def test_what_was_there_stays(rootfs: Path, tmp_path: Path) -> None:
    (rootfs / "etc/hosts").touch()
    (rootfs / "empty").mkdir()
    points = MountPoints.before(rootfs, (Bind(tmp_path, "/etc/hosts"), Tmpfs("/empty"), Tmpfs("/etc")))
    points.clean()
    assert listing(rootfs) == ["dev", "empty", "etc", "etc/hosts", "proc", "sys"]


def test_what_the_command_put_there_stays(rootfs: Path, tmp_path: Path) -> None:
    points = MountPoints.before(rootfs, (Bind(tmp_path, "/etc/conf"), Tmpfs("/out/cache")))
    (rootfs / "etc/conf").write_text("the mount was not for this")
    (rootfs / "out/cache").mkdir(parents=True)
    (rootfs / "out/result").touch()
    points.clean()
    assert listing(rootfs) == ["dev", "etc", "etc/conf", "out", "out/result", "proc", "sys"]


def test_system_folders_of_an_empty_image_go(tmp_path: Path) -> None:
    points = MountPoints.before(tmp_path, (Tmpfs("/dev/shm/x"),))
    for name in ("proc", "dev", "sys"):
        (tmp_path / name).mkdir()
    points.clean()
    assert listing(tmp_path) == []


def test_a_dangling_link_is_followed_to_where_a_runtime_follows_it(rootfs: Path, tmp_path: Path) -> None:
    (rootfs / "etc/resolv.conf").symlink_to("../run/systemd/stub.conf")
    points = MountPoints.before(rootfs, (Bind(tmp_path, "/etc/resolv.conf"),))
    (rootfs / "run/systemd").mkdir(parents=True)
    (rootfs / "run/systemd/stub.conf").touch()
    points.clean()
    assert listing(rootfs) == ["dev", "etc", "etc/resolv.conf", "proc", "sys"]


def test_a_mount_point_inside_another_mount_is_removed_there(rootfs: Path, tmp_path: Path) -> None:
    volume = tmp_path / "volume"
    volume.mkdir()
    points = MountPoints.before(rootfs, (Bind(volume, "/cache"), Tmpfs("/cache/tmp")))
    (rootfs / "cache").mkdir()
    (volume / "tmp").mkdir()
    points.clean()
    assert listing(volume) == []
    assert listing(rootfs) == ["dev", "etc", "proc", "sys"]


def test_nothing_outside_is_touched_when_the_command_swaps_in_a_link(rootfs: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (outside / "down").mkdir(parents=True)
    points = MountPoints.before(rootfs, (Tmpfs("/made/down"),))
    (rootfs / "made").symlink_to(outside)
    points.clean()
    assert (outside / "down").is_dir()


def test_nor_is_anything_inside(rootfs: Path) -> None:
    (rootfs / "etc/down").mkdir()
    points = MountPoints.before(rootfs, (Tmpfs("/made/down"),))
    (rootfs / "made").symlink_to("etc")
    points.clean()
    assert (rootfs / "etc/down").is_dir()

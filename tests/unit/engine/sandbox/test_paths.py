from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipelines.engine.embedded.sandbox.rootfs.paths import ContainerPaths, PathInside, normal
from pipelines.engine.embedded.sandbox.spec import Bind, Tmpfs

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def rootfs(tmp_path: Path) -> Path:
    root = tmp_path / "rootfs"
    (root / "usr/bin").mkdir(parents=True)
    (root / "bin").symlink_to("usr/bin")
    (root / "etc").mkdir()
    (root / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\n")
    program = root / "usr/bin/tool"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    (root / "usr/bin/data").write_text("not executable")
    (root / "usr/bin/sh").touch(mode=0o755)
    return root


def test_commands_are_found_on_the_path_through_links(rootfs: Path) -> None:
    inside = ContainerPaths(rootfs, ())
    assert inside.finds("tool", "/nowhere:/bin", "/")
    assert inside.finds("/bin/tool", "", "/")
    assert inside.finds("./tool", "", "/usr/bin")
    assert not inside.finds("data", "/bin", "/")
    assert not inside.finds("bin", "/usr", "/")
    assert not inside.finds("missing", "/bin", "/")


def test_a_command_whose_interpreter_is_missing_cannot_run(rootfs: Path) -> None:
    (rootfs / "usr/bin/tool").write_text("#!/bin/no-such\n")
    assert not ContainerPaths(rootfs, ()).finds("tool", "/bin", "/")
    (rootfs / "usr/bin/tool").write_text("#!/srv/in-a-mount\n")
    assert ContainerPaths(rootfs, (Bind(rootfs / "etc", "/srv"),)).finds(
        "tool", "/bin", "/"
    )  # not for certain: links are not followed there


def test_links_of_the_root_lead_into_mounts(rootfs: Path, tmp_path: Path) -> None:
    (tmp_path / "opt").mkdir()
    (tmp_path / "opt/run").write_text("")
    (tmp_path / "opt/run").chmod(0o755)
    (rootfs / "start").symlink_to("srv/run")
    assert ContainerPaths(rootfs, (Bind(tmp_path / "opt", "/srv"),)).finds("/start", "", "/")
    assert not ContainerPaths(rootfs, ()).finds("/start", "", "/")


def test_commands_in_a_mount_are_found_and_those_below_it_are_not(rootfs: Path, tmp_path: Path) -> None:
    other = tmp_path / "venv"
    (other / "bin").mkdir(parents=True)
    (other / "bin/only-here").write_text("")
    (other / "bin/only-here").chmod(0o755)
    inside = ContainerPaths(rootfs, (Bind(other / "bin", "/usr/bin"),))
    assert inside.finds("only-here", "/usr/bin", "/")
    assert not inside.finds("tool", "/usr/bin", "/")
    assert not ContainerPaths(rootfs, (Tmpfs("/usr/bin"),)).finds("tool", "/usr/bin", "/")


def test_a_single_file_can_be_a_mount(rootfs: Path, tmp_path: Path) -> None:
    (tmp_path / "passwd").write_text("mounted")
    assert ContainerPaths(rootfs, (Bind(tmp_path / "passwd", "/etc/passwd"),)).read("/etc/passwd") == "mounted"


def test_links_do_not_lead_out(rootfs: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("of the machine")
    (rootfs / "etc/group").symlink_to(tmp_path / "secret")
    (rootfs / "etc/shadow").symlink_to("../../../../secret")
    inside = ContainerPaths(rootfs, ())
    assert inside.read("/etc/group") == ""
    assert inside.read("/etc/shadow") == ""
    assert inside.read("/../etc/passwd").startswith("root")


def test_what_is_not_a_file_reads_as_nothing(rootfs: Path) -> None:
    inside = ContainerPaths(rootfs, ())
    assert inside.read("/etc") == ""
    assert inside.read("/missing") == ""


@pytest.mark.parametrize(
    ("links", "path", "expected"),
    [
        ({}, "a/b", "a/b"),
        ({"a": "/x/y"}, "a/b", "x/y/b"),
        ({"a": "x/../z"}, "a/b", "z/b"),
        ({"d/a": "../../e"}, "d/a/b", "e/b"),
        ({"a": "b", "b": "c"}, "a", "c"),
    ],
)
def test_canonical_follows_links_as_far_as_there_are_any(tmp_path: Path, links: dict[str, str], path: str, expected: str) -> None:
    for name, target in links.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).symlink_to(target)
    assert PathInside(tmp_path, path).canonical() == PathInside(tmp_path, expected)


def test_a_loop_of_links_ends(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert PathInside(tmp_path, "a").stat() is None
    assert PathInside(tmp_path, "a/x").canonical().root == tmp_path


def test_normal_paths() -> None:
    assert normal("a/../b//c/.") == "/b/c"
    assert normal("../..") == "/"

"""Trees through tar and back: nothing is lost, nothing gets out."""

from __future__ import annotations

import io
import os
import tarfile
from typing import TYPE_CHECKING

import pytest

from pipelines.engine.embedded.errors import InvalidInput
from pipelines.engine.embedded.store.transfer.archive import pack, unpack

if TYPE_CHECKING:
    from pathlib import Path


def facts(root: Path) -> dict[str, tuple[object, ...]]:
    found: dict[str, tuple[object, ...]] = {}
    for path in [root, *sorted(root.rglob("*"))]:
        info = path.lstat()
        content = (
            path.read_bytes() if path.is_file() and not path.is_symlink() else os.fsencode(path.readlink()) if path.is_symlink() else b""
        )
        attributes = [(name, os.getxattr(path, name, follow_symlinks=False)) for name in os.listxattr(path, follow_symlinks=False)]
        found[str(path.relative_to(root))] = (info.st_mode, info.st_uid, info.st_mtime_ns, info.st_rdev, info.st_nlink, content, attributes)
    return found


def build(root: Path) -> Path:
    (root / "d" / "deep").mkdir(parents=True)
    (root / "d" / "file").write_bytes(os.urandom(100_000))
    (root / "d" / "again").hardlink_to(root / "d" / "file")
    (root / "d" / "run").write_text("#!")
    (root / "d" / "run").chmod(0o4711)
    (root / "link").symlink_to("/etc/passwd")
    (root / "naïve \n name").write_text("x")
    (root / os.fsdecode(b"\xff")).write_text("y")
    os.mknod(root / "whiteout", 0o20000, os.makedev(0, 0))
    os.mkfifo(root / "fifo")
    os.setxattr(root / "d", "user.overlay.opaque", b"y")
    os.setxattr(root / "d" / "run", "user.note", b"\x00\xff")
    for path in [*root.rglob("*"), root]:
        os.utime(path, ns=(1, 1_700_000_000_123_456_789), follow_symlinks=False)
    root.chmod(0o750)
    return root


def packed(root: Path) -> bytes:
    out = io.BytesIO()
    pack(root, out)
    return out.getvalue()


def test_a_tree_comes_back_as_it_was(tmp_path: Path) -> None:
    source = build(tmp_path / "source")
    (tmp_path / "target").mkdir()
    unpack(io.BytesIO(packed(source)), tmp_path / "target")
    assert facts(tmp_path / "target") == facts(source)


def test_the_same_tree_gives_the_same_bytes(tmp_path: Path) -> None:
    first = packed(build(tmp_path / "source"))
    (tmp_path / "copy").mkdir()
    unpack(io.BytesIO(first), tmp_path / "copy")
    assert packed(tmp_path / "copy") == first


def crafted(*members: tuple[str, bytes, str]) -> io.BytesIO:
    """A tar stream with members (name, type, link target); the root comes first."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, kind, target in [(".", tarfile.DIRTYPE, ""), *members]:
            member = tarfile.TarInfo(name)
            member.type, member.linkname, member.uid, member.gid = kind, target, os.getuid(), os.getgid()
            member.pax_headers = {"mtime": "1.000000000"}
            tar.addfile(member)
    return io.BytesIO(out.getvalue())


@pytest.mark.parametrize(
    "members",
    [
        [("../out", tarfile.REGTYPE, "")],
        [("./../out", tarfile.REGTYPE, "")],
        [("/tmp/out", tarfile.REGTYPE, "")],
        [("./link", tarfile.SYMTYPE, ".."), ("./link/out", tarfile.REGTYPE, "")],
        [("./d/../../out", tarfile.REGTYPE, "")],
        [("./d", tarfile.DIRTYPE, ""), ("./d/..", tarfile.SYMTYPE, "x")],
        [("./hard", tarfile.LNKTYPE, "../secret")],
        [("./a//b", tarfile.REGTYPE, "")],
        [("./missing/x", tarfile.REGTYPE, "")],
    ],
)
def test_nothing_leaves_the_folder(tmp_path: Path, members: list[tuple[str, bytes, str]]) -> None:
    (tmp_path / "secret").write_text("s")
    target = tmp_path / "target"
    target.mkdir()
    with pytest.raises(InvalidInput, match="a cached tree is damaged: the path"):
        unpack(crafted(*members), target)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["secret", "target"]
    assert (tmp_path / "secret").stat().st_nlink == 1


@pytest.mark.parametrize("damage", [lambda data: data[:5000], lambda data: b"no tar" * 1000, lambda _: b""])
def test_a_damaged_stream_is_one_clean_error(tmp_path: Path, damage) -> None:  # type: ignore[no-untyped-def] # noqa: ANN001
    data = packed(build(tmp_path / "source"))
    (tmp_path / "target").mkdir()
    with pytest.raises(InvalidInput, match="a cached tree is damaged"):
        unpack(io.BytesIO(damage(data)), tmp_path / "target")

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
from typing import TYPE_CHECKING

import pytest

from pipelines.engine.embedded.errors import InvalidInput
from pipelines.engine.embedded.images.packing.archive import unpack_archive
from pipelines.engine.embedded.images.packing.compression import compressor
from pipelines.engine.embedded.store.trees.root import Root
from tests.unit.engine.images.trees import MTIME, Entry, tar

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DATA = tar([Entry("d/", "dir", mode=0o750), Entry("d/f", text="hello", mode=0o600), Entry("./l", "link", "d/f"), Entry("h", "hard", "d/f")])


def zstd(data: bytes) -> bytes:
    stream = compressor("zstd")
    return stream.compress(data) + stream.flush()


@pytest.fixture
def root(tmp_path: Path) -> Root:
    (tmp_path / "root/etc").mkdir(parents=True)
    return Root(tmp_path / "root")


@pytest.mark.parametrize("packed", [bytes, gzip.compress, bz2.compress, lzma.compress, zstd])
def test_every_compression(root: Root, packed: Callable[[bytes], bytes]) -> None:
    assert unpack_archive(io.BytesIO(packed(DATA)), root, "/new/place")
    place = root.path / "new/place"
    assert (place / "l").read_text() == "hello"
    assert (place / "h").samefile(place / "d/f")
    assert stat.S_IMODE((place / "d").stat().st_mode) == 0o750
    assert (place / "d/f").stat().st_mtime == MTIME


@pytest.mark.parametrize("data", [b"", b"hello", b"x" * 2000, gzip.compress(b"x" * 2000, mtime=0), bytes(10240)])
def test_what_is_no_archive_is_left_alone(root: Root, data: bytes) -> None:
    assert not unpack_archive(io.BytesIO(data), root, "/new")
    assert [path.name for path in root.path.iterdir()] == ["etc"]


def test_what_is_there_is_kept_or_replaced(root: Root) -> None:
    (root.path / "d").mkdir()
    (root.path / "d/kept").write_text("kept")
    (root.path / "d/f").write_text("old")
    assert unpack_archive(io.BytesIO(DATA), root, "/")
    assert (root.path / "d/kept").read_text() == "kept"
    assert (root.path / "d/f").read_text() == "hello"


def test_links_of_the_tree_are_followed_inside_it(root: Root) -> None:
    (root.path / "opt").symlink_to("/etc")
    assert unpack_archive(io.BytesIO(DATA), root, "/opt/x")
    assert (root.path / "etc/x/d/f").read_text() == "hello"


def test_the_folder_is_the_root_of_an_absolute_link_in_an_archive(root: Root) -> None:
    assert unpack_archive(io.BytesIO(tar([Entry("run/", "dir"), Entry("var", "link", "/run"), Entry("var/f", text="x")])), root, "/etc/in")
    assert (root.path / "etc/in/run/f").read_text() == "x"


def test_names_of_whiteouts_mean_nothing_here(root: Root) -> None:
    assert unpack_archive(io.BytesIO(tar([Entry(".wh.etc"), Entry("etc/.wh..wh..opq")])), root, "/")
    assert (root.path / ".wh.etc").is_file()
    assert (root.path / "etc/.wh..wh..opq").is_file()


@pytest.mark.parametrize(
    "entries",
    [
        [Entry("../../out")],
        [Entry("/out")],
        [Entry("l", "link", "../../../.."), Entry("l/out")],
        [Entry("l", "link", "/"), Entry("l/../../out")],
        [Entry("h", "hard", "../../../secret"), Entry("h", text="out")],
    ],
)
def test_nothing_leads_out(root: Root, tmp_path: Path, entries: list[Entry]) -> None:
    (tmp_path / "secret").write_text("kept")
    try:
        unpack_archive(io.BytesIO(tar(entries)), root, "/etc")
    except InvalidInput as error:
        assert "hard link" in error.message  # noqa: PT017 - only one of them is refused
    assert sorted(path.name for path in tmp_path.iterdir()) == ["root", "secret"]
    assert (tmp_path / "secret").read_text() == "kept"


@pytest.mark.parametrize("data", [DATA[:700], gzip.compress(DATA, mtime=0)[:-20]])
def test_a_damaged_archive_is_refused(root: Root, data: bytes) -> None:
    with pytest.raises(InvalidInput, match="failed to unpack an archive into /x: it is damaged"):
        unpack_archive(io.BytesIO(data), root, "/x")


def test_a_link_to_nothing_is_refused(root: Root) -> None:
    with pytest.raises(InvalidInput, match="h: is a hard link to gone, which is not there"):
        unpack_archive(io.BytesIO(tar([Entry("h", "hard", "gone")])), root, "/x")

"""Root: paths resolve as for a process whose root directory it is."""

from __future__ import annotations

import contextlib
import errno
import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.engine.embedded import kernel
from pipelines.engine.embedded.errors import InvalidInput, NotFound
from pipelines.engine.embedded.store.trees.root import Root

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ["a", "b", "c"]
inner = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map("/".join)
targets = st.lists(st.sampled_from([*NAMES, "..", "."]), min_size=1, max_size=5).map("/".join)
links = st.tuples(inner, st.booleans(), targets)


def by_kernel(root: Path, rel: str) -> os.stat_result | None:
    """What the kernel finds at a path when `root` is the root directory."""
    fd = os.open(root, os.O_PATH)
    try:
        found = kernel.openat2(fd, rel, os.O_PATH, resolve=kernel.RESOLVE_IN_ROOT)
    except OSError as error:
        if error.errno not in {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}:
            raise
        return None
    finally:
        os.close(fd)
    try:
        return os.fstat(found)
    finally:
        os.close(found)


@given(st.lists(links, max_size=5), st.lists(inner, max_size=4), st.lists(inner, min_size=1, max_size=4))
def test_paths_resolve_as_the_kernel_resolves_them(
    tmp_path_factory: pytest.TempPathFactory, made: list[tuple[str, bool, str]], folders: list[str], asked: list[str]
) -> None:
    root = tmp_path_factory.mktemp("tree")
    for name, absolute, target in made:
        with contextlib.suppress(OSError):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).symlink_to("/" + target if absolute else target)
    for name in folders:
        with contextlib.suppress(OSError):
            (root / name).mkdir(parents=True)
    for rel in asked:
        wanted = by_kernel(root, rel)
        try:
            found: os.stat_result | None = Root(root).stat(rel)
        except (NotFound, InvalidInput):
            found = None
        assert (found and (found.st_dev, found.st_ino)) == (wanted and (wanted.st_dev, wanted.st_ino))


@given(st.lists(links, max_size=5), inner)
def test_nothing_is_ever_written_outside(tmp_path_factory: pytest.TempPathFactory, made: list[tuple[str, bool, str]], rel: str) -> None:
    around = tmp_path_factory.mktemp("around")
    root = around / "root"
    root.mkdir()
    for name, absolute, target in made:
        with contextlib.suppress(OSError):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).symlink_to("/" + target if absolute else "../" + target)
    before = sorted(path.name for path in around.iterdir())  # making the links may have gone through links itself
    tree = Root(root)
    with contextlib.suppress(NotFound, InvalidInput):
        tree.write(rel, b"here")
        assert tree.read(rel) == b"here"
    with contextlib.suppress(NotFound, InvalidInput):
        tree.mkdirs(f"{rel}/x/y")
    with contextlib.suppress(NotFound, InvalidInput):
        tree.remove_tree(rel)
    assert sorted(path.name for path in around.iterdir()) == before


def test_dots_stop_at_the_root(tmp_path: Path) -> None:
    root = Root(tmp_path)
    root.write("a/b", b"1")
    assert root.read("../../a/./x/../b") == b"1"
    assert root.locate("/../..") == tmp_path / "."


def test_folders_missing_behind_a_dangling_link_are_made_where_it_points(tmp_path: Path) -> None:
    root = Root(tmp_path)
    root.symlink("/run", "var")
    root.write("var/lock/x", b"1")
    assert root.read("run/lock/x") == b"1"


def test_a_new_file_gets_the_mode_an_existing_one_keeps_its_own(tmp_path: Path) -> None:
    root = Root(tmp_path)
    root.write("deep/run.sh", b"one", mode=0o755)
    root.write("deep/run.sh", b"2", mode=0o600)
    assert root.stat("deep/run.sh").st_mode & 0o7777 == 0o755
    assert root.stat("deep").st_mode & 0o7777 == 0o755
    assert root.read("deep/run.sh") == b"2"


def test_folders_made_get_the_mode_others_keep_theirs(tmp_path: Path) -> None:
    root = Root(tmp_path)
    root.mkdirs("a", mode=0o700)
    root.mkdirs("a/b/c", mode=0o1777)
    assert [root.stat(path).st_mode & 0o7777 for path in ("a", "a/b", "a/b/c")] == [0o700, 0o1777, 0o1777]


def test_entries_are_sorted_by_bytes_and_folders_end_with_a_slash(tmp_path: Path) -> None:
    root = Root(tmp_path)
    for name in ("b", "a.txt", "B", "ä"):
        root.write(name, b"")
    root.mkdirs("b.d")
    root.symlink("b.d", "link")
    assert root.entries() == ["B", "a.txt", "b", "b.d/", "link", "ä"]
    assert root.listdir() == ["B", "a.txt", "b", "b.d", "link", "ä"]


def test_walk_gives_folders_before_their_content_and_links_as_such(tmp_path: Path) -> None:
    root = Root(tmp_path)
    root.write("b/d/e", b"")
    root.write("b.txt", b"")
    root.symlink("b", "a")
    assert [path for path, _ in root.walk()] == ["a", "b", "b/d", "b/d/e", "b.txt"]
    assert [path for path, _ in root.walk("b")] == ["d", "d/e"]


def test_remove_takes_links_not_what_they_lead_to(tmp_path: Path) -> None:
    root = Root(tmp_path)
    root.write("kept/x", b"1")
    root.symlink("kept", "link")
    assert root.remove_tree("link")
    assert not root.remove_tree("link")
    assert root.entries() == ["kept/"]
    assert root.remove_tree("/")
    assert tmp_path.is_dir()
    assert root.entries() == []


def test_matching_expands_stars_within_names(tmp_path: Path) -> None:
    root = Root(tmp_path)
    for name in ("a/one.txt", "a/two.py", "b/three.txt", ".hidden.txt"):
        root.write(name, b"")
    assert root.matching("*/*.txt") == ["/a/one.txt", "/b/three.txt"]
    assert root.matching("*.txt") == ["/.hidden.txt"]
    assert root.matching("*/nope") == []
    assert root.matching("nope") == ["nope"]


def test_times_are_set_on_everything_below_and_links_are_not_followed(tmp_path: Path) -> None:
    root = Root(tmp_path / "in")
    (tmp_path / "in").mkdir()
    (tmp_path / "out").write_text("")
    before = (tmp_path / "out").stat().st_mtime_ns
    root.write("d/x", b"")
    (tmp_path / "in" / "d" / "link").symlink_to(tmp_path / "out")
    root.set_times("d", 1000)
    assert [info.st_mtime for _, info in root.walk()] == [1000, 1000, 1000]
    assert (tmp_path / "out").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("work", "message", "kind"),
    [
        (lambda root: root.stat("/no/such"), "stat no/such: no such file or directory", NotFound),
        (lambda root: root.stat("file/x"), "stat file/x: not a directory", NotFound),
        (lambda root: root.read("nope"), "open nope: no such file or directory", NotFound),
        (lambda root: root.read("folder"), "read folder: is a directory", InvalidInput),
        (lambda root: root.write("folder", b""), "open folder: is a directory", InvalidInput),
        (lambda root: root.mkdirs("file/x"), "mkdir file/x: not a directory", NotFound),
        (lambda root: root.symlink("x", "file"), "symlink file: file exists", InvalidInput),
        (lambda root: root.stat("loop"), "stat loop: too many levels of symbolic links", InvalidInput),
        (lambda root: root.stat("x" * 300), "file name too long", InvalidInput),
        (lambda root: root.stat("a\0b"), "invalid argument", InvalidInput),
        (lambda root: root.listdir("file"), "open file: not a directory", NotFound),
    ],
)
def test_errors_name_the_path_as_it_was_given(tmp_path: Path, work, message: str, kind: type[Exception]) -> None:  # type: ignore[no-untyped-def] # noqa: ANN001
    root = Root(tmp_path)
    root.write("file", b"")
    root.mkdirs("folder")
    root.symlink("loop", "loop")
    with pytest.raises(kind, match=message):
        work(root)


def test_a_file_that_claims_any_size_is_not_read_into_memory(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(10 << 40)
    with pytest.raises(InvalidInput, match="10995116277760 bytes"):
        Root(tmp_path).read("/sparse")

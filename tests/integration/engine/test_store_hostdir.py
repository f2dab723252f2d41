"""Folders of the host as snapshots: by content, however often and whatever happens meanwhile."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.engine.embedded.errors import InvalidInput, NotFound
from pipelines.engine.embedded.store.host.importing import import_host_dir
from pipelines.engine.embedded.store.snapshot import SCRATCH, Snapshot
from pipelines.engine.embedded.store.store import Store
from tests.integration.engine.store_trees import PATHS, read_tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipelines.engine.embedded.store.host.listing import Listing

pytestmark = pytest.mark.root
LONG_AGO = 1_500_000_000


@pytest.fixture(scope="module")
def store(private_mounts: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.open(tmp_path_factory.mktemp("hostdir") / "store", rootless=False) as opened:
        yield opened


@pytest.fixture
def host(tmp_path: Path) -> Path:
    for name, text in {"a.txt": "A", "b/c.py": "print(1)", "b/d/e.txt": "E", ".gitignore": "*.log\n", "drop.log": "d"}.items():
        path = tmp_path / "host" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "host"


def shown(store: Store, snapshot: Snapshot) -> dict[str, str]:
    with store.view(snapshot) as view:
        return read_tree(view.path)


def settled(path: Path) -> None:
    """Wait until the file system's clock is past what counts as racy: then hashes are remembered."""
    while time.time_ns() - max(entry.stat().st_ctime_ns for entry in path.rglob("*")) < 2_050_000_000:
        time.sleep(0.05)


def test_the_same_files_are_one_snapshot_wherever_they_are_and_whenever_made(store: Store, host: Path, tmp_path: Path) -> None:
    first = import_host_dir(store, host)
    assert shown(store, first) == read_tree(host)
    copy = tmp_path / "copy"
    shutil.copytree(host, copy)
    os.utime(copy / "a.txt", (LONG_AGO, LONG_AGO))
    assert import_host_dir(store, host) == import_host_dir(store, copy) == first


def test_every_change_of_content_is_seen_and_the_old_snapshot_stays(store: Store, host: Path) -> None:
    first, before = import_host_dir(store, host), read_tree(host)
    (host / "a.txt").write_text("B")  # same size
    second = import_host_dir(store, host)
    (host / "b" / "c.py").chmod(0o755)
    third = import_host_dir(store, host)
    (host / "b" / "d" / "e.txt").unlink()
    fourth = import_host_dir(store, host)
    assert len({snapshot.id for snapshot in (first, second, third, fourth)}) == 4
    assert shown(store, first) == before
    assert shown(store, second) == before | {"a.txt": "file:B"}
    assert shown(store, fourth) == read_tree(host)


def test_unchanged_files_are_neither_read_nor_stored_again(store: Store, host: Path) -> None:
    (host / "b" / "d" / "e.txt").write_text("of this test alone")
    settled(host)
    first, again = import_host_dir(store, host), import_host_dir(store, host)
    (host / "b" / "c.py").write_text("print(2)")
    second = import_host_dir(store, host)
    assert again == first
    assert shown(store, second) == read_tree(host)
    paths = [store.layer_path(snapshot.layers[0]) for snapshot in (first, second)]
    assert len({(path / "b/d/e.txt").stat().st_ino for path in paths}) == 1
    assert len({(path / "b/c.py").stat().st_ino for path in paths}) == 2


def test_a_file_changed_within_one_tick_of_the_clock_is_seen(store: Store, host: Path) -> None:
    """Same inode, size and times: a cache that trusted them would give the old content."""
    file = host / "a.txt"
    for letter in "BCD":
        with file.open("r+") as opened:
            opened.write(letter)
        os.utime(file, ns=(LONG_AGO * 10**9, LONG_AGO * 10**9))
        assert shown(store, import_host_dir(store, host))["a.txt"] == f"file:{letter}"


@pytest.mark.parametrize(
    ("filters", "kept"),
    [
        ({"exclude": ["*.log"]}, {".gitignore", "a.txt", "b", "b/c.py", "b/d", "b/d/e.txt"}),
        ({"include": ["**/*.py"]}, {"b", "b/c.py"}),
        ({"include": ["b"], "exclude": ["b/d", "!b/d/e.txt"]}, {"b", "b/c.py", "b/d", "b/d/e.txt"}),
        ({"gitignore": True}, {".gitignore", "a.txt", "b", "b/c.py", "b/d", "b/d/e.txt"}),
        ({"include": ["../*", "/a.txt", "./b/c.py"]}, {"b", "b/c.py"}),
        ({"include": ["."]}, {".gitignore", "a.txt", "b", "b/c.py", "b/d", "b/d/e.txt", "drop.log"}),
    ],
)
def test_filters(store: Store, host: Path, filters: dict[str, object], kept: set[str]) -> None:
    assert set(shown(store, import_host_dir(store, host, **filters))) == kept  # type: ignore[arg-type]


def test_nothing_left_is_scratch(store: Store, host: Path) -> None:
    assert import_host_dir(store, host, include=["nope"]) is SCRATCH


def test_rules_of_the_repository_the_folder_is_in_count(store: Store, host: Path) -> None:
    (host / ".git").mkdir()
    (host / ".gitignore").write_text("e.txt\n")
    assert set(shown(store, import_host_dir(store, host / "b", gitignore=True))) == {"c.py", "d"}


def test_owner_and_attributes_of_the_host_mean_nothing_modes_and_times_are_kept(store: Store, host: Path) -> None:
    os.chown(host / "a.txt", 1234, 1234)
    (host / "a.txt").chmod(0o640)
    os.setxattr(host / "a.txt", "user.note", b"1")
    os.utime(host / "a.txt", ns=(1, LONG_AGO * 10**9 + 7))
    os.mkfifo(host / "fifo")
    with store.view(import_host_dir(store, host)) as view:
        info = (view.path / "a.txt").stat()
        assert (info.st_uid, info.st_gid, info.st_mode & 0o7777, info.st_mtime_ns) == (0, 0, 0o640, LONG_AGO * 10**9 + 7)
        assert os.listxattr(view.path / "a.txt") == []
        assert not (view.path / "fifo").exists()
        assert view.path.stat().st_mode & 0o7777 == 0o755


def test_links_are_kept_and_lead_nowhere_while_importing(store: Store, host: Path) -> None:
    (host / "link").symlink_to("/etc")
    (host / "b" / "up").symlink_to("../..")
    tree = shown(store, import_host_dir(store, host))
    assert (tree["link"], tree["b/up"]) == ("link:/etc", "link:../..")
    assert not any(path.startswith(("link/", "b/up/")) for path in tree)


def test_no_cache_makes_a_snapshot_of_its_own(store: Store, host: Path) -> None:
    one, two = (import_host_dir(store, host, no_cache=True) for _ in range(2))
    assert one.id != two.id
    assert shown(store, one) == shown(store, two) == read_tree(host)


def test_folders_that_are_not_there_are_named_by_their_first_missing_part(store: Store, host: Path) -> None:
    with pytest.raises(NotFound, match=f"^lstat {host}/no: no such file or directory$"):
        import_host_dir(store, host / "no" / "such" / "folder")
    with pytest.raises(InvalidInput, match=r"a\.txt: not a directory"):
        import_host_dir(store, host / "a.txt")


def test_a_deleted_layer_is_made_anew(store: Store, host: Path, tmp_path: Path) -> None:
    with Store.open(tmp_path / "other", rootless=False) as other:
        first = import_host_dir(other, host)
    with Store.open(tmp_path / "other", rootless=False) as other:
        other.gc(0)
        second = import_host_dir(other, host)
        assert (second.id, second.layers == first.layers) == (first.id, False)
        assert shown(other, second) == read_tree(host)


def test_a_folder_that_changes_all_the_time_gives_snapshots_that_are_what_they_say(store: Store, host: Path) -> None:
    (host / "same as a").hardlink_to(host / "a.txt")
    stop = threading.Event()

    def disturb() -> None:
        count = 0
        while not stop.is_set():
            count += 1
            (host / "a.txt").write_text(str(count))
            (host / f"new{count % 5}").write_text("n")
            (host / f"new{(count + 2) % 5}").unlink(missing_ok=True)
            (host / "drop.log").unlink(missing_ok=True)
            (host / "drop.log").symlink_to(str(count)) if count % 2 else (host / "drop.log").mkdir()
            (host / "drop.log").rmdir() if not count % 2 else None

    thread = threading.Thread(target=disturb)
    thread.start()
    try:
        seen: dict[str, dict[str, str]] = {}
        listings: list[Listing] = []
        for _ in range(30):
            try:
                snapshot = import_host_dir(store, host, on_listing=listings.append)
            except InvalidInput as error:
                if "keeps changing" not in str(error):
                    raise
                continue
            tree = shown(store, snapshot)
            assert seen.setdefault(snapshot.id, tree) == tree
            assert tree["b/c.py"] == "file:print(1)"
            for name in ("a.txt", "same as a"):
                content = tree[name].removeprefix("file:").encode()
                assert listings[-1].files[name][1] == hashlib.sha256(content).hexdigest()
    finally:
        stop.set()
        thread.join()
    by_content: dict[tuple[tuple[str, str], ...], str] = {}
    for key, tree in seen.items():
        assert by_content.setdefault(tuple(sorted(tree.items())), key) == key


@given(st.dictionaries(PATHS.map(lambda path: path.replace("/", "-")), st.sampled_from(["1", "22"]), min_size=1, max_size=5))
@settings(deadline=None, max_examples=30)
def test_equal_ids_are_equal_content(store: Store, tmp_path_factory: pytest.TempPathFactory, files: dict[str, str]) -> None:
    folder = tmp_path_factory.mktemp("equal")
    for name, text in files.items():
        (folder / name).write_text(text)
    snapshot = import_host_dir(store, folder)
    assert shown(store, snapshot) == {name: f"file:{text}" for name, text in files.items()}


READS = """
import sys
from pathlib import Path
from pipelines.engine.embedded.errors import EngineError
from pipelines.engine.embedded.store.host.importing import import_host_dir
from pipelines.engine.embedded.store.store import Store
with Store.open(Path(sys.argv[1]), rootless=False) as store:
    try:
        import_host_dir(store, Path(sys.argv[2]))
    except EngineError as error:
        print(error.code, error.message)
"""


@pytest.mark.parametrize("name", ["unauthorized", "429 Too Many Requests", "denied: x", "401 Unauthorized"])
def test_a_file_that_may_not_be_read_is_named_whatever_it_is_called(host: Path, tmp_path: Path, name: str) -> None:
    """Root without the right to pass over permissions is like any other user here."""
    (host / name).write_text("x")
    (host / name).chmod(0)
    program = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", sys.executable, "-c", READS, str(tmp_path / "store"), str(host)]
    done = subprocess.run(program, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"UNREADABLE {host / name}: permission denied: exclude it")

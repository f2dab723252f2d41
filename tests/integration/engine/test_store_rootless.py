"""The store of an ordinary user: in a user namespace with one uid, on unprivileged overlayfs."""

from __future__ import annotations

import codecs
import os
import shutil
import sys
import tempfile
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipelines.engine.embedded import kernel
from pipelines.engine.embedded.paths import store_dir
from pipelines.engine.embedded.store.host.importing import import_host_dir
from pipelines.engine.embedded.store.snapshot import MAX_DEPTH, SCRATCH, Snapshot
from pipelines.engine.embedded.store.store import Store
from pipelines.engine.embedded.store.transfer import archive, exporting, importing  # noqa: F401 - the child may not be able to read them
from pipelines.engine.embedded.store.trees.copy import copy_tree
from pipelines.engine.embedded.store.trees.root import Root
from tests.integration.engine.store_trees import read_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.root  # to become somebody else
NOBODY = 65534


@pytest.fixture
def home(private_mounts: Path) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="lockgate-test-"))
    os.chown(folder, NOBODY, NOBODY)
    yield folder
    shutil.rmtree(folder)


def as_user(work: Callable[[], None]) -> None:
    """Do `work` in a child that is an ordinary user, root in a user namespace of its own."""
    codecs.lookup("ascii")  # as with the imports: the child may not be able to read Python's own files
    child = os.fork()
    if child:
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        return
    try:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        kernel.prctl(kernel.PR_SET_DUMPABLE, 1)
        kernel.unshare(kernel.CLONE_NEWUSER | kernel.CLONE_NEWNS)
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"0 {NOBODY} 1", encoding="ascii")
        Path("/proc/self/gid_map").write_text(f"0 {NOBODY} 1", encoding="ascii")
        work()
        os._exit(0)
    except BaseException:  # noqa: BLE001 - whatever it is, the parent fails
        traceback.print_exc(file=sys.__stderr__)
        os._exit(1)


def stack(store: Store) -> Snapshot:
    with store.draft(SCRATCH) as draft:
        root = Root(draft.mount())
        root.write("gone", b"1")
        root.write("d/old", b"1")
        one = draft.commit("one")
    with store.draft(one) as draft:
        root = Root(draft.mount())
        root.remove_tree("gone")
        root.remove_tree("d")
        root.write("d/new", b"2")
        return draft.commit("two")


def shown(store: Store, snapshot: Snapshot) -> dict[str, str]:
    with store.view(snapshot) as view:
        return read_tree(view.path)


def test_layers_whiteouts_and_opaque_folders(home: Path) -> None:
    def work() -> None:
        with Store.open(home / "store", rootless=True) as store:
            snapshot = stack(store)
            assert shown(store, snapshot) == {"d": "folder", "d/new": "file:2"}
            for index in range(MAX_DEPTH + 3):
                with store.draft(snapshot) as draft:
                    Root(draft.mount()).write(f"f{index % 7}", str(index).encode())
                    snapshot = draft.commit(f"deep-{index}")
            assert shown(store, snapshot)["d/new"] == "file:2"
            assert len(shown(store, snapshot)) == 9

    as_user(work)


def test_copies_imports_and_transfers(home: Path) -> None:
    def work() -> None:
        (home / "src").mkdir()
        (home / "src" / "x").write_text("1")
        with Store.open(home / "store", rootless=True) as store:
            snapshot = stack(store)
            store.put("key", {"layers": snapshot.layers}, layers=snapshot.layers)
            imported = import_host_dir(store, home / "src")
            with store.draft(snapshot) as draft, store.view(imported) as view:
                copy_tree(Root(view.path), "/", Root(draft.mount()), "copy")
                assert shown(store, draft.commit("copied"))["copy/x"] == "file:1"
            assert store.export_cache(home / "cache").skipped == ()
        with Store.open(home / "other", rootless=True) as store:
            assert store.import_cache(home / "cache").skipped == ()
            assert shown(store, snapshot) == {"d": "folder", "d/new": "file:2"}

    as_user(work)


def test_the_store_is_named_after_the_user_outside(home: Path) -> None:
    def work() -> None:
        os.environ["LOCKGATE_STORE"] = str(home)
        assert store_dir(rootless=True) == home / f"store-rootless-{NOBODY}"

    as_user(work)

"""A copy that shares what did not change with the one made before is, for whoever looks at it, a copy of everything."""

from __future__ import annotations

import asyncio
import os
import stat
from typing import TYPE_CHECKING, NamedTuple, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.engine.embedded import kernel
from pipelines.engine.embedded.dockerfile.building.copy import CopySources
from pipelines.engine.embedded.dockerfile.instructions.copy import CopySource
from pipelines.engine.embedded.errors import DiskFull, EngineError
from pipelines.engine.embedded.nonblocking_writer import NonBlockingWriter
from pipelines.engine.embedded.ops.files.actions import Action, ActionOp
from pipelines.engine.embedded.ops.files.copies import CopyDirectory
from pipelines.engine.embedded.ops.files.edits import MakeDirectory, Remove
from pipelines.engine.embedded.ops.session import LocalSession
from pipelines.engine.embedded.ops.values.op import Constant, Op
from pipelines.engine.embedded.progress import LineProgress
from pipelines.engine.embedded.store.snapshot import Snapshot
from pipelines.engine.embedded.store.store import Store
from pipelines.engine.embedded.store.trees.root import Root
from tests.integration.engine.store_trees import PATHS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pipelines.engine.embedded.network.switch import Switch
    from pipelines.engine.embedded.sandbox.runtime import Runtime

pytestmark = pytest.mark.root

Files = dict[str, str]  # path → content; an empty content is a symbolic link, one of "!" is a set-user-id file
Attributes = dict[str, tuple[object, ...]]

FILES = st.dictionaries(PATHS, st.sampled_from(["", "!", "one", "two"]), max_size=6).map(
    lambda files: {path: text for path, text in files.items() if not any(other.startswith(f"{path}/") for other in files)}
)


@pytest.fixture(scope="module")
def stores(private_mounts: Path) -> Iterator[tuple[Store, Store]]:
    """One that knows former copies, and one that never does: its bases have other names each time."""
    folder = private_mounts / "sharing"
    folder.mkdir()
    with Store.open(folder / "one", rootless=False) as one, Store.open(folder / "two", rootless=False) as two:
        yield one, two


def fill(folder: Path, files: Files, former: Path | None, old: Files) -> None:
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if former is not None and text and old.get(path) == text:
            os.link(former / path, target)  # as the import of a host folder leaves what did not change
        elif not text:
            target.symlink_to("elsewhere")
        else:
            target.write_text(text)
            target.chmod(0o4755 if text == "!" else 0o640)
            os.utime(target, (1_600_000_000, 1_600_000_000 + len(path)))


def snapshot(store: Store, files: Files, former: Snapshot | None = None, old: Files | None = None) -> Snapshot:
    name = os.urandom(8).hex()
    below = None if former is None else store.layer_path(former.layers[0])
    return Snapshot(name, (store.add_layer(lambda folder: fill(folder, files, below, old or {}), name),))


def applied(store: Store, base: Snapshot, *actions: Action) -> Snapshot:
    async def work() -> Snapshot:
        progress = LineProgress(NonBlockingWriter(2))
        session = LocalSession(store, cast("Runtime", None), cast("Switch", None), progress, store.root, "linux/amd64")
        op: Op = Constant(base)
        for action in actions:
            op = ActionOp(op, action)
        return (await session.ops.output(op)).snapshot

    return asyncio.run(work())


def attributes(store: Store, layer: str) -> Attributes:
    """Everything of a layer that overlayfs or an image made of it could show, but times of folders and numbers of links."""
    found: Attributes = {}
    names: dict[int, str] = {}
    for rel, info in sorted(Root(store.layer_path(layer)).walk()):
        path = f"{store.layer_path(layer)}/{rel}"
        marks = {name: os.getxattr(path, name, follow_symlinks=False) for name in os.listxattr(path, follow_symlinks=False)}
        kept = {name: value for name, value in marks.items() if name.endswith(".opaque") or ".overlay." not in name}
        content: object = None
        if stat.S_ISREG(info.st_mode):
            content = (Root(store.layer_path(layer)).read(rel), info.st_mtime_ns)
        elif stat.S_ISLNK(info.st_mode):
            content = Root(store.layer_path(layer)).readlink(rel)
        same_as = "" if stat.S_ISDIR(info.st_mode) else names.setdefault(info.st_ino, rel)
        found[rel] = (oct(info.st_mode), info.st_uid, info.st_gid, info.st_rdev, sorted(kept.items()), content, same_as)
    return found


def copy_of(source: Snapshot, target: str) -> Action:
    return CopySources(Constant(source), "/", (CopySource("/"),), target)


def directory_of(source: Snapshot, target: str) -> Action:
    return CopyDirectory(target, Constant(source), "/")


BEFORE: list[Callable[[], list[Action]]] = [list, lambda: [MakeDirectory("/a/b")], lambda: [Remove("/a")]]


class Case(NamedTuple):
    """A folder in two states, and how it is copied: onto `base`, after the actions `before`."""

    base: Files
    old: Files
    new: Files
    copy: Callable[[Snapshot, str], Action]
    target: str
    before: Callable[[], list[Action]]

    def run(self, store: Store, below: Snapshot, source: Snapshot) -> Snapshot | str:
        """The copy, or the kind of error that refused it."""
        try:
            return applied(store, below, *self.before(), self.copy(source, self.target))
        except EngineError as error:
            return type(error).__name__


TARGETS = st.sampled_from(["/", "/a", "/a/new/", "/x"])
CASES = st.builds(Case, FILES, FILES, FILES, st.sampled_from([copy_of, directory_of]), TARGETS, st.sampled_from(BEFORE))


@given(CASES)
@settings(deadline=None, max_examples=60)
def test_sharing_with_a_former_copy_changes_nothing_that_can_be_seen(stores: tuple[Store, Store], case: Case) -> None:
    one, two = stores
    below = snapshot(one, case.base)
    first = snapshot(one, case.old)
    case.run(one, below, first)
    shared = case.run(one, below, snapshot(one, case.new, first, case.old))
    fresh = case.run(two, snapshot(two, case.base), snapshot(two, case.new))
    if isinstance(shared, str) or isinstance(fresh, str):
        assert shared == fresh
    else:
        assert len(shared.layers) == len(fresh.layers)
        assert attributes(one, shared.layers[-1]) == attributes(two, fresh.layers[-1])


@pytest.fixture
def history(stores: tuple[Store, Store]) -> tuple[Store, Snapshot, Snapshot]:
    """Two copies of one folder, made one after the other; one of its files changed."""
    store, _ = stores
    base = snapshot(store, {"etc/cron.d/own": "one"})
    old = {"src/same": "one", "src/changed": "one", "src/su": "!", "top": "one", "etc/cron.d/job": "one"}
    new = old | {"src/changed": "two"}
    first = snapshot(store, old)
    second = snapshot(store, new, first, old)
    return store, applied(store, base, copy_of(first, "/")), applied(store, base, copy_of(second, "/"))


def test_a_file_that_did_not_change_is_shared(history: tuple[Store, Snapshot, Snapshot]) -> None:
    store, one, two = history
    first, second = (store.layer_path(made.layers[-1]) for made in (one, two))
    assert (second / "src/same").stat().st_ino == (first / "src/same").stat().st_ino or (second / "src/same").stat().st_nlink == 1
    assert ((first / "src/changed").read_text(), (second / "src/changed").read_text()) == ("one", "two")


@pytest.mark.parametrize("path", ["etc/cron.d/job", "top", "src/su"])
def test_a_file_whose_number_of_links_may_matter_is_copied(history: tuple[Store, Snapshot, Snapshot], path: str) -> None:
    """In folders that the image has itself, as cron's, and where set-user-id bits are."""
    store, _, two = history
    with store.view(two) as view:
        assert (view.path / path).stat().st_nlink == 1


def test_what_is_written_to_a_shared_file_is_in_one_file_system_only(history: tuple[Store, Snapshot, Snapshot]) -> None:
    store, one, two = history
    with store.draft(two, for_container=True) as draft:
        root = draft.mount()
        with (root / "src/same").open("a") as file:
            file.write(" and more")
        (root / "src/same").chmod(0o600)
        os.chown(root / "src/same", 7, 7)
        (root / "src/linked").hardlink_to(root / "src/same")
        changed = draft.commit(os.urandom(8).hex())
    for made, text, mode in ((one, "one", 0o640), (two, "one", 0o640), (changed, "one and more", 0o600)):
        with store.view(made) as view:
            assert (view.path / "src/same").read_text() == text
            assert stat.S_IMODE((view.path / "src/same").stat().st_mode) == mode


@pytest.mark.parametrize("above", [False, True], ids=["a copy", "a copy onto a stored copy"])
def test_a_name_of_an_owner_means_whom_it_means_below_this_copy(stores: tuple[Store, Store], above: bool) -> None:
    """Not whom it meant below the former one: the accounts may come with an earlier action of the same layer."""
    store, _ = stores
    base, first = snapshot(store, {"b": "one"}), snapshot(store, {"d/same": "one"})
    second = snapshot(store, {"d/same": "one", "d/new": "one"}, first, {"d/same": "one"})
    made = []
    for uid, source in ((1000, first), (2000, second)):
        accounts = directory_of(snapshot(store, {"passwd": f"app:x:{uid}:{uid}::/:/bin/sh\n"}), "/etc")
        copy = CopyDirectory("/app", Constant(source), "/", owner="app")
        made.append(applied(store, applied(store, base, accounts), copy) if above else applied(store, base, accounts, copy))
    for uid, snapshot_ in zip((1000, 2000), made, strict=True):
        with store.view(snapshot_) as view:
            assert {path.stat().st_uid for path in (view.path / "app/d").iterdir()} == {uid}


def test_a_file_of_an_earlier_copy_into_the_same_folder_is_no_file_of_this_one(stores: tuple[Store, Store]) -> None:
    """Though the former copy's layer has it, and the source has one of that name: it is excluded."""
    store, _ = stores
    base, first = snapshot(store, {"b": "one"}), snapshot(store, {"d/out": "one", "d/in": "one"})
    second = snapshot(store, {"d/out": "one", "d/in": "two"}, first, {"d/out": "one", "d/in": "one"})
    made = [
        applied(store, base, directory_of(snapshot(store, earlier), "/x"), CopyDirectory("/x", Constant(source), "/", exclude=("d/out",)))
        for earlier, source in (({"d/out": "two"}, first), ({"other": "two"}, second))
    ]
    with store.view(made[-1]) as view:
        assert sorted(Root(view.path / "x").listdir("d")) == ["in"]


def test_a_copy_whose_layers_are_gone_is_copied_anew(stores: tuple[Store, Store], tmp_path: Path) -> None:
    with Store.open(tmp_path / "store", rootless=False) as store:
        base, first = snapshot(store, {"a": "one"}), snapshot(store, {"d/b": "one"})
        applied(store, base, copy_of(first, "/x"))
    with Store.open(tmp_path / "store", rootless=False) as store:
        store.prune()
        base, second = snapshot(store, {"a": "one"}), snapshot(store, {"d/b": "two"})
        with store.view(applied(store, base, copy_of(second, "/x"))) as view:
            assert (view.path / "x/d/b").read_text() == "two"


def test_a_disk_that_is_full_while_files_are_shared_is_a_full_disk(private_mounts: Path) -> None:
    disk = private_mounts / "small"
    disk.mkdir()
    kernel.mount("tmpfs", disk, "tmpfs", data="nr_inodes=600")
    old = {f"d/{number}": "one" for number in range(100)}
    try:
        with Store.open(disk / "store", rootless=False) as store:
            base, first = snapshot(store, {"b": "one"}), snapshot(store, old)
            second = snapshot(store, old | {"new": "two"}, first, old)
            applied(store, base, copy_of(first, "/x"))
            for number in range(os.statvfs(disk).f_ffree - 50):
                (disk / f"other {number}").touch()
            with pytest.raises(DiskFull):
                applied(store, base, copy_of(second, "/x"))
    finally:
        kernel.umount(disk, kernel.MNT_DETACH)

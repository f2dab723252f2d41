"""Any sequence of layers shows what a plain unpack of them, one over the other, gives."""

from __future__ import annotations

import os
import posixpath
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.engine.embedded.images import lower_layers
from pipelines.engine.embedded.tars import Damaged
from tests.unit.engine.images.trees import Entry, Tree, left, shown, unpacked

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMES = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=3).map("/".join)
LAYER = st.lists(
    st.one_of(
        st.builds(Entry, NAMES, st.just("file"), st.text("xyz", max_size=2)),
        st.builds(Entry, NAMES, st.just("dir")),
        st.builds(Entry, NAMES, st.just("link"), st.sampled_from(["a", "b/c", "../a", "/c", "nowhere", "."])),
        st.builds(Entry, NAMES, st.just("hard"), NAMES),
        st.builds(lambda name: Entry(posixpath.join(posixpath.dirname(name), ".wh." + posixpath.basename(name))), NAMES),
        st.builds(lambda name: Entry(name + "/.wh..wh..opq"), NAMES),
    ),
    max_size=6,
)


class Refused(Exception):  # noqa: N818 - the model's word for Damaged
    pass


class ImageLayer:
    """The reference: one layer read into a value, links inside it followed, then laid over what is below."""

    def __init__(self, below: Tree) -> None:
        self.below = below
        self.own: Tree = {}
        self.hidden: set[str] = set()  # names whose lower file or tree is gone
        self.emptied: set[str] = set()  # folders of which nothing lower is seen

    def resolve(self, parts: list[str]) -> str:
        """Make the folders on the way; a link, however long the chain, leads somewhere inside."""
        path: list[str] = []
        for _ in range(300):
            if not parts:
                return "/".join(path)
            part, parts = parts[0], parts[1:]
            if part in {"", "."}:
                continue
            if part == "..":
                path = path[:-1]
                continue
            name = "/".join([*path, part])
            kind, value = self.own.get(name, ("", ""))
            if kind == "link":
                path = [] if value.startswith("/") else path
                parts = [*value.split("/"), *parts]
            elif kind in {"file", "lost"}:
                raise Refused
            else:
                self.own.setdefault(name, ("dir", ""))
                path.append(part)
        raise Refused

    def add(self, entry: Entry) -> None:
        folder = self.resolve(posixpath.dirname(entry.name).split("/"))
        base = posixpath.basename(entry.name)
        name = posixpath.join(folder, base)
        if base == ".wh..wh..opq":
            self.emptied.add(folder)
        elif base.startswith(".wh."):
            self.hidden.add(posixpath.join(folder, base.removeprefix(".wh.")))
        elif entry.kind == "dir":
            if self.own.get(name, ("dir", ""))[0] != "dir":
                self.hidden.add(name)
            self.own[name] = ("dir", "")
        else:
            self._replace(name, entry)

    def _replace(self, name: str, entry: Entry) -> None:
        value = self._target(entry.text, name) if entry.kind == "hard" else (entry.kind, entry.text)
        for old in [old for old in self.own if old == name or old.startswith(name + "/")]:
            del self.own[old]
        self.hidden.add(name)
        self.own[name] = value

    def _target(self, text: str, link: str) -> tuple[str, str]:
        before = dict(self.own)
        folder = self.resolve(posixpath.dirname(text).split("/"))
        self.own = before  # looking makes nothing
        name = posixpath.join(folder, posixpath.basename(text))
        if name in self.own:
            if self.own[name][0] == "dir" or name.startswith(f"{link}/"):
                raise Refused
            return self.own[name]
        lower = self.below.get(name, ("dir", ""))
        gone = any(one in self.hidden and one not in self.own for one in _chain(name))
        return ("lost", "") if gone or lower[0] != "file" else lower  # forgiven where a later entry takes its place

    def over(self) -> Tree:
        """What is seen of the layers below, and on top of it this layer."""
        if ("lost", "") in self.own.values():
            raise Refused
        kept: Tree = {}
        for name, value in self.below.items():
            chain = _chain(name)
            gone = any(one in self.hidden for one in chain) or any(one in self.emptied for one in chain[1:])
            covered = any(self.own.get(one, ("dir", ""))[0] != "dir" for one in chain)
            if not gone and not covered and not (value[0] != "dir" and name in self.own) and not self._filed(chain[1:]):
                kept[name] = value
        return kept | self.own

    def _filed(self, parents: Sequence[str]) -> bool:
        return any(self.below.get(one, ("dir", ""))[0] != "dir" for one in parents)


def _chain(name: str) -> list[str]:
    """A path, the folders it is in, and the root."""
    return [name, *("" if str(parent) == "." else str(parent) for parent in Path(name).parents)]


def model(layers: Sequence[Sequence[Entry]]) -> Tree:
    tree: Tree = {}
    for entries in layers:
        layer = ImageLayer(tree)
        for entry in entries:
            layer.add(entry)
        tree = layer.over()
    return tree


def real(layers: Sequence[Sequence[Entry]], place: Path) -> Tree:
    done: list[Path] = []
    for number, entries in enumerate(layers):
        target = place / str(number)
        found = unpacked(entries, target)
        below = [str(path) for path in done]
        what = lower_layers.missing(below, str(target), left(found))
        if what:
            completed = place / f"{number}-completed"
            completed.mkdir()
            lower_layers.complete(str(target), str(completed), what)
            target = completed
        done = [] if found.opaque else done
        done.append(target)
    return shown(done)


@settings(max_examples=300, deadline=None)
@given(layers=st.lists(LAYER, min_size=1, max_size=3))
def test_layers_show_what_a_plain_unpack_gives(tmp_path_factory: pytest.TempPathFactory, layers: list[list[Entry]]) -> None:
    place = tmp_path_factory.mktemp("layers")
    try:
        expected = model(layers)
    except Refused:
        with pytest.raises(Damaged):
            real(layers, place)
    else:
        assert real(layers, place) == expected


def test_folders_take_their_owner_and_mode_from_below(tmp_path: Path) -> None:
    low, middle, top, done = (tmp_path / name for name in ("low", "middle", "top", "done"))
    unpacked([Entry("tmp/", "dir", mode=0o1777), Entry("plain/", "dir", mode=0o755), Entry("gone/", "dir", mode=0o700)], low)
    unpacked([Entry(".wh.gone")], middle)
    found = unpacked([Entry("tmp/x"), Entry("plain/x"), Entry("gone/x"), Entry("new/x"), Entry("new/.wh..wh..opq")], top)
    what = lower_layers.missing([str(low), str(middle)], str(top), left(found))
    assert what.folders == {"tmp": str(low / "tmp")}
    done.mkdir()
    lower_layers.complete(str(top), str(done), what)
    assert (done / "tmp").stat().st_mode & 0o7777 == 0o1777
    assert (done / "tmp/x").samefile(top / "tmp/x")
    assert os.getxattr(done / "new", "user.overlay.opaque") == b"y"
    assert (done / "plain").stat().st_mtime_ns == (top / "plain").stat().st_mtime_ns

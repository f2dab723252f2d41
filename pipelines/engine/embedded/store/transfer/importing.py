"""Reading a cache in that was written out elsewhere."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING, Any, NamedTuple

from pipelines.engine.embedded import shapes
from pipelines.engine.embedded.errors import InvalidInput, NotFound, Unreadable
from pipelines.engine.embedded.store.disk_full import disk_full_errors
from pipelines.engine.embedded.store.objects.workspace import BLOBS, LAYERS, OUTPUTS, VOLUMES
from pipelines.engine.embedded.store.transfer.archive import unpack
from pipelines.engine.embedded.store.transfer.format import BLOCK, MANIFEST, OBJECTS, VERSION, HashingFile, Transfer
from pipelines.engine.embedded.store.trees.removing import remove
from pipelines.engine.embedded.store.volumes import volume_name
from pipelines.engine.embedded.tars import Damaged, shown
from pipelines.foundation.clock import unix_time
from pipelines.foundation.regular_files import NotRegularError, reading

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.engine.embedded.store.objects.pins import Pins
    from pipelines.engine.embedded.store.objects.workspace import Workspace

_NAMES = {
    "layer": re.compile(rf"{LAYERS}/[a-z2-7]{{7}}[0-9a-z]{{1,8}}"),
    "file": re.compile(rf"{OUTPUTS}/[a-z2-7]{{7}}[0-9a-z]{{1,8}}|{BLOBS}/[0-9a-f]{{64}}"),
    "volume": re.compile(rf"{VOLUMES}/[0-9a-f]{{32}}"),
}
_LARGEST = 256 << 20  # bytes of the manifest; a result takes a few hundred
_RESULT = shapes.fields(
    {
        "key": shapes.text,
        "payload": shapes.text,
        "label": shapes.text,
        "cost": shapes.quantity,
        "used": shapes.quantity,
        "uses": shapes.listed(shapes.text),
        "aliases": shapes.listed(shapes.text),
    },
    "key",
    "payload",
    "label",
    "cost",
    "used",
    "uses",
    "aliases",
)
_MANIFEST = shapes.fields(
    {
        "version": shapes.number,
        "mode": shapes.text,
        "objects": shapes.mapped(shapes.listed(shapes.anything, 5)),
        "results": shapes.listed(_RESULT, 10_000_000),
    },
    "version",
    "mode",
    "objects",
    "results",
)
_OBJECT = shapes.fields(
    {"kind": shapes.text, "key": shapes.text, "size": shapes.size, "plain": shapes.number, "digest": shapes.text},
    "kind",
    "size",
    "plain",
    "digest",
)
_ADD = "INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?)"


def import_cache(workspace: Workspace, pins: Pins, folder: Path, *, mode: str) -> Transfer:
    """Add what `export_cache` wrote. What the store has already stays as it is; what is damaged is left out, with all that needs it.

    Args:
        workspace: the session's.
        pins: hold what comes in.
        folder: where from.
        mode: of this store.

    Raises:
        NotFound: there is no exported cache.
        InvalidInput: it is of another mode or version, or not a cache at all.
    """
    manifest = _manifest(folder, mode)
    reader = _Reader(workspace, pins, folder / OBJECTS)
    with disk_full_errors(workspace.root):
        present = {name for name, entry in manifest["objects"].items() if reader.read(name, entry)}
    results = [result for result in manifest["results"] if present.issuperset(result["uses"]) and _is_object(result["payload"])]
    with workspace.index.writing() as db:
        for result in results:
            row = (result["key"], result["payload"], result["label"], result["cost"], result["used"])
            if db.execute("INSERT OR IGNORE INTO results VALUES (?, ?, ?, ?, ?)", row).rowcount:
                db.executemany("INSERT OR IGNORE INTO uses VALUES (?, ?)", [(result["key"], name) for name in result["uses"]])
                db.executemany("INSERT OR IGNORE INTO aliases VALUES (?, ?)", [(alias, result["key"]) for alias in result["aliases"]])
    return Transfer(len(results), len(present), reader.written, tuple(reader.skipped))


def _manifest(folder: Path, mode: str) -> dict[str, Any]:
    path = folder / MANIFEST
    try:
        manifest: dict[str, Any] = shapes.read(_text(path), _MANIFEST, largest=_LARGEST)
    except FileNotFoundError as error:
        raise NotFound(
            f"{folder} does not hold an exported cache: {MANIFEST} is missing. Make one with `lockgate-engine cache export {folder}`"
        ) from error
    except Damaged as error:
        raise InvalidInput(f"{path} is not an exported cache: {error}") from None
    except OSError as error:
        raise Unreadable(f"{path} cannot be read: {(error.strerror or '').lower()}") from error
    version, written = manifest["version"], manifest["mode"]
    if version != VERSION:
        raise InvalidInput(f"{path} is of version {version}, this engine reads version {VERSION}: export it again")
    if written != mode:
        raise InvalidInput(f"{path} was written by an engine in {written} mode; this one runs in {mode} mode and cannot use its layers")
    return manifest


def _text(path: Path) -> bytes:
    with reading(path, follow=True) as file:
        return file.read(_LARGEST + 1)


class _Object(NamedTuple):
    """An object as the manifest has it; the first five are the index's columns."""

    name: str
    kind: str
    key: str | None
    size: int
    plain: int
    digest: str


class _Reader:
    """Brings objects in."""

    def __init__(self, workspace: Workspace, pins: Pins, source: Path) -> None:
        self._workspace = workspace
        self._pins = pins
        self._source = source
        self.written = 0
        self.skipped: list[str] = []

    def read(self, name: str, entry: list[Any]) -> bool:
        """Whether the store has the object now."""
        with self._workspace.index.reading() as db:
            if db.execute("SELECT 1 FROM objects WHERE name = ?", (name,)).fetchone():
                return True
        try:
            self._bring(_checked(name, entry))
        except (InvalidInput, FileNotFoundError, NotRegularError) as error:
            self.skipped.append(f"{shown(name)}: {error}")
            return False
        self.written += 1
        return True

    def _bring(self, wanted: _Object) -> None:
        folder = self._workspace.new_folder()
        content = folder / "u"
        try:
            found = _copy(self._source / wanted.digest, content, tree=wanted.kind != "file")
            if found != wanted.digest:
                raise InvalidInput(f"damaged: its content is {found}, not {wanted.digest}")
            with self._workspace.index.writing() as db:
                if db.execute("SELECT 1 FROM objects WHERE name = ?", (wanted.name,)).fetchone() is None:
                    self._workspace.publish(content, wanted.name)
                    db.execute(_ADD, (*wanted[:-1], unix_time()))
                self._pins.add(db, {wanted.name: bool(wanted.plain)})
        finally:
            remove(folder, self._workspace.tmp)


def _is_object(payload: str) -> bool:
    """Whether a payload is what the store gives out: a JSON object."""
    try:
        return isinstance(json.loads(payload), dict)
    except (ValueError, RecursionError):
        return False


def _checked(name: str, entry: list[Any]) -> _Object:
    """A manifest is input: no name in it may lead anywhere but where such an object belongs."""
    try:
        facts = dict(zip(("kind", "key", "size", "plain", "digest"), entry, strict=True))
        _OBJECT(facts, "it")
        wanted = _Object(name, **facts)
        good = bool(_NAMES[wanted.kind].fullmatch(name) and re.fullmatch(r"[0-9a-f]{64}", wanted.digest))
    except (KeyError, ValueError, Damaged) as error:
        raise InvalidInput(f"not an object: {error}") from None
    if wanted.kind == "volume":
        good = good and volume_name(str(wanted.key)) == name
    if name.startswith(BLOBS):
        good = good and name.endswith(wanted.digest)
    if not good:
        raise InvalidInput("the name does not match the content")
    return wanted


def _copy(source: Path, target: Path, *, tree: bool) -> str:
    """Copy a file, or unpack it as a tree; the digest of what was read."""
    with reading(source) as file:
        stream = HashingFile(file)
        if tree:
            target.mkdir()
            unpack(stream, target)
            while stream.read(BLOCK):
                pass
        else:
            with target.open("xb") as out:
                shutil.copyfileobj(stream, out, BLOCK)
        return stream.hexdigest()

"""A repository of our own that reads the objects of one that somebody else made.

Git does what a repository's own files say: its configuration includes other files and names programs to run; `commondir`, `alternates` and
a file called `.git` lead to other folders of the machine. So git is never started on a repository from a container or a client. It gets a
new one, which has the refs of the other, reads its objects, and says of itself only what is written here.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from pipelines.engine.embedded.errors import EmbeddedUnavailable, InvalidInput, NotFound
from pipelines.engine.embedded.ops.values.states import inside
from pipelines.foundation.process.blocking import run_blocking

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipelines.engine.embedded.store.trees.root import Root

FILES = ("HEAD", "packed-refs", "shallow")
FOLDERS = ("refs", "reftable")
ELSEWHERE = ("objects/info/alternates", "objects/info/http-alternates")  # files that send git to other objects
LARGEST = 64 << 20  # bytes of a file that is copied: packed-refs of a million refs
FORMATS = {"extensions.objectformat": ("sha1", "sha256"), "extensions.refstorage": ("files", "reftable")}


def check(root: Root, base: str) -> str:
    """Where git's files are, below the directory `base`: in `.git`, or in itself where it is a bare repository.

    Raises:
        InvalidInput: there are none, or they lead elsewhere.
    """
    path = inside(base, ".git")
    kind = _kind(root, path)
    if kind not in {0, stat.S_IFDIR}:
        raise InvalidInput("git error: `.git` is not a folder: it leads out of the directory; give the directory that has the repository")
    if not kind:
        path = base
    if any(_kind(root, inside(path, name)) != stat.S_IFDIR for name in ("objects", "refs")):
        raise InvalidInput("git error: not a git repository")
    for rel, mode in _used(root, path):
        if rel in ELSEWHERE or stat.S_ISLNK(mode):
            raise InvalidInput(f"git error: the repository's {rel} leads out of it")
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise InvalidInput(f"git error: the repository's {rel} is neither a file nor a folder")
    return path


def make_copy(root: Root, path: str, target: Path) -> None:
    """Make the empty folder `target` a bare repository with the refs of the checked one at `path`. It reads that one's objects.

    So it can be read as long as that one can.

    Raises:
        InvalidInput: its configuration cannot be read.
        EmbeddedUnavailable: git is not installed.
    """
    from pipelines.engine.embedded.store.trees.copy import copy_tree
    from pipelines.engine.embedded.store.trees.root import Root

    ours = Root(target)
    ours.write("/objects/info/alternates", os.fsencode(root.locate(inside(path, "objects"))) + b"\n")
    for name in FOLDERS:
        if _kind(root, inside(path, name)):
            copy_tree(root, inside(path, name), ours, f"/{name}", owner="caller")
    for name in FILES:
        if _kind(root, inside(path, name)):
            ours.write(f"/{name}", _small(root, path, name))
    config = _small(root, path, "config") if _kind(root, inside(path, "config")) else b""
    ours.write("/config", _config(config, target).encode())


def _config(theirs: bytes, folder: Path) -> str:
    """Ours: of theirs only the formats of objects and refs."""
    formats = {name: value for name, allowed in FORMATS.items() if (value := _setting(theirs, name, folder)) in allowed}
    lines = ["[core]", "bare = true", f"repositoryformatversion = {int(bool(formats))}", "[gc]", "auto = 0", "[extensions]"]
    return "\n".join([*lines, *(f"{name.partition('.')[2]} = {value}" for name, value in formats.items())]) + "\n"


def _setting(config: bytes, name: str, folder: Path) -> str:
    """A value of a configuration, without what that includes; "" when it has none."""
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CEILING_DIRECTORIES": str(folder.parent),
    }
    try:
        done = run_blocking(["git", "config", "--file", "-", "--no-includes", "--get", name], env=environment, cwd=folder, stdin=config)
    except FileNotFoundError:
        raise EmbeddedUnavailable("git reads repositories, and it is not installed: install the package git") from None
    if done.code not in {0, 1}:
        raise InvalidInput(f"git error: the repository's configuration cannot be read: {done.complaint}")
    return done.text.strip().lower()


def _used(root: Root, path: str) -> Iterator[tuple[str, int]]:
    """What of a repository is read: relative paths and their modes."""
    for name in (*FILES, "config"):
        if mode := _mode(root, inside(path, name)):
            yield name, mode
    for name in ("objects", *FOLDERS):
        if mode := _mode(root, inside(path, name)):
            yield name, mode
            if stat.S_ISDIR(mode):
                yield from ((f"{name}/{rel}", facts.st_mode) for rel, facts in root.walk(inside(path, name)))


def _small(root: Root, path: str, name: str) -> bytes:
    with root.open(inside(path, name)) as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise InvalidInput(f"git error: the repository's {name} is larger than {LARGEST >> 20} MiB")
    return data


def _kind(root: Root, path: str) -> int:
    return stat.S_IFMT(_mode(root, path))


def _mode(root: Root, path: str) -> int:
    try:
        return root.stat(path, follow=False).st_mode
    except NotFound:
        return 0

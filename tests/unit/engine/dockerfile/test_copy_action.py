"""What COPY does to a tree: each row is a source tree, the image before, and the words of COPY; right values are BuildKit's."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from pipelines.engine.embedded.dockerfile.building.copy import CopySources, LinkedTree
from pipelines.engine.embedded.dockerfile.instructions.copy import CopyInstruction
from pipelines.engine.embedded.dockerfile.plan.stages import plan
from pipelines.engine.embedded.errors import EngineError
from pipelines.engine.embedded.ops.values.op import SCRATCH_OP
from pipelines.engine.embedded.store.trees.root import Root

if TYPE_CHECKING:
    from pathlib import Path

Tree = dict[str, str]  # path: content of a file, "->target" of a link, "/MODE" of a folder

CONTEXT: Tree = {
    "a.txt": "a",
    "b.txt": "b",
    "doc/one.md": "1",
    "doc/two.txt": "2",
    "doc/deep/three.md": "3",
    "lib": "/700",
    "lib/core/x.py": "x",
    "lib/core/test/y.py": "y",
    "lib/more/x.py": "z",
    "to-a": "->a.txt",
    "to-doc": "->doc",
    "star[1].txt": "s",
}


def make(root: Path, tree: Tree) -> Root:
    root.mkdir()
    for rel, what in tree.items():
        path = root / rel
        path.parent.mkdir(parents=True, exist_ok=True)
        if what.startswith("->"):
            path.symlink_to(what[2:])
        elif what.startswith("/"):
            path.mkdir(exist_ok=True)
            path.chmod(int(what[1:], 8))
        else:
            path.write_text(what)
    return Root(root)


def shown(root: Path) -> Tree:
    """Files and links by content, empty folders by mode."""
    tree = {}
    for path in sorted(root.rglob("*")):
        rel = str(path.relative_to(root))
        if path.is_symlink():
            tree[rel] = f"->{path.readlink()}"
        elif path.is_file():
            tree[rel] = path.read_text()
        elif not any(path.iterdir()):
            tree[rel] = f"/{stat.S_IMODE(path.stat().st_mode):o}"
    return tree


def copied(folder: Path, words: str, image: Tree, context: Tree) -> Path:
    """The image after `COPY words`."""
    step = plan(f"FROM scratch\nCOPY {words}\n").stages[0].steps[0]
    assert isinstance(step, CopyInstruction)
    step.check()
    action = CopySources(SCRATCH_OP, "/", step.sources(), step.destination("/"), step.inline, step.chown, step.chmod, step.exclude)
    root, source = make(folder / "image", image), make(folder / "context", context)
    if not step.linked:
        action.apply(root, [source])
        return root.path
    upper = make(folder / "upper", {})
    action.apply(upper, [source])
    LinkedTree(SCRATCH_OP).apply(root, [upper])
    return root.path


DOC = {"d/deep/three.md": "3", "d/one.md": "1", "d/two.txt": "2"}


@pytest.mark.parametrize(
    ("words", "image", "result"),
    [
        # where it goes
        ("a.txt /x", {}, {"x": "a"}),
        ("a.txt /x/", {}, {"x/a.txt": "a"}),
        ("a.txt /x", {"x": "/755"}, {"x/a.txt": "a"}),
        ("a.txt b.txt /x", {}, {"x": "b"}),  # no slash, nothing there: one file after the other
        ("a.txt b.txt /x/", {}, {"x/a.txt": "a", "x/b.txt": "b"}),
        ("doc /d", {}, DOC),
        ("doc/ /d/", {"d/old": "o"}, {**DOC, "d/old": "o"}),
        ("a.txt /to/x", {"to": "->real", "real": "/755"}, {"real/x": "a", "to": "->real"}),
        ("a.txt /to", {"to": "->far/x"}, {"far/x": "a", "to": "->far/x"}),  # a link to nothing: what it leads to is made
        ("a.txt /d/", {"d/a.txt": "->../keep", "keep": "k"}, {"d/a.txt": "a", "keep": "k"}),  # a link in a folder is replaced
        # what is copied
        ("to-a /x/", {}, {"x/to-a": "a"}),
        ("to-doc /d", {}, DOC),
        ("*.none a.txt* /x/", {}, {"x/a.txt": "a"}),
        ("*.none /x/", {"y": "1"}, {"y": "1"}),
        ("doc/*.md /x/", {}, {"x/one.md": "1"}),
        ("lib/*/x.py /x/", {}, {"x/x.py": "z"}),
        ("to-*/one.md /x/", {}, {}),  # no link is followed after a wildcard
        ("star[1].txt /x/", {}, {}),  # `[1]` is a wildcard, also where a file is called so
        ("star[[]1].txt /x/", {}, {"x/star[1].txt": "s"}),
        # --exclude counts inside a source, not for the source itself
        ("--exclude=*.md doc /d", {}, {"d/two.txt": "2", "d/deep/three.md": "3"}),
        ("--exclude=**/*.md doc /d", {}, {"d/two.txt": "2", "d/deep": "/755"}),
        ("--exclude=* --exclude=!one.md doc /d", {}, {"d/one.md": "1"}),
        ("--exclude=*.txt a.txt /x/", {}, {"x/a.txt": "a"}),
        # --parents
        ("--parents a.txt /x/", {}, {"x/a.txt": "a"}),
        ("--parents doc/one.md doc/deep /x/", {}, {"x/doc/one.md": "1", "x/doc/deep/three.md": "3"}),
        ("--parents lib/./core/x.py /x/", {}, {"x/core/x.py": "x"}),
        ("--parents ./lib/core/. /x/", {}, {"x/lib/core/x.py": "x", "x/lib/core/test/y.py": "y"}),
        ("--parents lib/*/./x.py /x/", {}, {"x/x.py": "z"}),
        ("--parents lib/./*/x.py /x/", {}, {"x/core/x.py": "x", "x/more/x.py": "z"}),
        ("--parents **/y.py /x/", {}, {"x/lib/core/test/y.py": "y"}),
        ("--parents --exclude=**/test lib/core /x/", {}, {"x/lib/core/x.py": "x"}),
        ("--parents none* /x/", {}, {"x": "/755"}),
        # --link
        ("--link a.txt /to/x", {"to": "->real", "real": "/755"}, {"real": "/755", "to/x": "a"}),
        ("--link --chmod=600 a.txt /to/x", {"to": "->real", "real": "/755"}, {"real/x": "a", "to": "->real"}),
    ],
)
def test_what_lies_where(tmp_path: Path, words: str, image: Tree, result: Tree) -> None:
    assert shown(copied(tmp_path, words, image, CONTEXT)) == result


@pytest.mark.parametrize(
    ("words", "image", "modes"),
    [
        ("lib /x", {}, {"x": 0o755, "x/core": 0o755}),  # the folder copied into is made new, not like the source
        ("lib /x", {"x": "/750"}, {"x": 0o750}),
        ("lib /x", {"x/core": "/711"}, {"x/core": 0o755}),  # folders inside become like the source's
        ("--parents lib/core /x/", {}, {"x": 0o755, "x/lib": 0o700}),
        ("--chmod=750 a.txt /p/q/f", {}, {"p/q/f": 0o750, "p/q": 0o750, "p": 0o750}),
        ("--chmod=u=rwx,go=x doc /p/d", {}, {"p": 0o755, "p/d": 0o755, "p/d/one.md": 0o711, "p/d/deep": 0o711}),
        ("--chmod=go-rwX --exclude=*.txt doc /d", {}, {"d/one.md": 0o600, "d/deep": 0o700}),
        ("--chmod=04755 a.txt /f", {}, {"f": 0o4755}),
        ("--chmod=4711 --exclude=one.md doc /d", {"d/two.txt": "old"}, {"d/two.txt": 0o4711, "d/deep": 0o4711}),
        ("--link a.txt /t/x", {"t": "/1777"}, {"t": 0o755}),  # a layer of its own brings its folders' modes
    ],
)
def test_modes(tmp_path: Path, words: str, image: Tree, modes: dict[str, int]) -> None:
    root = copied(tmp_path, words, image, CONTEXT)
    assert {path: stat.S_IMODE((root / path).stat().st_mode) for path in modes} == modes


@pytest.mark.parametrize(
    ("words", "image", "message"),
    [
        ("nothing /x", {}, "lstat /nothing: no such file or directory"),
        ("nothing/*.txt /x", {}, r"lstat /nothing/\*.txt: no such file or directory"),
        ("--parents doc/nothing /x/", {}, "lstat /doc/nothing: no such file or directory"),
        ("--parents to-doc/one.md /x/", {}, "lstat /to-doc/one.md: no such file or directory"),  # --parents follows no link
        ("doc /x", {"x": "file"}, "cannot copy to non-directory: /x"),
        ("lib /x", {"x/core": "->/elsewhere", "elsewhere": "/755"}, "cannot copy to non-directory: /x/core"),
        ("a.txt /d/", {"d/a.txt": "/755"}, "cannot replace to directory /d/a.txt with file"),
        ("doc /d", {"d/one.md": "/755"}, "cannot replace to directory /d/one.md with file"),
    ],
)
def test_what_is_in_the_way_or_missing_is_named(tmp_path: Path, words: str, image: Tree, message: str) -> None:
    with pytest.raises(EngineError, match=message):
        copied(tmp_path, words, image, CONTEXT)


def test_a_file_in_the_dockerfile_takes_the_place_of_a_link(tmp_path: Path) -> None:
    root = copied(tmp_path, "<<note a.txt /d/\nhello\nnote", {"d/note": "->../kept", "kept": "k"}, CONTEXT)
    assert shown(root) == {"d/note": "hello\n", "d/a.txt": "a", "kept": "k"}

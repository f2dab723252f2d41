"""The rooms that touch files of containers open none on their own: every file goes through `pipelines.foundation.regular_files`."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import pipelines.engine.embedded as engine

ROOMS = ("ops", "store", "dockerfile", "api")
READERS = {"read_bytes", "read_text", "write_bytes", "write_text", "touch", "copyfile", "copy2", "copytree", "truncate"}
HARMLESS = {"O_DIRECTORY", "O_PATH"}  # neither opens a device or waits for a pipe
OURS = {  # files that only the engine writes, in folders that only it can reach; or open files and archives, not paths
    "store/transfer/archive.py": {"open"},
    "store/transfer/importing.py": {"open", "read_text"},
    "store/objects/sessions.py": {"open"},
    "store/space/reserve.py": {"open"},
    "store/objects/locks.py": {"open"},
    "api/schema/sdk.py": {"read_bytes", "read_text", "write_bytes"},
    "api/schema/sdk_schema.py": {"read_bytes"},
}
METHODS = {"root", "self._origin", "source", "Root(view.path)", "Store", "Switch", "self._views", "self", "draft", "place"}


def opens(source: str) -> set[str]:
    """The names of calls that open a file by its path."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr if isinstance(node.func, ast.Attribute) else ""
        if name in READERS and isinstance(node.func, ast.Attribute):
            found.add(name)
        if name == "open" and not _harmless(node):
            found.add(name)
    return found


def _harmless(node: ast.Call) -> bool:
    words = ast.unparse(node)
    if isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) in METHODS:
        return True
    return any(flag in words for flag in HARMLESS) or "_FOLDER" in words


@pytest.mark.parametrize("room", ROOMS)
def test_no_file_is_opened_but_as_a_regular_file(room: str) -> None:
    base = Path(engine.__file__).parent
    stray = {}
    for path in sorted((base / room).rglob("*.py")):
        name = str(path.relative_to(base))
        if found := opens(path.read_text()) - OURS.get(name, set()):
            stray[name] = found
    assert stray == {}


def test_the_search_finds_what_it_looks_for() -> None:
    assert opens("os.open(path, os.O_RDONLY)") == {"open"}
    assert opens("path.open('rb')") == {"open"}
    assert opens("open(path)") == {"open"}
    assert opens("path.read_bytes()") == {"read_bytes"}
    assert opens("os.open(path, os.O_RDONLY | os.O_DIRECTORY)") == set()

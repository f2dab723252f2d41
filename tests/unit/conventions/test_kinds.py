"""Nothing but the steps themselves knows the name of a kind of step."""

from __future__ import annotations

import ast
from pathlib import Path

import pipelines
from pipelines.steps.kinds import KINDS

HOUSE = Path(next(iter(pipelines.__path__)))
ROOMS = ("cli", "config", "flow", "foundation", "model", "providers", "registry", "report")
FILES = sorted(file for room in ROOMS for file in (HOUSE / room).rglob("*.py"))
KIND_NAMES = {kind.name for kind in KINDS}


def known_kinds(source: str) -> list[str]:
    """Imports of a kind's package, names that are compared with text, and steps or sections that are looked up by name."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pipelines.steps."):
            found += [node.module or ""] if (node.module or "").split(".")[2] in KIND_NAMES else []
        elif isinstance(node, ast.ImportFrom) and node.module == "pipelines.steps":
            found += [name.name for name in node.names if name.name in KIND_NAMES]
        elif isinstance(node, ast.Compare | ast.Subscript | ast.Set | ast.Call):
            found += [name for part in ast.iter_child_nodes(node) for name in _kind(part) if _about_kinds(node)]
    return found


def _kind(node: ast.AST) -> list[str]:
    return [str(node.value)] if isinstance(node, ast.Constant) and node.value in KIND_NAMES else []


def _about_kinds(node: ast.AST) -> bool:
    """Whether the expression speaks of a kind, of steps or of sections: `step.kind == "test"`, `project.steps["scan"]`."""
    return isinstance(node, ast.Set) or any(word in ast.unparse(node) for word in ("kind", "steps", "section"))


def test_no_other_room_knows_a_kind() -> None:
    found = {str(file.relative_to(HOUSE)): known_kinds(file.read_text(encoding="utf-8")) for file in FILES}
    assert {file: names for file, names in found.items() if names} == {}


def test_the_rule_finds_what_it_is_for() -> None:
    assert known_kinds("from pipelines.steps.image.spec import ImageSpec") == ["pipelines.steps.image.spec"]
    assert known_kinds("from pipelines.steps import scan") == ["scan"]
    assert known_kinds('if step.kind == "publish": ...') == ["publish"]
    assert known_kinds('project.steps.get("perf")') == ["perf"]
    assert known_kinds('KINDS = {"test", "other"}') == ["test"]
    assert known_kinds('options["publish"]') == []

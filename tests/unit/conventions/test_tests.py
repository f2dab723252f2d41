"""A test can fail: it asserts something, or says in its docstring what fails when it does."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parents[2]
ASSERTING = re.compile(r"raises|assert|check|expect|verify|validate|fail_after|timeout|wait_for")
"""In the name of what a test calls: it fails by itself, or by a limit of time."""
PROPERTY = "given"


@cache
def functions(path: Path) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.parse(path.read_text())
    return {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def can_fail(node: ast.AST, helpers: dict[str, ast.FunctionDef | ast.AsyncFunctionDef]) -> bool:
    """Whether a function asserts, itself or by a helper of its file."""
    decorators = getattr(node, "decorator_list", [])
    if any(isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == PROPERTY for decorator in decorators):
        return True  # no value may raise
    for inner in ast.walk(node):
        if isinstance(inner, ast.Assert):
            return True
        if isinstance(inner, ast.Call):
            name = ast.unparse(inner.func)
            if ASSERTING.search(name):
                return True
            helper = helpers.get(name)
            if helper is not None and helper is not node and can_fail(helper, {k: v for k, v in helpers.items() if k != name}):
                return True
    return False


def test_every_test_can_fail() -> None:
    silent = []
    for path in sorted(TESTS.rglob("test_*.py")):
        for name, node in functions(path).items():
            if name.startswith("test_") and not can_fail(node, functions(path)) and not ast.get_docstring(node):
                silent.append(f"{path.relative_to(TESTS)}:{node.lineno}: {name}")
    assert silent == [], "these assert nothing: let them, or say in a docstring what fails (an exception, a time limit)"


def test_what_counts_as_an_assertion() -> None:
    source = """
def test_direct(): assert 1
def test_raises():
    with pytest.raises(ValueError): ...
def test_by_a_helper(): helper()
def test_by_nothing(): call()
def helper(): inner()
def inner(): assert True
def call(): call()
"""
    found = {node.name: node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}
    assert {name for name, node in found.items() if name.startswith("test_") and can_fail(node, dict(found))} == {
        "test_direct",
        "test_raises",
        "test_by_a_helper",
    }

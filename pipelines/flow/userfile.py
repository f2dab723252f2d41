"""lockgate.py beside the configuration: steps in Python, with the same standing as built-in ones."""

from __future__ import annotations

import ast
import sys
import traceback
from dataclasses import dataclass, replace
from types import ModuleType
from typing import TYPE_CHECKING

from pipelines.engine.sdk_import import keep_argument_checks
from pipelines.errors import UsageError
from pipelines.flow.annotations import RENAMED
from pipelines.flow.api import definition_of
from pipelines.foundation.exceptions import described, message_of
from pipelines.foundation.regular_files import read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from pipelines.steps.definition import StepDef

FILE = "lockgate.py"
_MODULE = "lockgate_project"
_HEAVY = "dagger"
_HARMLESS = sys.stdlib_module_names | {"pipelines"}


@dataclass(frozen=True, slots=True)
class UserSteps:
    """The steps a project adds, and hints about how they are written."""

    steps: tuple[StepDef, ...] = ()
    notes: tuple[str, ...] = ()


def user_steps(root: Path) -> UserSteps:
    """Run the project's lockgate.py, if there is one, and collect the functions marked `@pipeline.step`, in the order they are named.

    Raises:
        UsageError: the file cannot be read, is not Python, or fails while it runs; names the line.
    """
    path = root / FILE
    if not path.is_file():
        return UserSteps()
    tree = _parse(path)
    keep_argument_checks()
    module = _run(path, tree)
    connected = uses_others(tree)
    steps = (replace(step, uses_engine=connected) for step in _definitions(vars(module).values()))
    return UserSteps(tuple(steps), tuple(_hints(tree)))


def uses_others(tree: ast.Module) -> bool:
    """Whether a file imports, anywhere in it, what is neither Python's own nor ours: `dagger`, or something that may use it.

    What is imported for types only does not count.
    """
    todo: list[ast.AST] = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            todo += node.orelse
            continue
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module or ""]
        else:
            todo += ast.iter_child_nodes(node)
            continue
        if any(module.partition(".")[0] not in _HARMLESS for module in modules):
            return True
    return False


def _parse(path: Path) -> ast.Module:
    try:
        return ast.parse(read_bytes(path), filename=str(path))
    except SyntaxError as error:
        raise UsageError(f"{path}:{error.lineno}: {error.msg}", next_step=f"correct {path.name}") from error
    except (OSError, ValueError, RecursionError, MemoryError) as error:
        raise UsageError(f"{path} cannot be read: {message_of(error) or type(error).__name__}") from error


def _run(path: Path, tree: ast.Module) -> ModuleType:
    module = ModuleType(_MODULE)
    module.__file__ = str(path)
    sys.modules[_MODULE] = module  # dataclasses look their module up
    folder = str(path.parent)
    if folder not in sys.path:
        sys.path.append(folder)  # last, so that no file of the project can stand in for a library we import later
    try:
        exec(compile(tree, str(path), "exec", dont_inherit=True), vars(module))  # noqa: S102 - the project's own code, as a Makefile or conftest.py
    except (UsageError, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise UsageError(
            f"{path}:{_line(error, path)}: {described(error)}", cause=f"{path.name} fails when it is read", next_step=_remedy(error, path)
        ) from error
    return module


def _line(error: BaseException, path: Path) -> int | str:
    """The last line of the file on the way to the error."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return lines[-1] if lines and lines[-1] is not None else "?"


def _remedy(error: BaseException, path: Path) -> str:
    if isinstance(error, NameError) and error.name == _HEAVY:
        return "begin the file with `from __future__ import annotations`: annotations are matched as text"
    if isinstance(error, ImportError) and error.name == "pipelines":
        return next((f"{old} is now {now}" for old, now in RENAMED.items() if f"'{old}'" in str(error)), f"try: python {path}")
    return f"try: python {path}"


def _definitions(values: Iterable[object]) -> Iterator[StepDef]:
    """Definitions of the marked functions, each function once however many names it has."""
    seen: set[int] = set()
    for value in values:
        definition = definition_of(value)
        if definition is not None and id(value) not in seen:
            seen.add(id(value))
            yield definition


def _hints(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module or ""]
        else:
            continue
        if any(module.partition(".")[0] == _HEAVY for module in modules):
            yield (
                f"{FILE}:{node.lineno} imports dagger for every plan (about 1 s): put it under `if TYPE_CHECKING:`, "
                "and take the client as a parameter annotated dagger.Client"
            )

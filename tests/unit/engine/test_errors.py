from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

import pytest

from pipelines.engine import embedded
from pipelines.engine.codes import Code
from pipelines.engine.embedded import errors

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_an_exec_error_tells_a_client_all_it_needs() -> None:
    error = errors.ExecError(("sh", "-c", "exit 7"), 7, "so", "far")
    assert str(error) == error.message == "exit code: 7"
    assert error.extensions() == {
        "code": "COMMAND_FAILED",
        "_type": "EXEC_ERROR",
        "cmd": ["sh", "-c", "exit 7"],
        "exitCode": 7,
        "stdout": "so",
        "stderr": "far",
    }


def test_an_exec_error_may_be_worded_otherwise() -> None:
    assert errors.ExecError([], 3, "", "", "start web: exit code: 3").message == "start web: exit code: 3"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (errors.Unsupported("Query.llm"), "Query.llm is not supported by the embedded engine: it needs a Dagger engine"),
        (
            errors.Unsupported("Container.withExec", "noInit"),
            "Container.withExec(noInit:) is not supported by the embedded engine: it needs a Dagger engine",
        ),
    ],
)
def test_what_is_unsupported_is_named(error: errors.Unsupported, message: str) -> None:
    assert error.message == message
    assert error.extensions() == {"code": "UNSUPPORTED", "_type": "UNSUPPORTED"}


def test_a_missing_path_is_worded_as_by_stat() -> None:
    error = errors.NotFound.stat("/nope")
    assert error.message == "stat /nope: no such file or directory"
    assert error.extensions() == {"code": "NOT_FOUND"}


def test_the_engine_being_unavailable_has_its_exit_code() -> None:
    assert errors.EmbeddedUnavailable("no").exit_code == 4


def classes(root: type[errors.EngineError]) -> Iterator[type[errors.EngineError]]:
    yield root
    for child in root.__subclasses__():
        yield from classes(child)


def test_every_error_of_the_engine_has_a_code_of_the_list_and_every_code_an_error() -> None:
    for module in pkgutil.walk_packages(embedded.__path__, f"{embedded.__name__}."):
        if not module.name.endswith(("__main__", ".main")):
            importlib.import_module(module.name)
    every = {kind for kind in classes(errors.EngineError) if kind.__module__.startswith("pipelines.")}
    assert len(every) > 25
    assert [kind.__name__ for kind in every if type(kind.code) is not Code] == []
    assert {kind.code for kind in every} == set(Code)
    assert [kind.__name__ for kind in every if kind is not errors.EngineError and kind.code is Code.FAILED] == []


def test_a_registrys_error_names_the_registry() -> None:
    assert errors.RegistryBusy("429", "r.example.com").extensions() == {"code": "REGISTRY_BUSY", "registry": "r.example.com"}
    assert errors.RegistryBusy("429").extensions() == {"code": "REGISTRY_BUSY"}

from __future__ import annotations

import pytest

from pipelines.engine.embedded import errors


def test_an_exec_error_tells_a_client_all_it_needs() -> None:
    error = errors.ExecError(("sh", "-c", "exit 7"), 7, "so", "far")
    assert str(error) == error.message == "exit code: 7"
    assert error.extensions() == {"_type": "EXEC_ERROR", "cmd": ["sh", "-c", "exit 7"], "exitCode": 7, "stdout": "so", "stderr": "far"}


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
    assert error.extensions() == {"_type": "UNSUPPORTED"}


def test_a_missing_path_is_worded_as_by_stat() -> None:
    error = errors.NotFound.stat("/nope")
    assert error.message == "stat /nope: no such file or directory"
    assert error.extensions() == {}


def test_the_engine_being_unavailable_has_its_exit_code() -> None:
    assert errors.Unavailable("no").exit_code == 4

"""Values that fit their type and nothing else: one clean error, never an internal one, and the session goes on."""

from __future__ import annotations

import dagger
import pytest
from dagger import dag

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("engine")]

LONG = "x" * 300
DEEP = "x/" * 3000 + "x"


@pytest.mark.parametrize(
    "asked",
    [
        lambda: dag.directory().with_new_file("a\0b", "").entries(),
        lambda: dag.directory().with_new_file(DEEP, "").entries(),
        lambda: dag.directory().with_new_file(LONG, "").entries(),
        lambda: dag.directory().with_symlink("a", DEEP).entries(),
        lambda: dag.directory().with_new_file("a", "", permissions=2**31 - 1).entries(),
        lambda: dag.directory().with_new_directory("a", permissions=-1).entries(),
        lambda: dag.directory().export("a\0b"),
        lambda: dag.directory().export(LONG),
        lambda: dag.file("f", "").export(DEEP),
        lambda: dag.container().export(LONG),
        lambda: dag.container().with_env_variable("A", "\0").env_variable("A"),
        lambda: dag.git("a\0b").head().commit(),
        lambda: dag.http("https://[::").contents(),
        lambda: dag.directory().glob("[" * 5000),
    ],
)  # fmt: skip
async def test_values_that_no_system_takes_are_refused(asked: object, is_real: bool) -> None:
    assert callable(asked)
    with pytest.raises(dagger.QueryError) as refused:
        await asked()
    assert is_real or "internal error" not in str(refused.value)
    assert await dag.directory().with_new_file("a", "\0").file("a").size() == 1

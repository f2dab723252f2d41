"""Values that fit their type and nothing else: one clean error, never an internal one, and the session goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagger
import pytest
from dagger import dag

if TYPE_CHECKING:
    from pathlib import Path

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
        lambda: dag.directory().export("a\0b"),
        lambda: dag.directory().export(LONG),
        lambda: dag.file("f", "").export(DEEP),
        lambda: dag.container().export(LONG),
        lambda: dag.git("a\0b").head().commit(),
        lambda: dag.http("https://[::").contents(),
        lambda: dag.directory().glob("[" * 5000),
        lambda: dag.http("http://127.0.0.1:1/a\r\nX: y").contents(),
        lambda: dag.container().with_exposed_port(80).as_service().up(ports=[dagger.PortForward(backend=80, frontend=-1)]),
        lambda: dag.container().with_exposed_port(80).as_service().up(ports=[dagger.PortForward(backend=1 << 20)]),
    ],
)  # fmt: skip
async def test_values_that_no_system_takes_are_refused(asked: object, is_real: bool) -> None:
    assert callable(asked)
    with pytest.raises(dagger.QueryError) as refused:
        await asked()
    assert is_real or "internal error" not in str(refused.value)
    assert await dag.directory().with_new_file("a", "\0").file("a").size() == 1


@pytest.mark.parametrize(
    "asked",
    [
        lambda: dag.directory().with_new_file("a", "", permissions=2**31 - 1).entries(),
        lambda: dag.directory().with_new_directory("a", permissions=-1).entries(),
        lambda: dag.container().with_env_variable("A", "\0").env_variable("A"),
    ],
)
async def test_values_that_no_command_could_be_given_are_refused_before_there_is_one(asked: object, is_real: bool) -> None:
    if is_real:
        pytest.skip("0.21.8 takes them as long as nothing runs")
    assert callable(asked)
    with pytest.raises(dagger.QueryError) as refused:
        await asked()
    assert "internal error" not in str(refused.value)


async def test_an_argument_that_linux_does_not_take_is_refused_at_once(base: dagger.Container, is_real: bool) -> None:
    with pytest.raises(dagger.QueryError) as refused:
        await base.with_exec(["true", "x" * 200_000]).sync()
    assert is_real or "argument list too long" in str(refused.value)


async def test_a_file_without_data_that_claims_ten_terabytes_fills_no_memory(base: dagger.Container, is_real: bool) -> None:
    if is_real:
        pytest.skip("a Dagger engine may read such a file to its end")
    huge = base.with_exec(["truncate", "-s", "10T", "/huge"])
    for asked in (huge.file("/huge").with_replaced("a", "b").sync(), huge.with_exec(["true"], redirect_stdin="/huge").sync()):
        with pytest.raises(dagger.QueryError, match="10995116277760 bytes"):
            await asked


async def test_the_password_of_an_address_is_in_no_message(is_real: bool) -> None:
    with pytest.raises(dagger.QueryError) as refused:
        await dag.http("http://user:a-password@127.0.0.1:1/x").contents()
    assert is_real or "a-password" not in str(refused.value)


async def test_an_export_of_a_file_with_holes_has_holes(base: dagger.Container, tmp_path: Path, is_real: bool) -> None:
    if is_real:
        pytest.skip("a Dagger engine writes the holes out")
    await base.with_exec(["truncate", "-s", "1T", "/huge"]).file("/huge").export(str(tmp_path / "huge"))
    assert (tmp_path / "huge").stat().st_size == 1 << 40
    assert (tmp_path / "huge").stat().st_blocks == 0

"""A secret is read once a session, however many ask for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from pipelines.engine.embedded.errors import SecretError
from pipelines.engine.embedded.ops.secrets import SecretValues, secret_from_uri

if TYPE_CHECKING:
    from pathlib import Path


def counting(folder: Path, then: str) -> str:
    """The URI of a command that leaves a line each time it runs; slow enough that others ask meanwhile."""
    return f"cmd://echo once >> {folder}/ran; sleep 0.2; {then}"


def runs(folder: Path) -> int:
    return len((folder / "ran").read_text().splitlines())


async def test_users_of_a_command_share_one_run_of_it(tmp_path: Path) -> None:
    values, uri = SecretValues(), counting(tmp_path, "echo hunter2")
    found = await asyncio.gather(*(values.of(secret_from_uri(tmp_path, uri, None)) for _ in range(5)))
    found.append(await values.of(secret_from_uri(tmp_path, uri, None)))
    assert (set(found), runs(tmp_path)) == ({b"hunter2"}, 1)


async def test_they_share_its_failure_too(tmp_path: Path) -> None:
    values, uri = SecretValues(), counting(tmp_path, "exit 3")
    found = await asyncio.gather(*(values.of(secret_from_uri(tmp_path, uri, None)) for _ in range(3)), return_exceptions=True)
    assert [type(error) for error in found] == [SecretError] * 3
    with pytest.raises(SecretError, match="ended with 3"):
        await values.of(secret_from_uri(tmp_path, uri, None))
    assert runs(tmp_path) == 1


async def test_one_user_who_leaves_takes_it_from_nobody(tmp_path: Path) -> None:
    values, uri = SecretValues(), counting(tmp_path, "echo hunter2")
    first = asyncio.create_task(values.of(secret_from_uri(tmp_path, uri, None)))
    second = asyncio.create_task(values.of(secret_from_uri(tmp_path, uri, None)))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second, runs(tmp_path)) == (b"hunter2", 1)


async def test_a_file_that_was_missing_is_looked_for_again(tmp_path: Path) -> None:
    values = SecretValues()
    with pytest.raises(SecretError):
        await values.of(secret_from_uri(tmp_path, "file://token", None))
    (tmp_path / "token").write_text("hunter2")
    assert await values.of(secret_from_uri(tmp_path, "file://token", None)) == b"hunter2"

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import dagger
import pytest
from dagger import CacheSharingMode, dag

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("engine")]


async def test_a_new_volume_and_what_it_is_seeded_with_belong_to_the_owner(base: dagger.Container, nonce: str) -> None:
    seed = dag.directory().with_new_file("a", "A").with_new_file("b/c", "C")
    user = base.with_exec(["sh", "-c", "echo dev:x:1234:1234::/:/bin/sh >> /etc/passwd; echo dev:x:1234: >> /etc/group"])
    mounted = user.with_mounted_cache("/c", dag.cache_volume(f"owned {nonce}"), source=seed, owner="dev")
    told = await mounted.with_exec(["stat", "-c", "%u:%g %n", "/c", "/c/a", "/c/b", "/c/b/c"]).stdout()
    assert told == "1234:1234 /c\n1234:1234 /c/a\n1234:1234 /c/b\n1234:1234 /c/b/c\n"


async def test_a_locked_volume_has_one_user_at_a_time_and_a_private_one_is_new_for_each(
    base: dagger.Container, nonce: str, is_real: bool
) -> None:
    async def use(number: int, mode: CacheSharingMode, command: str) -> str:
        volume = dag.cache_volume(f"{mode} {nonce}")
        numbered = base.with_env_variable("N", f"{number} {nonce}")
        return await numbered.with_mounted_cache("/c", volume, sharing=mode).with_exec(["sh", "-c", command]).stdout()

    alone = "test ! -e /c/in && touch /c/in && sleep 1 && rm /c/in && echo alone"
    assert await asyncio.gather(*(use(number, CacheSharingMode.LOCKED, alone) for number in range(2))) == ["alone\n"] * 2
    if is_real:
        return  # 0.21.8 lets two users of a session share a private volume
    empty = "ls /c | wc -l; touch /c/in; sleep 2"
    assert await asyncio.gather(*(use(number, CacheSharingMode.PRIVATE, empty) for number in range(2))) == ["0\n"] * 2


async def test_two_locked_volumes_in_either_order(base: dagger.Container, nonce: str) -> None:
    """The two would wait for each other for ever."""

    async def use(*names: str) -> None:
        container = base.with_env_variable("N", f"{names} {nonce}")
        for name in names:
            container = container.with_mounted_cache(f"/{name}", dag.cache_volume(f"{name} {nonce}"), sharing=CacheSharingMode.LOCKED)
        await container.with_exec(["sleep", "0.2"]).sync()

    async with asyncio.timeout(60):
        await asyncio.gather(use("a", "b"), use("b", "a"))


async def test_what_cannot_be_exported_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    made = dag.directory().with_new_file("a", "A")
    with pytest.raises(dagger.QueryError, match="file"):
        await made.export(str(tmp_path / "file"))
    with pytest.raises(dagger.QueryError, match="file"):
        await made.file("a").export(str(tmp_path / "file" / "a"))
    assert (tmp_path / "file").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]

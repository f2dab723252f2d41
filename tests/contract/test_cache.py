from __future__ import annotations

import anyio
import dagger
import pytest
from dagger import dag

pytestmark = [
    pytest.mark.engine,
    pytest.mark.root,
    pytest.mark.rootless,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.usefixtures("engine"),
]


def stamp(container: dagger.Container, word: str) -> dagger.Container:
    """A command whose output differs each time it really runs."""
    return container.with_exec(["sh", "-c", f"echo {word} >/dev/null; date +%s%N"])


async def test_one_command_runs_once(base: dagger.Container, nonce: str) -> None:
    assert await stamp(base, nonce).stdout() == await stamp(base, nonce).stdout()


async def test_those_who_ask_at_once_share_one_run(base: dagger.Container, nonce: str) -> None:
    seen: list[str] = []

    async def ask() -> None:
        seen.append(await base.with_exec(["sh", "-c", f"echo {nonce}-flight >/dev/null; sleep 0.3; date +%s%N"]).stdout())

    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(ask)
    assert len(set(seen)) == 1


async def test_another_variable_is_another_run(base: dagger.Container, nonce: str) -> None:
    other = base.with_env_variable("BUST", nonce)
    assert await stamp(base, nonce).stdout() != await stamp(other, nonce).stdout()


async def test_a_failure_is_never_replayed(base: dagger.Container, nonce: str, is_real: bool) -> None:
    seen = set()
    for _ in range(2):
        with pytest.raises(dagger.ExecError) as caught:
            await base.with_exec(["sh", "-c", f"echo {nonce}-fail; date +%s%N; exit 3"]).sync()
        seen.add(caught.value.stdout)
    assert len(seen) == 2 or is_real  # engines before 0.21 remember a failure for the session


async def test_an_expected_failure_is_an_outcome_like_any_other(base: dagger.Container, nonce: str) -> None:
    def fail() -> dagger.Container:
        return base.with_exec(["sh", "-c", f"echo {nonce}-any; date +%s%N; exit 3"], expect=dagger.ReturnType.ANY)

    assert await fail().stdout() == await fail().stdout()


async def test_a_volatile_variable_is_seen_but_does_not_count(base: dagger.Container, nonce: str) -> None:
    def run(value: str, script: str) -> dagger.Container:
        return base.with_volatile_variable("V", value).with_exec(["sh", "-c", f"{script}; echo {nonce} >/dev/null"])

    assert await run("1", "date +%s%N; echo $V").stdout() == await run("2", "date +%s%N; echo $V").stdout()
    assert await run("3", "echo $V").stdout() == "3\n"


async def test_a_volume_keeps_its_files(base: dagger.Container, nonce: str) -> None:
    cached = base.with_mounted_cache("/cache", dag.cache_volume(f"kept-{nonce}"))
    await cached.with_env_variable("STEP", "1").with_exec(["sh", "-c", "echo kept > /cache/x"]).sync()
    assert await cached.with_env_variable("STEP", "2").with_exec(["cat", "/cache/x"]).stdout() == "kept\n"


async def test_a_volume_is_not_part_of_the_image(base: dagger.Container, nonce: str) -> None:
    cached = base.with_mounted_cache("/cache", dag.cache_volume(f"apart-{nonce}")).with_exec(["sh", "-c", "echo kept > /cache/x"])
    out = await cached.without_mount("/cache").with_exec(["sh", "-c", "ls /cache 2>&1 || true"]).stdout()
    assert out == "ls: cannot access '/cache': No such file or directory\n"


async def test_a_new_volume_can_start_from_a_directory(base: dagger.Container, nonce: str) -> None:
    seed = dag.directory().with_new_file("seed", "seeded")
    cached = base.with_mounted_cache("/cache", dag.cache_volume(f"seeded-{nonce}"), source=seed)
    assert await cached.with_exec(["cat", "/cache/seed"]).stdout() == "seeded"


async def test_a_volume_cannot_be_read_as_a_directory(base: dagger.Container) -> None:
    with pytest.raises(dagger.QueryError, match="/cache: cannot retrieve path from cache"):
        await base.with_mounted_cache("/cache", dag.cache_volume("refused")).directory("/cache").entries()


async def test_a_locked_volume_has_one_user_at_a_time(base: dagger.Container, nonce: str) -> None:
    """The command ends with 9 when it meets another user."""
    volume = dag.cache_volume(f"locked-{nonce}")
    script = "test ! -e /c/busy || exit 9; touch /c/busy; sleep 0.2; rm /c/busy"

    async def use(index: int) -> None:
        mounted = base.with_mounted_cache("/c", volume, sharing=dagger.CacheSharingMode.LOCKED)
        await mounted.with_env_variable("N", str(index)).with_exec(["sh", "-c", script]).sync()

    async with anyio.create_task_group() as group:
        for index in range(3):
            group.start_soon(use, index)


async def test_a_sync_by_id_gives_the_same_object(base: dagger.Container) -> None:
    synced = await base.with_exec(["sh", "-c", "echo synced"]).sync()
    assert await synced.stdout() == "synced\n"

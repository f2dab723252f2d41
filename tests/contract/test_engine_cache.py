from __future__ import annotations

import dagger
import pytest
from dagger import dag

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("engine")]


async def test_the_cache_counts_what_it_holds(base: dagger.Container, nonce: str) -> None:
    assert await dag.engine().name()
    cache = dag.engine().local_cache()
    before = await cache.entry_set().entry_count()
    await base.with_exec(["sh", "-c", f"echo {nonce} > /counted"]).sync()
    assert await cache.entry_set().entry_count() > before
    assert await cache.entry_set().disk_space_bytes() > 0


async def test_what_a_session_uses_is_never_pruned(base: dagger.Container, nonce: str, is_real: bool) -> None:
    if is_real:
        pytest.skip("others may be using the engine")
    made = base.with_exec(["sh", "-c", f"echo {nonce} > /kept"])
    await made.sync()
    await dag.engine().local_cache().prune()
    assert await made.file("/kept").contents() == f"{nonce}\n"

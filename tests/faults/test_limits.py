"""A fork bomb and a memory hog in a container: their session goes on."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import dagger
import pytest

from pipelines.engine.embedded.sandbox.cgroups.controllers import seen

if TYPE_CHECKING:
    from tests.faults.engine import Engines

KEPT = seen(lambda path: Path(path).read_text() if Path(path).exists() else None, root=True)
pytestmark = [
    pytest.mark.engine,
    pytest.mark.root,
    pytest.mark.skipif({"pids", "memory", "cpu"} != KEPT, reason="control groups cannot keep limits here"),
]
BOMB = "b() { b | b & }; b 2>/dev/null; sleep 2; exit 3"
HOG = "x = []\nwhile len(x) < 64: x.append(bytearray(b'x') * (16 << 20))"


async def test_the_engine_answers_beside_a_fork_bomb_and_after_a_memory_hog(engines: Engines, image: str) -> None:
    engine = engines.start({"LOCKGATE_ENGINE_PROCESSES": "200", "LOCKGATE_ENGINE_MEMORY": "300MB"})
    async with engine.client() as client:
        base = client.container().from_(image)
        await base.sync()
        bomb = asyncio.ensure_future(base.with_exec(["sh", "-c", BOMB], expect=dagger.ReturnType.ANY).exit_code())
        assert await base.with_exec(["echo", "beside"]).stdout() == "beside\n"
        assert await asyncio.wait_for(bomb, 60) in {2, 3}  # 2: the shell itself could not fork
        with pytest.raises(dagger.ExecError) as caught:
            await base.with_exec(["python3", "-c", HOG]).sync()
        assert caught.value.exit_code == 137
        assert await base.with_exec(["echo", "after"]).stdout() == "after\n"
    assert engine.close() == 0
    assert "containers are not limited" not in engine.said

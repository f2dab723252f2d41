"""Whatever is asked: one clean answer, in time, and the next request is answered as ever."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.engine.embedded.api.schema.sdk import Derived, find_sdk
from pipelines.engine.embedded.api.session_api import SessionApi
from tests.unit.engine.api.bodies import whole
from tests.unit.engine.api.hostile import request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from pipelines.engine.embedded.api.registry import ResolverRegistry

LIMIT = 60  # seconds until an answer that does not come fails; the machine may be busy


def strict(text: bytes) -> Any:
    """JSON as RFC 8259 has it."""

    def refuse(constant: str) -> Any:
        raise ValueError(constant)

    return json.loads(text.decode(), parse_constant=refuse)


@pytest.mark.parametrize(
    "seeds",
    [pytest.param(range(300), id="300"), pytest.param(range(300, 10_300), id="10000", marks=[pytest.mark.slow, pytest.mark.timeout(1200)])],
)
async def test_every_request_has_one_clean_answer(seeds: range, tmp_path: Path, registry: ResolverRegistry) -> None:
    @asynccontextmanager
    async def boot() -> AsyncIterator[tuple[ResolverRegistry, Any]]:
        yield registry, None

    engine = SessionApi(Derived(find_sdk(), tmp_path), boot)
    for seed in seeds:
        answer = strict(whole(await asyncio.wait_for(engine.answer(request(seed)), LIMIT)))
        assert isinstance(answer, dict)
        assert "data" in answer, seed
        for error in answer.get("errors", []):
            assert error["message"], seed
            assert "internal error" not in error["message"], (seed, error)
            assert len(error["message"]) < 5000, seed
    assert strict(whole(await engine.answer(b'{"query": "{ version }"}')))["data"]["version"]
    await engine.close()

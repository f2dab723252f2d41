from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipelines.engine.embedded.errors import EmbeddedUnavailable
from pipelines.engine.embedded.sandbox.runtime import Runtime
from pipelines.engine.embedded.sandbox.spec import ContainerSpec

if TYPE_CHECKING:
    from pathlib import Path


async def test_a_machine_without_a_runtime_says_so_each_time_and_closes_in_peace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCKGATE_RUNTIME", "no-such-runtime")
    runtime = Runtime(tmp_path)
    for _ in range(2):
        with pytest.raises(EmbeddedUnavailable, match="no OCI runtime: no-such-runtime is not on PATH"):
            await runtime.run(ContainerSpec(tmp_path, ("true",)))
    await runtime.close()
    await runtime.close()
    assert list(tmp_path.iterdir()) == []


async def test_closing_what_was_never_used(tmp_path: Path) -> None:
    """There is nothing to close, and that is no error."""
    await Runtime(tmp_path).close()

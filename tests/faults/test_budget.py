"""The store keeps to its budget when a session ends, and says what went."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.faults.engine import Engines

pytestmark = [pytest.mark.engine, pytest.mark.root]


async def test_what_was_unused_longest_goes_first_and_is_named(engines: Engines, image: str) -> None:
    async def run(budget: str, *names: str) -> tuple[list[str], str]:
        """The outcome of commands that never have the same one twice, and what the engine said at the end."""
        engine = engines.start({"LOCKGATE_STORE_BUDGET": budget})
        async with engine.client() as client:
            base = client.container().from_(image)
            script = "head -c 20000000 /dev/urandom > /f; sha256sum /f"
            found = [await base.with_exec(["sh", "-c", f": {name}; {script}"]).stdout() for name in names]
        assert engine.close() == 0
        return found, engine.said

    (one, two), _ = await run("10GB", "one", "two")
    (again,), said = await run("10GB", "two")
    assert again == two
    assert "budget" not in said
    _, said = await run(f"{held(engines) - 10_000_000}", "two")
    told = r"note: the store was reduced to its budget \(LOCKGATE_STORE_BUDGET\): .* MB removed, .* MB kept; removed: \S.* \(unused"
    assert re.search(told, said)
    _, said = await run(f"{held(engines) - 10_000_000}", "two")
    assert re.search(r"; removed: .*exec sh -c : one; head -c 20000000 /dev/urandom > /f; sha256sum … \(unused for [\d.]+s\)", said)
    assert ": two" not in said.partition("; removed:")[2]
    found, _ = await run("10GB", "two", "one")
    assert (found[0] == two, found[1] == one) == (True, False)


def held(engines: Engines) -> int:
    """Bytes the store holds: as its own sum says."""
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(engines.root / "index.db")) as db:
        (size,) = db.execute("SELECT sum(size) FROM objects").fetchone()
    return int(size)

"""Services that end while somebody waits for them."""

from __future__ import annotations

import asyncio

import dagger
import pytest

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.rootless, pytest.mark.asyncio(loop_scope="session")]


async def test_what_holds_a_service_up_is_told_of_its_end(base: dagger.Container) -> None:
    ends = base.with_exposed_port(8080).as_service(args=["sh", "-c", "python3 -m http.server 8080 & sleep 1; exit 42"])
    with pytest.raises(dagger.ExecError, match=r"bound service \S+ exited: exit code: 42"):
        await asyncio.wait_for(ends.up(random=True), 60)

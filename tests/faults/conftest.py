"""Things that go wrong, and people who try: through the API of an engine of the test's own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from pipelines.engine.embedded import kernel
from tests.contract.conftest import image, nonce, registry  # noqa: F401 - fixtures
from tests.faults.engine import Engines

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    import dagger


@pytest.fixture
def engines(tmp_path: Path) -> Iterator[Engines]:
    """Engines on a new store."""
    started = Engines(tmp_path / "store", tmp_path)
    yield started
    started.end()


@pytest.fixture(scope="session")
def shared_engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    """Engines on a store that tests share which do it no harm."""
    folder = tmp_path_factory.mktemp("shared")
    started = Engines(folder / "store", folder, {"LOCKGATE_TEST_HOST_SECRET": "visible-on-the-host-only"})
    yield started
    started.end()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def client(shared_engines: Engines) -> AsyncIterator[dagger.Client]:
    """A client of a session that tests share which do it no harm."""
    engine = shared_engines.start()
    async with engine.client() as connected:
        yield connected
    assert engine.close() == 0


@pytest.fixture
def base(client: dagger.Client, image: str) -> dagger.Container:  # noqa: F811 - the fixture
    return client.container().from_(image)


@pytest.fixture(scope="session")
def own_mounts() -> None:
    """This process's mounts are its own from here on."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    kernel.unshare(kernel.CLONE_NEWNS)
    kernel.make_private()

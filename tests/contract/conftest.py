"""Questions about the Dagger API, asked through an unmodified dagger-io client, with a real engine's answers as expectations.

They run against the embedded engine, or against a real one where `_EXPERIMENTAL_DAGGER_RUNNER_HOST` is set (with a `dagger` program on
PATH or in `_EXPERIMENTAL_DAGGER_CLI_BIN`).
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import dagger
import pytest
import pytest_asyncio

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

LOCK = Path(__file__).parents[2] / ".lockgate" / "images.lock"
RUNNER_HOST = "_EXPERIMENTAL_DAGGER_RUNNER_HOST"
CLI = "_EXPERIMENTAL_DAGGER_CLI_BIN"


@pytest.fixture(scope="session")
def image() -> str:
    """A reference with digest; the image has sh, coreutils and python3."""
    if not LOCK.exists():
        pytest.skip("needs .lockgate/images.lock: run `make setup`")
    reference: str = json.loads(LOCK.read_text())["images"]["python"]["reference"]
    return reference


@pytest.fixture(scope="session")
def registry(image: str) -> str:
    """A registry to publish to, as host:port."""
    return image.split("/", maxsplit=1)[0]


@pytest.fixture(scope="session")
def nonce() -> str:
    """A word no run had before."""
    return str(time.time_ns())


@pytest.fixture(scope="session")
def is_real() -> bool:
    """Whether a real Dagger engine answers."""
    return RUNNER_HOST in os.environ


@pytest.fixture(scope="session")
def engine_environment(tmp_path_factory: pytest.TempPathFactory, is_real: bool) -> Iterator[None]:
    """What makes the SDK start the engine under test, with a store of its own."""
    wanted: dict[str, str] = {}
    if not is_real:
        wanted = {CLI: str(Path(sys.executable).parent / "lockgate-engine"), "LOCKGATE_STORE": str(tmp_path_factory.mktemp("store"))}
    elif CLI not in os.environ:
        program = shutil.which("dagger")
        if program is None:
            pytest.skip(f"needs the dagger program beside the engine at {RUNNER_HOST}")
        wanted = {CLI: program}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    yield
    for name, value in before.items():
        if value is None:
            del os.environ[name]
        else:
            os.environ[name] = value


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def engine(engine_environment: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Path]:
    """A session every question of this run shares; the value is the engine's log."""
    log = tmp_path_factory.mktemp("log") / "engine.log"
    with log.open("w") as stream:
        async with dagger.connection(dagger.Config(log_output=stream)):
            yield log


@pytest.fixture
def base(image: str) -> dagger.Container:
    return dagger.dag.container().from_(image)

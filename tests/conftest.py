"""What several suites share: a session of the engine under test, for an unmodified dagger-io client.

The embedded engine, or a real one where `_EXPERIMENTAL_DAGGER_RUNNER_HOST` is set (with a `dagger` program on PATH or in
`_EXPERIMENTAL_DAGGER_CLI_BIN`). A session lasts for one test module: the SDK has one connection a process, so two may not overlap.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from hypothesis import Phase, settings

from tests.temporary import pytest_configure, remove_tree

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

__all__ = ["pytest_configure"]  # pytest finds its hooks by name

RUNNER_HOST = "_EXPERIMENTAL_DAGGER_RUNNER_HOST"
CONFIG_DIRS = "LOCKGATE_CONFIG_DIRS"
CLI = "_EXPERIMENTAL_DAGGER_CLI_BIN"
TESTS = Path(__file__).parent

# A property is about values, not about how fast a busy machine tries them.
settings.register_profile("patient", deadline=None)
settings.register_profile("written", deadline=None, phases=[Phase.explicit])  # for tests/branches.py
settings.load_profile("patient")

# A shell starts background jobs with these ignored, and what they start inherits it: tests of Ctrl-C would wait forever.
for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGQUIT, signal.SIG_DFL)):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, handler)


@pytest.fixture(scope="session", autouse=True)
def no_shared_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests do not read what the user or the machine has set for every project."""
    before = os.environ.get(CONFIG_DIRS)
    os.environ[CONFIG_DIRS] = str(tmp_path_factory.mktemp("no-settings"))
    yield
    if before is None:
        del os.environ[CONFIG_DIRS]
    else:
        os.environ[CONFIG_DIRS] = before


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The contract is what a real engine is asked first of all."""
    for item in items:
        if item.path.relative_to(TESTS).parts[0] == "contract":
            item.add_marker(pytest.mark.real)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give each worker of pytest-xdist whole files: the tests of one share a session of the engine.

    The end-to-end tests go to one worker together: they share a first run of the sample project, and look for processes on the machine.
    """
    from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

    class Suites(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return "e2e" if nodeid.startswith("tests/e2e/") else nodeid.partition("::")[0]

    return Suites(config, log)


@pytest.fixture
def deep_path(tmp_path: Path) -> Iterator[Path]:
    """A folder for trees that are deeper than pytest can remove."""
    yield tmp_path
    for path in tmp_path.iterdir():
        remove_tree(path)


@pytest.fixture(scope="session")
def is_real() -> bool:
    """Whether a real Dagger engine answers."""
    return RUNNER_HOST in os.environ


@pytest.fixture(scope="session")
def engine_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A store of the tests' own, for all sessions of this run; trees in it are deeper than pytest can remove."""
    store = tmp_path_factory.mktemp("store")
    yield store
    remove_tree(store)


@pytest.fixture(scope="module")
def engine_environment(engine_store: Path, is_real: bool) -> Iterator[None]:
    """What makes the SDK start the engine under test."""
    wanted: dict[str, str] = {}
    if not is_real:
        wanted = {CLI: str(Path(sys.executable).parent / "lockgate-engine"), "LOCKGATE_STORE": str(engine_store)}
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


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine(engine_environment: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Path]:
    """A session all tests of a module share; the value is the engine's log."""
    import dagger

    log = tmp_path_factory.mktemp("log") / "engine.log"
    with log.open("w") as stream:
        async with dagger.connection(dagger.Config(log_output=stream)):
            yield log

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import dagger
import pytest
import pytest_asyncio
from dagger import dag

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("engine")]


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def _since_0_21(engine: Path) -> None:
    version = await dag.version()
    if re.match(r"v?0\.(1?\d|20)\.", version):
        pytest.skip(f"engines have health checks since 0.21; this is {version}")


async def facts(container: dagger.Container) -> list[object]:
    check = container.docker_healthcheck()
    times = [await check.interval(), await check.timeout(), await check.start_period(), await check.start_interval()]
    return [await check.args(), await check.shell(), await check.retries(), times]


async def test_a_healthcheck_is_set_and_read_back() -> None:
    checked = dag.container().with_docker_healthcheck(
        ["curl -f x"], shell=True, interval="30s", timeout="90s", start_period="0s", start_interval="1500ms", retries=4
    )
    assert await facts(checked) == [["curl -f x"], True, 4, ["30s", "1m30s", "0s", "1.5s"]]
    assert await facts(dag.container().with_docker_healthcheck(["go", "run"])) == [["go", "run"], False, 0, ["0s"] * 4]


async def test_a_healthcheck_comes_with_an_image(image: str) -> None:
    text = f"FROM {image}\nHEALTHCHECK --interval=5s --retries=2 CMD echo hi\n"
    assert await facts(dag.directory().with_new_file("Dockerfile", text).docker_build()) == [["echo hi"], True, 2, ["5s", "0s", "0s", "0s"]]


async def test_a_published_image_keeps_its_healthcheck(registry: str, nonce: str) -> None:
    checked = dag.container().with_new_file("/f", nonce).with_docker_healthcheck(["true"], interval="1h0m1s")
    published = await checked.publish(f"{registry}/contract/health:{nonce}")
    assert (await facts(dag.container().from_(published)))[3][0] == "1h0m1s"  # type: ignore[index]


async def test_no_healthcheck_is_null() -> None:
    for container in (dag.container(), dag.container().with_docker_healthcheck(["x"]).without_docker_healthcheck()):
        with pytest.raises(dagger.InvalidQueryError, match="null response"):
            await container.docker_healthcheck().args()


async def test_what_is_no_healthcheck_is_refused() -> None:
    with pytest.raises(dagger.QueryError, match="args must be a single element when shell mode is set"):
        await dag.container().with_docker_healthcheck(["x", "y"], shell=True).sync()
    with pytest.raises(dagger.QueryError, match='invalid duration "soon"'):
        await dag.container().with_docker_healthcheck(["x"], interval="soon").sync()

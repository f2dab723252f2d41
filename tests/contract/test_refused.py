from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dagger
import pytest
from dagger import dag

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("engine")]


@pytest.mark.parametrize(
    ("ask", "name"),
    [
        (lambda: dag.host().container_image("x").sync(), "Host.containerImage"),
        (lambda: dag.container().terminal().sync(), "Container.terminal"),
        (lambda: dag.container().experimental_with_all_gp_us().sync(), "Container.experimentalWithAllGPUs"),
        (lambda: dag.container().export_image("x"), "Container.exportImage"),
        (lambda: dag.directory().as_module().name(), "Directory.asModule"),
        (lambda: dag.module_source(".").as_string(), "Query.moduleSource"),
        (lambda: dag.current_module().name(), "Query.currentModule"),
        (lambda: dag.llm().model(), "Query.llm"),
        (lambda: dag.env().id(), "Query.env"),
        (lambda: dag.cloud().trace_url(), "Query.cloud"),
        (
            lambda: dag.container().with_exec(["x"], experimental_privileged_nesting=True).sync(),
            r"Container\.withExec\(experimentalPrivilegedNesting:\)",
        ),
        (
            lambda: dag.container().with_unix_socket("/s", dag.host().unix_socket("/x"), owner="1000").sync(),
            r"Container\.withUnixSocket\(owner:\)",
        ),
    ],
)
async def test_what_needs_a_real_engine_is_refused_by_name(ask: Callable[[], Any], name: str, is_real: bool) -> None:
    if is_real:
        pytest.skip("a real engine has it")
    with pytest.raises(dagger.QueryError, match=rf"{name} is not supported by the embedded engine: it needs a Dagger engine"):
        await ask()


@pytest.mark.parametrize(
    "ask",
    [
        lambda: dag.container().with_error("boom").with_exec(["true"]).stdout(),
        lambda: dag.container().with_error("boom").workdir(),
        lambda: dag.directory().with_error("boom").entries(),
    ],
)
async def test_an_error_on_purpose_is_raised_whatever_is_asked(ask: Callable[[], Any]) -> None:
    with pytest.raises(dagger.QueryError, match="boom"):
        await ask()


async def test_an_empty_error_is_none() -> None:
    assert await dag.directory().with_error("").entries() == []

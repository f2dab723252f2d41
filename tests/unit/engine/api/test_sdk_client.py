"""A stranger's program on an unmodified dagger-io, against our server: one process each, as in life."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.api.schema.sdk import Derived, find_sdk
from pipelines.engine.embedded.api.server import Server
from pipelines.engine.embedded.api.session_api import SessionApi
from pipelines.engine.embedded.errors import ExecError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from pipelines.engine.embedded.api.registry import ResolverRegistry

LIMIT = 60  # seconds until a test that hangs fails
PROGRAM = """
import json, anyio, dagger
from dagger import dag

async def attempt(awaitable):
    try:
        return await awaitable
    except dagger.ExecError as error:
        return ["ExecError", error.command, error.exit_code, error.stdout, error.stderr, str(error)]
    except dagger.QueryError as error:
        return ["QueryError", str(error)]

async def main():
    said = {}
    async with dagger.connection():
        base = dag.container().from_("base")
        said["version"] = await dag.version()
        said["chain"] = await base.with_exec(["a", "b"], expect=dagger.ReturnType.ANY).stdout()
        source = dag.directory().with_new_file("f", 'text with "quotes", a \\\\ and a\\nnew line, ü')
        said["argument"] = await base.with_directory("/src", source).stdout()
        synced = await base.sync()
        said["sync"] = await synced.stdout()
        said["list"] = [await one.name() + "=" + await one.value() for one in await base.env_variables()]
        said["loaded"] = await dag.load_container_from_id(dagger.ContainerID(await base.id())).exit_code()
        said["exec error"] = await attempt(base.user())
        said["unsupported"] = await attempt(base.terminal().sync())
        deep = base
        for number in range(398):
            deep = deep.with_exec([str(number)])
        said["deep"] = await deep.exit_code()
        said["parallel"] = []
        async def one(number):
            said["parallel"].append(await base.with_exec([str(number)]).exit_code())
        async with anyio.create_task_group() as group:
            for number in range(10):
                group.start_soon(one, number)
    print(json.dumps(said))

anyio.run(main)
"""


async def test_an_unmodified_client_works(tmp_path: Path, registry: ResolverRegistry) -> None:
    from contextlib import asynccontextmanager

    @registry.field("Container.user")
    async def user(ctx: object, state: object, args: dict[str, Any]) -> str:
        raise ExecError(["sh"], 3, "out", "err")

    @asynccontextmanager
    async def boot() -> AsyncIterator[tuple[ResolverRegistry, Any]]:
        yield registry, None

    engine = SessionApi(Derived(find_sdk(), tmp_path), boot)
    server = Server(engine.answer, "token")
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    await server.start(sock)
    try:
        said = await asyncio.wait_for(run(sock.getsockname()[1]), LIMIT)
    finally:
        await server.close()
        await engine.close()
    based = "('scratch', 'base'"
    assert said == {
        "version": f"v{find_sdk().version}",
        "chain": f"{based}, ('a', 'b'), 'ANY')",
        "argument": f"""{based}, ('empty', 'f', 'text with "quotes", a \\\\ and a\\nnew line, ü', 420))""",
        "sync": f"{based})",
        "list": ["A=1", "B=2"],
        "loaded": 2,
        "exec error": ["ExecError", ["sh"], 3, "out", "err", "exit code: 3"],
        "unsupported": ["QueryError", "Container.terminal is not supported by the embedded engine: it needs a Dagger engine"],
        "deep": 2 + 2 * 398,
        "parallel": [4] * 10,
    }


async def run(port: int) -> dict[str, Any]:
    env = os.environ | {"DAGGER_SESSION_PORT": str(port), "DAGGER_SESSION_TOKEN": "token"}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", PROGRAM, stdout=pipe, stderr=pipe, env=env)
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    said = json.loads(out)
    assert isinstance(said, dict)
    return said

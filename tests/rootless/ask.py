"""Asks the embedded engine a few questions and prints the answers as JSON: `python ask.py IMAGE`. A plain dagger-io program."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING

import dagger
from dagger import dag

if TYPE_CHECKING:
    from collections.abc import Awaitable


async def answer(asking: Awaitable[object]) -> str:
    try:
        return str(await asking)
    except dagger.ExecError as error:
        return f"ExecError: {error.stderr}"
    except dagger.QueryError as error:
        return f"QueryError: {error}"


async def main() -> None:
    async with dagger.connection(dagger.Config(log_output=sys.stderr)):
        base = dag.container().from_(sys.argv[1])
        other = dag.directory().with_new_file("f", "")
        dockerfile = dag.directory().with_new_file("Dockerfile", f"FROM {sys.argv[1]}\nCOPY --chown=1000 Dockerfile /x\n")
        questions: dict[str, Awaitable[object]] = {
            "plain": base.with_exec(["sh", "-c", "echo done; id -u"]).stdout(),
            "user": base.with_user("1000").with_exec(["id", "-u"]).stdout(),
            "named user": base.with_user("daemon").with_exec(["id", "-un"]).stdout(),
            "owner": base.with_directory("/x", other, owner="1000:1000").with_exec(["stat", "-c", "%u", "/x/f"]).stdout(),
            "COPY --chown": dockerfile.docker_build().with_exec(["stat", "-c", "%u", "/x"]).stdout(),
            "secret": base.with_mounted_secret("/s", dag.set_secret("s", "value"), owner="1000")
            .with_exec(["stat", "-c", "%u", "/s"])
            .stdout(),
            "chown": base.with_exec(["chown", "1000", "/tmp"]).with_exec(["stat", "-c", "%u", "/tmp"]).stdout(),
        }
        sys.stdout.write(json.dumps({name: await answer(asking) for name, asking in questions.items()}))


asyncio.run(main())

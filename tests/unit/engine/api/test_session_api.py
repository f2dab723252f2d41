from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.engine.embedded.api.schema.sdk import Derived, find_sdk
from pipelines.engine.embedded.api.session_api import SessionApi
from pipelines.engine.embedded.errors import NetworkError
from tests.unit.engine.api.bodies import whole

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from pipelines.engine.embedded.api.registry import ResolverRegistry
    from pipelines.engine.embedded.api.schema.types import Schema

LIMIT = 20  # seconds until a test that hangs fails


def request(query: str, **more: object) -> bytes:
    return json.dumps({"query": query} | more).encode()


@dataclass
class Booting:
    """The engine proper, as slow or broken as a test wants it."""

    registry: ResolverRegistry
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    error: Exception | None = None
    events: list[str] = field(default_factory=list)
    opening: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[tuple[ResolverRegistry, Any]]:
        self.events.append("opening")
        self.opening.set()
        try:
            await self.gate.wait()
            if self.error:
                raise self.error
            self.events.append("open")
            yield self.registry, "the session"
        finally:
            self.events.append("closed")


@dataclass
class World:
    engine: SessionApi
    booting: Booting

    async def ask(self, body: bytes) -> dict[str, Any]:
        answer = json.loads(whole(await asyncio.wait_for(self.engine.answer(body), LIMIT)))
        assert isinstance(answer, dict)
        return answer


@pytest.fixture
def derived(tmp_path: Path) -> Derived:
    return Derived(find_sdk(), tmp_path)


@pytest.fixture
async def world(derived: Derived, registry: ResolverRegistry) -> AsyncIterator[World]:
    booting = Booting(registry)
    one = World(SessionApi(derived, booting), booting)
    yield one
    await one.engine.close()


async def test_the_schema_and_version_are_answered_before_the_engine_is_open(world: World) -> None:
    assert (await world.ask(request("{ version }")))["data"]["version"].startswith("v0.")
    assert "data" in await world.ask(request("{ __schema { queryType { name } } }"))
    assert "open" not in world.booting.events


async def test_everything_else_waits_until_it_is_open(world: World) -> None:
    asking = asyncio.create_task(world.ask(request("{ container { exitCode } }")))
    await world.ask(request("{ version }"))
    assert not asking.done()
    world.booting.gate.set()
    assert await asking == {"data": {"container": {"exitCode": 1}}}


async def test_what_the_schema_alone_answers_is_kept_for_the_next_session(world: World, derived: Derived) -> None:
    world.booting.gate.set()
    introspection, session = request("{ __schema { queryType { name } } }"), request("{ version container { exitCode } }")
    answer = await world.engine.answer(introspection)
    await world.engine.answer(session)
    assert derived.answer(introspection) == answer
    assert derived.answer(session) is None


async def test_a_kept_answer_needs_nothing_else(derived: Derived, registry: ResolverRegistry) -> None:
    derived.keep(request("{ version }"), b'{"kept": true}')
    booting = Booting(registry)
    engine = SessionApi(derived, booting)
    assert await engine.answer(request("{ version }")) == b'{"kept": true}'
    await engine.close()


async def test_an_engine_that_does_not_open_says_so_in_every_answer(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.booting.error = NetworkError("no tap device")
    world.booting.gate.set()
    for _ in range(2):
        (error,) = (await world.ask(request("{ container { exitCode } }")))["errors"]
        assert error == {"message": "no tap device", "extensions": {"code": "NETWORK"}}
    assert "engine: no tap device" in capsys.readouterr().err


async def test_a_defect_while_opening_is_told_too(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.booting.error = ZeroDivisionError("oh")
    world.booting.gate.set()
    (error,) = (await world.ask(request("{ container { exitCode } }")))["errors"]
    assert error["message"] == "internal error: the engine did not start: ZeroDivisionError: oh"
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"{}", b'{"query": 1}', b'{"query": "{ version }", "variables": []}',
                                  b'{"query": "{ version }", "operationName": 1}', b"\xff", b"[" * 100_000])  # fmt: skip
async def test_what_is_no_request_is_told(world: World, body: bytes) -> None:
    answer = await world.ask(body)
    if body.endswith(b"[]}"):
        assert answer["data"]["version"]  # no variables, in another spelling
    else:
        assert [one["message"] for one in answer["errors"]] == ['the request body must be a JSON object with a "query"']
        assert answer["errors"][0]["extensions"] == {"code": "INVALID_INPUT"}


@pytest.mark.parametrize(
    "body",
    [rb'{"query": "{ a(b: \"\ud800\") }"}', rb'{"query": "{ version }", "variables": {"a": ["\uDFFFx"]}}', rb'{"query": "\udc00\ud800"}'],
)
async def test_half_a_character_is_refused(world: World, body: bytes) -> None:
    (error,) = (await world.ask(body))["errors"]
    assert "lone surrogate" in error["message"]


@pytest.mark.parametrize(
    "body", [rb'{"query": "{ version }", "variables": {"a": "\ud83d\ude00"}}', b'{"query": "{ version } # \xf0\x9f\x98\x80"}']
)
async def test_characters_in_two_halves_or_four_bytes_are_read(world: World, body: bytes) -> None:
    assert (await world.ask(body))["data"]["version"]


@pytest.mark.parametrize(
    "body",
    [
        b'{"query": "{ version }", "variables": {"a": NaN}}',
        b'{"query": "{ version }", "variables": {"a": ' + b"9" * 5000 + b"}}",
        b'{"query": "{ version } # \xed\xa0\x80"}',
        '{"query": "{ version }"}'.encode("utf-16"),
    ],
)
async def test_what_is_not_json_in_utf_8_is_told(world: World, body: bytes) -> None:
    (error,) = (await world.ask(body))["errors"]
    assert error["message"] == 'the request body must be a JSON object with a "query"'


async def test_variables_and_operation_name_travel(world: World) -> None:
    world.booting.gate.set()
    query = "query A { version } query B($a: String!) { container { from(address: $a) { stdout } } }"
    answer = await world.ask(request(query, operationName="B", variables={"a": "base"}))
    assert answer["data"]["container"]["from"]["stdout"] == "('scratch', 'base')"


async def test_closing_stops_work_then_the_engine_proper(world: World) -> None:
    running = asyncio.Event()

    @world.booting.registry.field("Container.workdir")
    async def workdir(ctx: object, state: object, args: dict[str, Any]) -> str:
        return "/"

    @world.booting.registry.field("Container.withWorkdir", args=("path",))
    async def slow(ctx: object, state: object, args: dict[str, Any]) -> object:
        running.set()
        try:
            return await asyncio.Event().wait()
        finally:
            world.booting.events.append("work stopped")

    world.booting.gate.set()
    asking = asyncio.create_task(world.ask(request('{ container { withWorkdir(path: "/") { workdir } } }')))
    await asyncio.wait_for(running.wait(), LIMIT)
    await world.engine.close()
    assert world.booting.events == ["opening", "open", "work stopped", "closed"]
    assert (await asking)["errors"][0]["message"] == "Container.withWorkdir was cancelled"


async def test_closing_while_it_opens_gives_up_opening(world: World) -> None:
    await world.ask(request("{ version }"))
    await asyncio.wait_for(world.booting.opening.wait(), LIMIT)
    await world.engine.close()
    assert world.booting.events == ["opening", "closed"]


async def test_who_waits_for_an_engine_that_closes_is_told(derived: Derived, registry: ResolverRegistry) -> None:
    booting = Booting(registry)
    engine = SessionApi(derived, booting)
    asking = asyncio.create_task(engine.answer(request("{ container { exitCode } }")))
    await asyncio.wait_for(booting.opening.wait(), LIMIT)
    await engine.close()
    (error,) = json.loads(whole(await asyncio.wait_for(asking, LIMIT)))["errors"]
    assert "session" in error["message"]


class BrokenSchema(Derived):
    def schema(self) -> Schema:
        raise SystemError("AST constructor recursion depth mismatch")


async def test_a_defect_while_the_schema_is_read_is_told_too(
    tmp_path: Path, registry: ResolverRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever waits for the engine proper must not wait for ever, nor be told nothing."""
    world = World(SessionApi(BrokenSchema(find_sdk(), tmp_path), Booting(registry)), Booting(registry))
    for _ in range(2):
        (error,) = (await world.ask(request("{ container { exitCode } }")))["errors"]
        assert error["message"] == "internal error: the engine did not start: SystemError: AST constructor recursion depth mismatch"
    await world.engine.close()
    assert capsys.readouterr().err.count("Traceback") == 1


IMPORTING = """
import asyncio, sys, threading
from contextlib import asynccontextmanager
from pathlib import Path
from pipelines.engine.embedded.api.schema.sdk import Derived, find_sdk
from pipelines.engine.embedded.api.session_api import SessionApi

class Finder:
    found = {}
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.startswith("pipelines."):
            cls.found.setdefault(threading.current_thread().name, []).append(name)

@asynccontextmanager
async def boot():
    opened.set()
    yield None, None

async def main():
    engine = SessionApi(Derived(find_sdk(), Path(sys.argv[1])), boot)
    await opened.wait()
    await engine.close()

opened = asyncio.Event()
sys.meta_path.insert(0, Finder)
asyncio.run(main())
assert any(name.endswith("execution.evaluate") for names in Finder.found.values() for name in names), Finder.found
assert "MainThread" not in Finder.found, Finder.found["MainThread"]
"""


def test_no_two_threads_import_while_a_session_begins(tmp_path: Path) -> None:
    """Python 3.11 may take a module that another thread is importing for one of a circle, and give it half imported."""
    done = subprocess.run([sys.executable, "-c", IMPORTING, tmp_path], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")

"""One session's API: request bytes in, response bytes out; the engine proper starts behind it while the first requests are answered."""

from __future__ import annotations

import asyncio
import gc
import json
import re
import sys
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.api.streamed import to_json
from pipelines.engine.embedded.errors import Cancelled, EngineError, InvalidInput, NotStarted

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from pipelines.engine.embedded.api.execution.evaluate import Evaluator
    from pipelines.engine.embedded.api.execution.execute import Api
    from pipelines.engine.embedded.api.registry import ResolverRegistry
    from pipelines.engine.embedded.api.schema.sdk import Derived
    from pipelines.engine.embedded.api.streamed import StreamedBody

    Boot = Callable[[], AbstractAsyncContextManager[tuple[ResolverRegistry, Any]]]


CONSTANT = re.compile(rb"__schema|version")
"""What a request contains whose answer may be known already: an SDK opens a session with introspection, then asks for the version."""

SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
"""One half of a character outside Unicode's first 65,536 as JSON writes it."""


@dataclass(frozen=True, slots=True)
class Request:
    """A GraphQL request as it travels over HTTP."""

    query: str
    name: str | None
    variables: dict[str, Any]

    @classmethod
    def read(cls, body: bytes) -> Request:
        """Raises InvalidInput when the body is not one."""
        try:
            data = _json(body)
        except (ValueError, RecursionError):
            data = None
        given = data if isinstance(data, dict) else {}
        query, name, variables = given.get("query"), given.get("operationName"), given.get("variables") or {}
        if not isinstance(query, str) or not isinstance(variables, dict) or not isinstance(name, str | None):
            raise InvalidInput('the request body must be a JSON object with a "query"')
        return cls(query, name or None, variables)


def _json(body: bytes) -> Any:
    """Raises ValueError for what is not JSON (RFC 8259) in UTF-8, and InvalidInput for a lone surrogate, which no text can hold."""
    text = body.decode()
    value = json.loads(text, parse_constant=_no_constant)
    if SURROGATE.search(text):
        _check_characters(value)
    return value


def _check_characters(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise InvalidInput("a text in the request has an incomplete character (a lone surrogate)") from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _not_started(error: Exception) -> NotStarted:
    traceback.print_exception(error, file=sys.stderr)
    return NotStarted(f"internal error: the engine did not start: {type(error).__name__}: {error}")


class SessionApi:
    """Answers requests for one session.

    Args:
        derived: the schema, and answers about it known already.
        boot: opens the engine proper: gives the resolvers, and the session object they work on.
    """

    def __init__(self, derived: Derived, boot: Boot) -> None:
        self._derived = derived
        self._boot = boot
        self._closing = asyncio.Event()
        self._evaluator: asyncio.Future[Evaluator] = asyncio.get_running_loop().create_future()
        self._api = asyncio.create_task(self._prepare())
        self._running = asyncio.create_task(self._run())

    async def answer(self, body: bytes) -> bytes | StreamedBody:
        """The response to a request; in parts where it holds text that is sent from a file."""
        known = self._derived.answer(body) if CONSTANT.search(body) else None
        if known is not None:
            return known
        answered, constant = await self._execute(body)
        response = to_json(answered)
        if constant and isinstance(response, bytes):
            self._derived.keep(body, response)
        return response

    async def close(self) -> None:
        """Stop the work under way, then the engine proper."""
        self._closing.set()
        if not self._evaluator.done():
            self._running.cancel()
        self._api.cancel()
        await asyncio.gather(self._running, self._api, return_exceptions=True)
        self._refuse(Cancelled("the session has ended"))

    async def _execute(self, body: bytes) -> tuple[dict[str, Any], bool]:
        try:
            request = Request.read(body)
            api = await asyncio.shield(self._api)
        except EngineError as error:
            return {"data": None, "errors": [{"message": error.message, "extensions": error.extensions()}]}, False
        from pipelines.engine.embedded.api.execution.execute import execute

        return await execute(api, request.query, request.name, request.variables)

    async def _prepare(self) -> Api:
        try:
            return await asyncio.to_thread(self._load)
        except EngineError:
            raise
        except Exception as error:
            raise _not_started(error) from error

    def _load(self) -> Api:
        """What queries are executed against. In a thread: it imports graphql-core, and may have to read the SDK."""
        from pipelines.engine.embedded.api.calls import Calls
        from pipelines.engine.embedded.api.execution.execute import Api
        from pipelines.engine.embedded.api.query.document import allow_depth
        from pipelines.engine.embedded.api.schema.introspection import Introspection

        allow_depth()
        schema = self._derived.schema()
        return Api(schema, Introspection(schema), Calls(), self._ready)

    async def _ready(self) -> Evaluator:
        return await asyncio.shield(self._evaluator)

    async def _run(self) -> None:
        """Keep the engine proper open until the session closes. If it cannot open, every request is told why."""
        try:
            await asyncio.wait((self._api,))  # the client needs it first, and two threads that import the same at a time may fail
            from pipelines.engine.embedded.api.execution.evaluate import Evaluator

            async with self._boot() as (registry, ctx):
                evaluator = Evaluator(registry, ctx)
                self._evaluator.set_result(evaluator)
                gc.freeze()  # what is loaded by now stays: no collection need look at it again
                gc.enable()
                try:
                    await self._closing.wait()
                finally:
                    await evaluator.close()
        except EngineError as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001 - told to the client, and shown in full to people
            self._fail(_not_started(error))

    def _fail(self, error: EngineError) -> None:
        print(f"engine: {error.message}", file=sys.stderr, flush=True)  # noqa: T201 - stderr is this session's log
        self._refuse(error)

    def _refuse(self, error: EngineError) -> None:
        """Tell whoever waits for the engine proper that it will not come."""
        if not self._evaluator.done():
            self._evaluator.set_exception(error)
            self._evaluator.exception()  # seen, even if nobody asks any more

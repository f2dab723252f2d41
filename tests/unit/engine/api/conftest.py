"""A small world for the API: the real schema, resolvers that only write down what they were asked, and a way to query them."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.engine.embedded.api.calls import Calls
from pipelines.engine.embedded.api.execution.evaluate import Evaluator
from pipelines.engine.embedded.api.execution.execute import Api, execute
from pipelines.engine.embedded.api.registry import ResolverRegistry
from pipelines.engine.embedded.api.schema.introspection import Introspection
from pipelines.engine.embedded.api.schema.sdk import find_sdk
from pipelines.engine.embedded.api.schema.sdk_schema import read_schema

if TYPE_CHECKING:
    from pipelines.engine.embedded.api.schema.types import Schema

Ask = Callable[..., Awaitable[dict[str, Any]]]


@functools.cache
def installed_schema() -> Schema:
    sdk = find_sdk()
    return read_schema(sdk.client, f"v{sdk.version}")


@pytest.fixture
def schema() -> Schema:
    """The schema of the installed SDK."""
    return installed_schema()


def toy_registry() -> ResolverRegistry:
    """A few fields; a container's state is the tuple of what was done to it."""
    fields = ResolverRegistry()
    fields.field("Query.container")(lambda ctx, _, args: ("scratch",))
    fields.field("Query.directory")(lambda ctx, _, args: ("empty",))
    fields.field("Container.from", args=("address",))(lambda ctx, state, args: (*state, args["address"]))
    fields.field("Container.withExec", args=("args", "expect"))(lambda ctx, state, args: (*state, tuple(args["args"]), args["expect"]))
    fields.field("Container.withDirectory", args=("path", "source"))(lambda ctx, state, args: (*state, args["source"]))
    fields.field("Container.stat", args=("path",))(lambda ctx, state, args: None)
    fields.field("Container.stdout")(lambda ctx, state, args: repr(state))
    fields.field("Container.exitCode")(lambda ctx, state, args: len(state))
    fields.field("Container.sync")(lambda ctx, state, args: None)
    fields.field("Container.envVariables")(lambda ctx, state, args: [("A", "1"), ("B", "2")])
    fields.field("EnvVariable.name")(lambda ctx, state, args: state[0])
    fields.field("EnvVariable.value")(lambda ctx, state, args: state[1])
    fields.field("Directory.withNewFile", args=("path", "contents", "permissions"))(
        lambda ctx, state, args: (*state, args["path"], args["contents"], args["permissions"])
    )
    fields.field("Directory.entries")(lambda ctx, state, args: list(map(str, state)))
    fields.field("Stat.size")(lambda ctx, state, args: 1)
    return fields


@pytest.fixture
def registry() -> ResolverRegistry:
    return toy_registry()


@pytest.fixture
def calls() -> Calls:
    return Calls()


def make_api(schema: Schema, registry: ResolverRegistry, calls: Calls) -> Api:
    evaluator = Evaluator(registry, ctx=None)

    async def ready() -> Evaluator:
        return evaluator

    return Api(schema, Introspection(schema), calls, ready)


@pytest.fixture
def api(schema: Schema, registry: ResolverRegistry, calls: Calls) -> Api:
    return make_api(schema, registry, calls)


def requested_by(api: Api) -> Ask:
    async def run(query: str, name: str | None = None, **variables: object) -> dict[str, Any]:
        return (await execute(api, query, name, variables)).body

    return run


@pytest.fixture
def ask(api: Api) -> Ask:
    """Execute a query; the response's JSON object."""
    return requested_by(api)


@pytest.fixture(scope="session")
def fresh_ask() -> Callable[[], Ask]:
    """A session of its own each time, for tests of many examples."""
    return lambda: requested_by(make_api(installed_schema(), toy_registry(), Calls()))

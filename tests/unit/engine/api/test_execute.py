from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.engine.embedded.api.calls import Calls
from pipelines.engine.embedded.api.execution.answer import report
from pipelines.engine.embedded.api.execution.execute import Api, execute
from pipelines.engine.embedded.api.query.document import allow_depth
from pipelines.engine.embedded.errors import EngineError, ExecError, NotFound

if TYPE_CHECKING:
    from pipelines.engine.embedded.api.registry import ResolverRegistry
    from pipelines.engine.embedded.api.schema.types import Schema

Ask = Callable[..., Awaitable[dict[str, Any]]]


async def the_error(ask: Ask, query: str, **variables: object) -> dict[str, Any]:
    answer = await ask(query, **variables)
    assert answer["data"] is None
    (error,) = answer["errors"]
    assert isinstance(error, dict)
    return error


async def an_id(ask: Ask, chain: str, *path: str) -> str:
    answer = await ask("{ " + chain + " }")
    value = answer["data"]
    for key in path:
        value = value[key]
    assert isinstance(value, str)
    return value


async def test_a_chain_is_answered_in_its_own_shape(ask: Ask) -> None:
    answer = await ask('{ container { from(address: "base") { withExec(args: ["a", "b"]) { stdout } } } }')
    assert answer == {"data": {"container": {"from": {"withExec": {"stdout": "('scratch', 'base', ('a', 'b'), 'SUCCESS')"}}}}}


async def test_leaves_beside_each_other_are_asked_at_once(ask: Ask, registry: ResolverRegistry) -> None:
    waiting = asyncio.Barrier(2)

    @registry.field("Container.workdir")
    async def workdir(ctx: object, state: object, args: dict[str, Any]) -> str:
        await waiting.wait()
        return "/"

    answer = await asyncio.wait_for(ask("{ a: container { workdir } b: container { workdir } }"), timeout=10)
    assert answer == {"data": {"a": {"workdir": "/"}, "b": {"workdir": "/"}}}


async def test_variables_aliases_fragments_and_typename(ask: Ask) -> None:
    query = """
      query Run($image: String!, $args: [String!]! = ["default"]) {
        box: container { ...Based __typename }
      }
      fragment Based on Container { from(address: $image) { run: withExec(args: $args) { exitCode } } }
    """
    answer = await ask(query, "Run", image="base")
    assert answer == {"data": {"box": {"from": {"run": {"exitCode": 4}}, "__typename": "Container"}}}


async def test_selections_under_one_key_are_merged(ask: Ask) -> None:
    answer = await ask("{ container { stdout } container { exitCode } }")
    assert answer == {"data": {"container": {"stdout": "('scratch',)", "exitCode": 1}}}


async def test_an_id_loads_the_object_again(ask: Ask) -> None:
    id_ = await an_id(ask, 'container { from(address: "base") { id } }', "container", "from", "id")
    by_node = await ask(
        "query ($id: ID!) { node(id: $id) { id __typename ... on Container { stdout } ... on Directory { entries } } }", id=id_
    )
    assert by_node == {"data": {"node": {"id": id_, "__typename": "Container", "stdout": "('scratch', 'base')"}}}
    by_load = await ask("query ($id: ContainerID!) { loadContainerFromID(id: $id) { exitCode } }", id=id_)
    assert by_load == {"data": {"loadContainerFromID": {"exitCode": 2}}}
    by_interface = await ask("query ($id: SyncerID!) { loadSyncerFromID(id: $id) { sync } }", id=id_)
    assert by_interface == {"data": {"loadSyncerFromID": {"sync": id_}}}


async def test_sync_answers_the_objects_own_id(ask: Ask) -> None:
    answer = await ask("{ container { id sync } }")
    assert answer["data"]["container"]["id"] == answer["data"]["container"]["sync"]


async def test_a_field_that_makes_another_object_answers_that_ones_id(ask: Ask, registry: ResolverRegistry) -> None:
    registry.field("Container.asService")(lambda ctx, state, args: ("service", "stopped"))
    registry.field("Service.start")(lambda ctx, state, args: ("service", "started"))
    registry.field("Service.hostname")(lambda ctx, state, args: state[1])
    id_ = await an_id(ask, "container { asService { start } }", "container", "asService", "start")
    answer = await ask("query ($id: ID!) { node(id: $id) { ... on Service { hostname } } }", id=id_)
    assert answer == {"data": {"node": {"hostname": "started"}}}


async def test_objects_are_passed_by_id(ask: Ask) -> None:
    id_ = await an_id(ask, 'directory { withNewFile(path: "f", contents: "x") { id } }', "directory", "withNewFile", "id")
    answer = await ask('query ($d: ID!) { container { withDirectory(path: "/", source: $d) { stdout } } }', d=id_)
    assert answer["data"]["container"]["withDirectory"]["stdout"] == "('scratch', ('empty', 'f', 'x', 420))"


async def test_the_root_has_an_id(ask: Ask) -> None:
    id_ = await an_id(ask, "id", "id")
    assert await ask("query ($id: ID!) { node(id: $id) { ... on Query { container { exitCode } } } }", id=id_) == {
        "data": {"node": {"container": {"exitCode": 1}}}
    }


async def test_elements_of_a_list_are_objects_with_ids(ask: Ask) -> None:
    answer = await ask("{ container { envVariables { id name value __typename } } }")
    first, second = answer["data"]["container"]["envVariables"]
    assert [first["name"], second["value"], second["__typename"]] == ["A", "2", "EnvVariable"]
    again = await ask("query ($id: ID!) { node(id: $id) { ... on EnvVariable { name } } }", id=second["id"])
    assert again == {"data": {"node": {"name": "B"}}}


async def test_what_is_selected_on_a_list_is_checked_before_it_is_asked(ask: Ask, registry: ResolverRegistry) -> None:
    asked = False

    @registry.field("Container.exposedPorts")
    def ports(ctx: object, state: object, args: dict[str, Any]) -> list[Any]:
        nonlocal asked
        asked = True
        return []

    error = await the_error(ask, "{ container { exposedPorts { number } } }")
    assert error["message"] == 'Cannot query field "number" on type "Port".'
    assert not asked
    unsupported = await the_error(ask, "{ container { exposedPorts { port } } }")
    assert "Port.port is not supported" in unsupported["message"]


async def test_an_object_that_is_null_makes_its_place_null(ask: Ask) -> None:
    answer = await ask('{ container { stat(path: "x") { size } stdout } }')
    assert answer == {"data": {"container": {"stat": None, "stdout": "('scratch',)"}}}


async def test_an_object_that_is_null_behind_an_id(ask: Ask) -> None:
    id_ = await an_id(ask, 'container { stat(path: "x") { id } }', "container", "stat", "id")
    assert await ask("query ($id: ID!) { node(id: $id) { ... on Stat { size } } }", id=id_) == {"data": {"node": None}}


async def test_an_error_has_message_path_and_extensions(ask: Ask, registry: ResolverRegistry) -> None:
    @registry.field("Container.combinedOutput")
    async def fail(ctx: object, state: object, args: dict[str, Any]) -> str:
        raise ExecError(["sh", "-c", "exit 7"], 7, "so", "far")

    error = await the_error(ask, '{ box: container { from(address: "x") { combinedOutput } } }')
    assert error == {
        "message": "exit code: 7",
        "path": ["box", "from", "combinedOutput"],
        "extensions": {
            "code": "COMMAND_FAILED",
            "_type": "EXEC_ERROR",
            "cmd": ["sh", "-c", "exit 7"],
            "exitCode": 7,
            "stdout": "so",
            "stderr": "far",
        },
    }


async def test_every_failing_leaf_is_reported(ask: Ask, registry: ResolverRegistry) -> None:
    @registry.field("Container.label", args=("name",))
    async def fail(ctx: object, state: object, args: dict[str, Any]) -> str:
        raise EngineError(f"no {args['name']}")

    answer = await ask('{ container { a: label(name: "a") b: label(name: "b") exitCode } }')
    assert answer["data"] is None
    assert sorted(one["message"] for one in answer["errors"]) == ["no a", "no b"]


async def test_a_defect_is_told_and_ends_nothing(ask: Ask, registry: ResolverRegistry, capsys: pytest.CaptureFixture[str]) -> None:
    registry.field("Container.user")(lambda ctx, state, args: 1 // 0)
    error = await the_error(ask, "{ container { user } }")
    assert error["message"].startswith("internal error in Container.user: ZeroDivisionError")
    assert "ZeroDivisionError" in capsys.readouterr().err
    assert "data" in await ask("{ container { exitCode } }")


async def test_null_where_there_must_be_a_value_is_a_defect(ask: Ask, registry: ResolverRegistry) -> None:
    registry.field("Container.workdir")(lambda ctx, state, args: None)
    error = await the_error(ask, "{ container { workdir } }")
    assert error["message"] == "Cannot return null for non-nullable field Container.workdir."


async def test_a_nullable_leaf_may_be_null(ask: Ask, registry: ResolverRegistry) -> None:
    registry.field("Container.envVariable", args=("name",))(lambda ctx, state, args: None)
    assert await ask('{ container { envVariable(name: "A") } }') == {"data": {"container": {"envVariable": None}}}


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("{ box { stdout } }", 'Cannot query field "box" on type "Query".'),
        ("{ container { size } }", 'Cannot query field "size" on type "Container".'),
        (
            '{ container { build(context: "x") { id } } }',
            (
                'Cannot query field "build" on type "Container". SDKs before 0.19 had it; '
                "use Directory.dockerBuild (in Python: context.docker_build()) instead."
            ),
        ),
        ('{ pipeline(name: "x") { version } }', 'Cannot query field "pipeline" on type "Query". SDKs before 0.13 had it; leave it out.'),
        ("{ container }", 'Field "container" of type "Container!" must have a selection of subfields.'),
        ("{ container { stdout { x } } }", 'Field "stdout" must not have a selection since type "String!" has no subfields.'),
        ("{ container { from { stdout } } }", 'Argument "Container.from(address:)" of type "String!" is required'),
        ("{ container { from(image: 1) { stdout } } }", 'Unknown argument "image" on field "Container.from".'),
        ("{ container { from(address: 1) { stdout } } }", 'Argument "address": String cannot represent value: 1'),
        ("{ container { withExec(args: [], expect: MAYBE) { stdout } } }", 'value MAYBE does not exist in "ReturnType" enum'),
        ("{ c: container { stdout } c: directory { entries } }", 'Fields "c" conflict'),
        ('{ node(id: "Container@beef") { id } }', "unknown id 'Container@beef'"),
        ("{ container { terminal { sync } } }", "Container.terminal is not supported by the embedded engine: it needs a Dagger engine"),
        ('{ container { withExec(args: ["a"], stdin: "b") { sync } } }', "Container.withExec(stdin:) is not supported"),
        ("{ llm { model } }", "Query.llm is not supported"),
        ("{ container { ", "Syntax Error"),
    ],
)
async def test_mistakes_are_told(ask: Ask, query: str, message: str) -> None:
    assert message in (await the_error(ask, query))["message"]


async def test_an_unsupported_argument_at_its_default_is_no_mistake(ask: Ask) -> None:
    answer = await ask('{ container { withExec(args: ["a"], stdin: "", expand: false) { exitCode } } }')
    assert answer["data"]["container"]["withExec"]["exitCode"] == 3


async def test_an_id_of_the_wrong_type_is_refused(ask: Ask) -> None:
    id_ = await an_id(ask, "container { id }", "container", "id")
    error = await the_error(ask, 'query ($d: ID!) { container { withDirectory(path: "/", source: $d) { id } } }', d=id_)
    assert error["message"] == 'Argument "source": expected the id of a Directory, got that of a Container.'
    wrong = await the_error(ask, "query ($d: DirectoryID!) { loadDirectoryFromID(id: $d) { id } }", d=id_)
    assert "expected the id of a Directory" in wrong["message"]


async def test_a_mistake_anywhere_means_nothing_is_asked(ask: Ask, registry: ResolverRegistry) -> None:
    ran = False

    @registry.field("Container.publish", args=("address",))
    async def publish(ctx: object, state: object, args: dict[str, Any]) -> str:
        nonlocal ran
        ran = True
        return "done"

    await the_error(ask, '{ container { publish(address: "x") nonsense } }')
    assert not ran


async def test_the_version_is_the_sdks_and_needs_no_engine(schema: Schema, api: Api) -> None:
    async def never() -> Any:
        raise AssertionError("asked for the engine proper")

    early = Api(schema, api.introspection, Calls(), never)
    response = await execute(early, "{ version __typename __schema { queryType { name } } }")
    assert response.constant
    assert response.body["data"] == {"version": schema.version, "__typename": "Query", "__schema": {"queryType": {"name": "Query"}}}
    assert schema.version.startswith("v0.")


async def test_what_depends_on_the_session_is_not_constant(api: Api) -> None:
    assert not (await execute(api, "{ version: id }")).constant
    assert not (await execute(api, "{ version container { id } }")).constant
    assert not (await execute(api, "{ nonsense }")).constant


@pytest.mark.parametrize("depth", [1, 50, 400])
async def test_chains_of_any_depth(ask: Ask, depth: int) -> None:
    allow_depth()
    links = "".join(f'withExec(args: ["{number}"]) {{ ' for number in range(depth))
    answer = await ask("{ container { " + links + "exitCode" + " }" * (depth + 2))
    value = answer["data"]["container"]
    for _ in range(depth):
        value = value["withExec"]
    assert value == {"exitCode": 1 + 2 * depth}


recipes = st.lists(st.sampled_from(["a", "b", "c"]), max_size=6)


@given(chains=st.lists(recipes, min_size=1, max_size=5))
def test_any_tree_of_chains_gives_what_each_chain_gives(fresh_ask: Callable[[], Ask], chains: list[list[str]]) -> None:
    """Many chains in one query, sharing prefixes or not, answer as if each had been asked alone."""

    async def check() -> None:
        ask = fresh_ask()
        parts = [f"c{number}: {nested(chain)}" for number, chain in enumerate(chains)]
        answer = (await ask("{ " + " ".join(parts) + " }"))["data"]
        for number, chain in enumerate(chains):
            assert unnested(answer[f"c{number}"], chain) == ["empty", *(item for name in chain for item in (name, "x", "420"))]

    asyncio.run(check())


def nested(chain: list[str]) -> str:
    links = "".join(f'withNewFile(path: "{name}", contents: "x") {{ ' for name in chain)
    return "directory { " + links + "entries" + " }" * (len(chain) + 1)


def unnested(value: Any, chain: list[str]) -> Any:
    for _ in chain:
        value = value["withNewFile"]
    return value["entries"]


async def test_fragments_cannot_make_a_small_query_endless(ask: Ask) -> None:
    again = "".join(
        f'fragment F{at} on Container {{ x: from(address: "x") {{ ...F{at + 1} }} y: from(address: "y") {{ ...F{at + 1} }} }} '
        for at in range(60)
    )
    others = 0

    async def count() -> None:
        nonlocal others
        while True:
            await asyncio.sleep(0)
            others += 1

    counting = asyncio.create_task(count())
    answer = await ask("{ container { ...F0 } } " + again + "fragment F60 on Container { stdout }")
    counting.cancel()
    assert "more than" in answer["errors"][0]["message"]
    assert others > 100


@pytest.mark.parametrize("number", ["9" * 5000, "1e999", "-1e999"])
async def test_numbers_that_no_type_holds_are_refused(ask: Ask, number: str) -> None:
    (error,) = (await ask(f'{{ directory {{ withNewFile(path: "p", contents: "c", permissions: {number}) {{ entries }} }} }}'))["errors"]
    assert error["message"].startswith("Numbers cannot represent value")
    assert len(error["message"]) < 300


async def test_values_nested_too_deeply_are_refused(ask: Ask) -> None:
    deep: list[object] = []
    for _ in range(20_000):
        deep = [deep]
    (error,) = (await ask("query ($a: [String!]) { container { withExec(args: $a) { stdout } } }", a=deep))["errors"]
    assert "nested" in error["message"] or "cannot represent" in error["message"]


def test_an_error_is_told_in_characters_that_can_be_printed() -> None:
    assert report(NotFound.stat("a\udcff"), None) == {
        "message": "stat a\\udcff: no such file or directory",
        "extensions": {"code": "NOT_FOUND"},
    }


@pytest.mark.parametrize(("number", "code"), [(errno.ENAMETOOLONG, "INVALID_INPUT"), (errno.ELOOP, "INVALID_INPUT"), (errno.EIO, "FAILED")])
async def test_what_the_system_says_of_a_path_or_disk_is_not_a_defect(ask: Ask, registry: ResolverRegistry, number: int, code: str) -> None:
    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    registry.field("Container.user")(fail)
    (error,) = (await ask("{ container { user } }"))["errors"]
    assert error["message"] == f"Container.user: {os.strerror(number).lower()}"
    assert error["extensions"]["code"] == code

"""JSONValue: JSON looked into and put together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.api.fields.file import LARGEST
from pipelines.engine.embedded.api.registry import field
from pipelines.engine.embedded.ops.files import read
from pipelines.engine.embedded.ops.values.json_value import JsonValue

if TYPE_CHECKING:
    from pipelines.engine.embedded.ops.interface import ClientSession
    from pipelines.engine.embedded.ops.values.states import FileState

Args = dict[str, Any]


@field("Query.json")
def json_(_: ClientSession, __: None, ___: Args) -> JsonValue:
    return JsonValue()


@field("File.asJSON")
async def as_json(session: ClientSession, state: FileState, _: Args) -> JsonValue:
    return JsonValue.parse(await read.contents(session, state.op, state.path, limit=LARGEST))


@field("JSONValue.contents", args=("pretty", "indent"))
def contents(_: ClientSession, state: JsonValue, args: Args) -> str:
    return state.text(pretty=args["pretty"], indent=args["indent"])


@field("JSONValue.withContents", args=("contents",))
def with_contents(_: ClientSession, __: JsonValue, args: Args) -> JsonValue:
    return JsonValue.parse(args["contents"])


@field("JSONValue.field", args=("path",))
def member(_: ClientSession, state: JsonValue, args: Args) -> JsonValue:
    return state.field(args["path"])


@field("JSONValue.fields")
def fields(_: ClientSession, state: JsonValue, __: Args) -> list[str]:
    return state.fields()


@field("JSONValue.withField", args=("path", "value"))
def with_field(_: ClientSession, state: JsonValue, args: Args) -> JsonValue:
    return state.put(args["path"], args["value"])


@field("JSONValue.newString", args=("value",))
@field("JSONValue.newInteger", args=("value",))
@field("JSONValue.newBoolean", args=("value",))
def new_value(_: ClientSession, __: JsonValue, args: Args) -> JsonValue:
    return JsonValue(args["value"])


@field("JSONValue.asArray")
def as_array(_: ClientSession, state: JsonValue, __: Args) -> list[JsonValue]:
    return state.items()


@field("JSONValue.asString")
def as_string(_: ClientSession, state: JsonValue, __: Args) -> str:
    return state.string()


@field("JSONValue.asBoolean")
def as_boolean(_: ClientSession, state: JsonValue, __: Args) -> bool:
    return state.boolean()


@field("JSONValue.asInteger")
def as_integer(_: ClientSession, state: JsonValue, __: Args) -> int:
    return state.integer()

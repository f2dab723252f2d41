from __future__ import annotations

import dagger
import pytest
from dagger import JSON, dag

from tests.contract.asking import ask

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("engine")]

TEXT = '{"a": {"b": [1, "x", true, null, 1.5]}, "s": "t", "i": 3}'


def value(text: str) -> dagger.JSONValue:
    return dag.json().with_contents(JSON(text))


async def test_a_file_is_read_as_json() -> None:
    read = dag.directory().with_new_file("x.json", TEXT).file("x.json").as_json()
    assert sorted(await read.fields()) == ["a", "i", "s"]
    assert await read.contents() == TEXT
    assert (await read.field(["s"]).as_string(), await read.field(["i"]).as_integer()) == ("t", 3)
    items = (await ask(read.field(["a", "b"]), "asArray { contents }"))["asArray"]
    assert [one["contents"] for one in items] == ["1", '"x"', "true", "null", "1.5"]


async def test_pretty_json_is_sorted_and_indented() -> None:
    pretty = '{\n  "a": {\n    "b": 1,\n    "y": 2\n  },\n  "z": 1\n}'
    assert await value('{"z":1,"a":{"y":2,"b":1}}').contents(pretty=True) == pretty


async def test_values_are_put_together() -> None:
    made = dag.json().with_field(["a", "b"], dag.json().new_string("x")).with_field(["n"], dag.json().new_integer(3))
    made = made.with_field(["t"], dag.json().new_boolean(value=True))
    assert await made.contents() == '{"a":{"b":"x"},"n":3,"t":true}'
    assert await made.field(["a"]).contents() == '{"b":"x"}'
    assert await made.field(["t"]).as_boolean()
    assert await dag.json().contents() == "null"


async def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(dagger.QueryError, match="cannot unmarshal string into Go value of type int"):
        await value('"x"').as_integer()
    with pytest.raises(dagger.QueryError, match="cannot unmarshal number into Go value of type string"):
        await value("1").as_string()
    with pytest.raises(dagger.QueryError, match=r"cannot unmarshal number 1\.5 into Go value of type int"):
        await value("1.5").as_integer()
    with pytest.raises(dagger.QueryError, match="no such field: 'b'"):
        await value('{"a":1}').field(["b"]).contents()
    with pytest.raises(dagger.QueryError, match="value is not an object"):
        await value("[1]").fields()
    with pytest.raises(dagger.QueryError, match="invalid JSON"):
        await value("{").contents()

from __future__ import annotations

import os

import dagger
import pytest
from dagger import dag

from tests.contract.asking import ask

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("engine")]

TEXT = """\
A=1

B="two words"
C='$A'
D=$A-x
E="${A}y"
F=a b
H=
A=2
I="a#b"
J="l1\\nl2"
L=${NOPE:-dflt}
M="q\\"q"
N=a=b
"""


def parsed(text: str) -> dagger.EnvFile:
    return dag.directory().with_new_file(".env", text).file(".env").as_env_file()


async def variables(file: dagger.EnvFile, *, raw: bool = False) -> list[tuple[str, str]]:
    found = (await ask(file, f"variables(raw: {str(raw).lower()}) {{ name value }}"))["variables"]
    return [(one["name"], one["value"]) for one in found]


async def test_values_are_read_as_a_shell_would() -> None:
    assert await variables(parsed(TEXT)) == [
        ("A", "2"),
        ("B", "two words"),
        ("C", "$A"),
        ("D", "2-x"),
        ("E", "2y"),
        ("F", "a b"),
        ("H", ""),
        ("I", "a#b"),
        ("J", r"l1\nl2"),
        ("L", "dflt"),
        ("M", 'q"q'),
        ("N", "a=b"),
    ]


async def test_raw_values_are_as_written() -> None:
    assert await variables(parsed(TEXT), raw=True) == [
        ("A", "2"),
        ("B", '"two words"'),
        ("C", "'$A'"),
        ("D", "$A-x"),
        ("E", '"${A}y"'),
        ("F", "a b"),
        ("H", ""),
        ("I", '"a#b"'),
        ("J", r'"l1\nl2"'),
        ("L", "${NOPE:-dflt}"),
        ("M", r'"q\"q"'),
        ("N", "a=b"),
    ]


async def test_single_variables() -> None:
    file = parsed(TEXT)
    assert (await file.get("A"), await file.get("C"), await file.get("C", raw=True), await file.get("zz")) == ("2", "$A", "'$A'", "")
    assert (await file.exists("A"), await file.exists("zz")) == (True, False)


async def test_a_variable_may_come_later_or_from_the_client() -> None:
    found = dict(await variables(parsed("A=$B\nB=1\nP=$PATH\nH=~\n")))
    assert found == {"A": "1", "B": "1", "P": os.environ["PATH"], "H": "~"}


async def test_what_a_shell_exports_is_a_variable_too() -> None:
    assert await variables(parsed("export A=1\n\texport  B=2\nexported=3\n")) == [("A", "1"), ("B", "2"), ("exported", "3")]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("A-B=1\n", 'parse error: "A-B=1": not a bare assignment'),
        ("G = 5\n", 'parse error: "G = 5": not a bare assignment'),
        ('A="x\n', "reached EOF without closing quote"),
    ],
)
async def test_what_is_no_assignment_is_refused(text: str, error: str) -> None:
    with pytest.raises(dagger.QueryError, match=error):
        await parsed(text).exists("A")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("A=$A\n", "A: A: unbound variable"),
        ("A=$$x\n", "A: \\$: unbound variable"),
        ("A=$(echo hi)\n", "A: unexpected command substitution"),
        ("A=`x`\n", "A: unexpected command substitution"),
    ],
)
async def test_what_cannot_be_expanded_is_refused(text: str, error: str) -> None:
    with pytest.raises(dagger.QueryError, match=error):
        await parsed(text).get("A")


async def test_an_env_file_is_put_together() -> None:
    file = dag.env_file().with_variable("X", "1").with_variable("Y", "a b").with_variable("Z", "$X").with_variable("X", "2")
    assert await variables(file) == [("X", "2"), ("Y", "a b"), ("Z", "2")]
    assert await file.as_file().name() == ".env"
    assert await file.as_file().contents() == "X=2\nY=a b\nZ=$X\n"
    assert await file.without_variable("X").as_file().contents() == "Y=a b\nZ=$X\n"


async def test_a_namespace_ignores_case_and_underscores() -> None:
    file = parsed("MY_APP_TOKEN=t\nmy_app_NAME=hello\nFOO=bar\nMYAPP_X=1\n")
    for prefix in ("MY_APP_", "my_app", "MY_APP"):
        assert sorted(await variables(file.namespace(prefix))) == [("NAME", "hello"), ("TOKEN", "t"), ("X", "1")]


async def test_a_container_gets_the_variables(base: dagger.Container) -> None:
    given = base.with_env_variable("A", "0").with_env_file_variables(parsed('A=1\nB="x y"\nD=$A\n'))
    assert [await given.env_variable(name) for name in "ABD"] == ["1", "x y", "1"]
    assert await given.with_exec(["sh", "-c", "env | grep -E '^[ABD]=' | sort"]).stdout() == "A=1\nB=x y\nD=1\n"

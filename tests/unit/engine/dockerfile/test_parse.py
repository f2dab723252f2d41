from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import dockerfile as official  # type: ignore[import-not-found]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.engine.embedded.dockerfile.errors import DockerfileError
from pipelines.engine.embedded.dockerfile.syntax.directives import directives
from pipelines.engine.embedded.dockerfile.syntax.parse import parse
from pipelines.engine.embedded.dockerfile.syntax.parsed import Heredoc

FAULTS = [
    ("", "the Dockerfile cannot be empty"),
    ("# only\n\n", "file with no instructions"),
    ("FROM a\n\nRUN a \\\n  b\nENV a\n", "dockerfile parse error on line 5: ENV must have two arguments"),
    (
        "FROM a\nLABEL a=b \\\n # c\n\n d\nRUN x\n",
        'dockerfile parse error on line 2: Syntax error - can\'t find = in "d". Must be of the form: name=value',
    ),
    ("FROM a\nRUN <<A\nx\nA\nRUN cat \\\n  <<B\nA\n", "dockerfile parse error on line 5: unterminated heredoc"),
    ("FROM a\nRUN [1]\n", "dockerfile parse error on line 2: when using JSON array syntax, arrays must be comprised of strings only"),
    ("# escape=x\nFROM a\n", "dockerfile parse error on line 1: invalid escape token 'x' does not match ` or \\"),
    ("FROM a\nRUN b\0c\n", "dockerfile parse error on line 2: a NUL character"),
    ("FROM a\nRUN " + "b" * 70000, "dockerfile parse error on line 2: dockerfile line greater than max allowed size of 65535"),
]


@pytest.mark.parametrize(("text", "message"), FAULTS)
def test_faults_name_their_line(text: str, message: str) -> None:
    with pytest.raises(DockerfileError) as caught:
        parse(text)
    assert caught.value.message == "failed to convert Dockerfile to LLB: " + message


def test_a_file_with_another_name_is_named() -> None:
    with pytest.raises(
        DockerfileError, match=r"dockerfile parse error on line 1 of docker/app.Dockerfile: ENV must have two arguments"
    ) as caught:
        parse("ENV a\n", "docker/app.Dockerfile")
    assert (caught.value.file, caught.value.line) == ("docker/app.Dockerfile", 1)


def test_instructions_continuations_and_heredocs() -> None:
    text = "\ufeff# syntax=docker/dockerfile:1\nfrom a as b\r\nRUN --mount=type=tmpfs a \\\r\n  # why\n  b\n"
    nodes = parse(text + "COPY <<-A <<'B' /c/\n\tx\nA\n\ty\nB\n").nodes
    assert [(node.name, node.word, node.args, node.line) for node in nodes] == [
        ("FROM", "from", ("a", "as", "b"), 2),
        ("RUN", "RUN", ("a   b",), 3),
        ("COPY", "COPY", ("<<-A", "<<'B'", "/c/"), 6),
    ]
    assert nodes[1].flags == ("--mount=type=tmpfs",)
    assert nodes[2].heredocs == (Heredoc("A", "\tx\n"), Heredoc("B", "\ty\n"))
    assert nodes[2].text == "COPY <<-A <<'B' /c/"


def test_escape_directive() -> None:
    parsed = parse("# syntax=docker/dockerfile:1\n# ESCAPE = `\nFROM a\nRUN a `\n b \\\nRUN c\n")
    assert parsed.escape == "`"
    assert [node.args for node in parsed.nodes[1:]] == [("a  b \\",), ("c",)]


def test_escape_directive_after_a_comment_is_a_comment() -> None:
    assert parse("# hello\n# escape=`\nFROM a\n").escape == "\\"


@pytest.mark.parametrize(
    ("line", "args", "is_json"),
    [
        ('RUN ["a", "b c"]', ("a", "b c"), True),
        ('RUN --mount=type=cache,target=/[x] ["a"]  ', ("a",), True),
        ('RUN ["a"] && b', ('["a"] && b',), False),
        ('CMD ["a"] b', ('["a"] b',), False),
        ('COPY ["a"] b', ('["a"]', "b"), False),
        ('COPY ["a b", "c"]', ("a b", "c"), True),
        ("RUN [ -e x ]", ("[ -e x ]",), False),
        ('HEALTHCHECK CMD ["CMD", "a"]', ("CMD", "CMD", "a"), True),
        ('HEALTHCHECK CMD ["a"] || b', ("CMD", '["a"] || b'), False),
        ("CMD []", (), True),
    ],
)
def test_exec_form_is_a_whole_json_array(line: str, args: tuple[str, ...], *, is_json: bool) -> None:
    node = parse(f"FROM x\n{line}\n").nodes[1]
    assert (node.args, node.json) == (args, is_json)


@settings(max_examples=25, deadline=None)
@given(st.text(st.characters(codec="utf-8")))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        parse(text)
    except DockerfileError:
        return


@settings(max_examples=15, deadline=None)
@given(
    before=st.lists(st.sampled_from(["RUN a", "RUN a \\\n  b", "# c", "", "RUN <<E\nENV x\nE", "COPY <<E /x\n\\\nE"]), max_size=8),
    bad=st.sampled_from(["ENV x", "RUN [1]", "RUN <<F"]),
)
def test_the_line_is_that_of_the_bad_instruction(before: list[str], bad: str) -> None:
    head = "\n".join(["FROM a", *before]) + "\n"
    with pytest.raises(DockerfileError) as caught:
        parse(f"{head}{bad}\nRUN z\n")
    assert caught.value.line == head.count("\n") + 1


def test_the_parser_is_found_where_only_pythonpath_leads_to_it(tmp_path: Path) -> None:
    places = [Path(__file__).parents[4], Path(official.__file__).parent]
    script = "from pipelines.engine.embedded.dockerfile.syntax.parse import parse; print(parse('FROM x').nodes[0].args)"
    command = [sys._base_executable, "-c", script]  # type: ignore[attr-defined]  # an interpreter that knows of no packages
    done = subprocess.run(
        command, env={"PYTHONPATH": os.pathsep.join(map(str, places))}, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("('x',)\n", "")


def test_a_directive_of_many_spaces_takes_no_time() -> None:
    found = directives("# check=x" + " " * 1_000_000 + "x\n# escape=`  \nFROM a\n")
    assert found["escape"] == "`"


def test_brackets_before_the_array_take_no_time() -> None:
    node = parse("FROM a\nRUN --mount=target=/" + "[" * 20_000 + ' ["x", "y"] && z\n').nodes[1]
    assert (node.json, node.args) == (False, ('["x", "y"] && z',))

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipelines.engine.embedded.dockerfile.building.ignore import candidates, patterns


def test_lines() -> None:
    text = "\ufeff# comment\n\n *.log \n/build/\n!build/keep\n! /a//b/../c\n #not a comment\na/./b/\n/\n!\n\tx\r\n"
    assert patterns(text) == ("*.log", "build", "!build/keep", "!a/c", "#not a comment", "a/b", "/", "!", "x")


def test_the_ignore_file_beside_the_dockerfile_comes_first() -> None:
    assert candidates("docker/app.Dockerfile") == ("docker/app.Dockerfile.dockerignore", ".dockerignore")


@given(
    segments=st.lists(st.sampled_from(["a", "b.c", "*", "**", "?x"]), min_size=1, max_size=4),
    separator=st.sampled_from(["/", "//", "/./", "/x/../"]),
    head=st.sampled_from(["", "/", "//", "./"]),
    tail=st.sampled_from(["", "/", "/.", "  ", "\r"]),
    negative=st.booleans(),
)
def test_spellings_of_one_path_are_one_pattern(segments: list[str], separator: str, head: str, tail: str, *, negative: bool) -> None:
    sign = "!" if negative else ""
    assert patterns(f"{sign}{head}{separator.join(segments)}{tail}\n") == (sign + "/".join(segments),)

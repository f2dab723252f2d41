"""Our reader of Dockerfiles answers as the official parser does."""

from __future__ import annotations

import dockerfile as official  # type: ignore[import-not-found]  # a binary module without stubs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.foundation.dockerfile import NotADockerfile, read, stages_of

PIECES = [
    *("FROM a AS b\n", "from a\n", "RUN true\n", "RUN --mount=type=cache,target=/x  true\n", 'RUN --security="insecure" x\n', "CMD x\n"),
    *(
        "RUN a \\\n",
        "  b\\\n",
        "RUN --net\\\nwork=host x\n",
        "# comment\n",
        "  # comment\n",
        "\n",
        "   \n",
        "\t",
        "\\\n",
        "\\\\\n",
        "RUN x \\ \n",
    ),
    *("RUN <<EOF\n", "EOF\n", "COPY <<-'X Y' /x\n", "COPY <<A <<B /x\n", "A\n", "B\n", "\tEOF\n", "ONBUILD RUN <<EOF\n", "RUN cat <<\n"),
    *(
        "# escape=`\n",
        "RUN a `\n",
        "# syntax=x\n",
        "#escape=\\\n",
        "RUN --a='b c' --d=\\\" e\n",
        "RUN -- x\n",
        "ONBUILD RUN --network=host x\n",
    ),
    *('CMD ["a", "b"]\n', "CMD [1]\n", "CMD [\n", "EXPOSE 80 81/udp\n", "\r\n", "RUN a\r\n", "RUN a \\\r\n"),
]
texts = st.lists(st.sampled_from(PIECES), max_size=8).map("".join)


def ours(text: str) -> list[tuple[str, tuple[str, ...], int]] | None:
    try:
        return [(one.name, one.flags, one.line) for one in read(text)]
    except NotADockerfile:
        return None


def theirs(text: str) -> list[tuple[str, tuple[str, ...], int]] | None:
    try:
        return [(one.cmd.upper(), tuple(one.flags), one.start_line) for one in official.parse_string(text) if one.cmd]
    except official.GoParseError:
        return None


@settings(max_examples=400)
@given(texts)
def test_names_flags_and_lines_are_those_of_the_official_parser(text: str) -> None:
    expected = theirs(text)
    if expected is not None:  # what it refuses for other reasons is not built by anybody
        assert ours(text) == expected


def test_lines_of_white_space_that_are_joined_are_not_an_instruction() -> None:
    assert read("\\\n\t\\\n") == ()


@given(st.text(max_size=100))
def test_any_text_is_read_or_refused(text: str) -> None:
    ours(text)


@pytest.mark.parametrize(
    ("line", "array", "words"),
    [
        ('CMD ["a", "b c"]', ("a", "b c"), ('["a",', '"b', 'c"]')),
        ("CMD a b", None, ("a", "b")),
        ("CMD [1]", None, ("[1]",)),
        ("CMD [" + "[" * 5000, None, None),
    ],
)
def test_the_two_forms_of_a_command(line: str, array: tuple[str, ...] | None, words: tuple[str, ...] | None) -> None:
    (found,) = read(line)
    assert found.array == array
    assert words is None or found.tokens == words


def test_a_trigger_is_an_instruction_too() -> None:
    (found,) = read("ONBUILD run --network=host x")
    trigger = found.trigger()
    assert trigger is not None
    assert (trigger.name, trigger.flags) == ("RUN", ("--network=host",))
    assert trigger.trigger() is None


def test_a_heredoc_without_an_end_is_refused() -> None:
    with pytest.raises(NotADockerfile, match="line 2: the heredoc EOF has no end"):
        read("FROM a\nRUN <<EOF\ntrue\n")


def test_stages_are_what_each_from_begins() -> None:
    text = "ARG V=1\nFROM --platform=linux/arm64 a:1 as one\nRUN x\nCMD y\nFROM one\nfrom b As two words\n"
    found = [(stage.base, stage.name, [one.name for one in stage.instructions]) for stage in stages_of(read(text))]
    assert found == [("a:1", "one", ["RUN", "CMD"]), ("one", "", []), ("b", "", [])]


def test_a_file_without_a_stage_has_none() -> None:
    assert stages_of(read("ARG A\nRUN x\n")) == ()
    assert [(stage.base, stage.name) for stage in stages_of(read("FROM\n"))] == [("", "")]

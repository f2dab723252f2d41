"""What providers print: compared with the documents of GitLab and GitHub, letter by letter."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.providers import Annotation, HarmlessStream, Provider, detect, harmless

if TYPE_CHECKING:
    from pathlib import Path


def test_a_gitlab_section() -> None:
    fold = detect({"GITLAB_CI": "true"}).fold("image.shop/x", "image.shop passed", started=10.9, ended=12.1)
    assert fold is not None
    assert fold.before == "\x1b[0Ksection_start:10:image.shop_x[collapsed=true]\r\x1b[0Kimage.shop passed"
    assert fold.after == "\x1b[0Ksection_end:12:image.shop_x\r\x1b[0K"


def test_a_gitlab_section_may_be_open() -> None:
    fold = detect({"GITLAB_CI": "true"}).fold("a", "b", started=1, ended=2, collapsed=False)
    assert fold is not None
    assert fold.before == "\x1b[0Ksection_start:1:a\r\x1b[0Kb"


def test_a_github_group_lifts_the_guard_for_its_own_words_only() -> None:
    provider = detect({"GITHUB_ACTIONS": "true"})
    fold, guard = provider.fold("a", "50% done", started=1, ended=2), provider.guard()
    assert fold is not None
    assert guard is not None
    begin = re.fullmatch(r"::stop-commands::([0-9a-f]{32})", guard.before)
    assert begin is not None
    assert guard.after == f"::{begin[1]}::"
    assert fold.before.splitlines() == [guard.after, "::group::50%25 done", guard.before]
    assert fold.after.splitlines() == [guard.after, "::endgroup::", guard.before]


def test_a_github_annotation_is_escaped() -> None:
    remark = Annotation(level="error", title="a,b: c", message="100%\nnext", path="app/x.py", line=3)
    line = detect({"GITHUB_ACTIONS": "true"}).annotate(remark)
    assert line == "::error file=app/x.py,line=3,title=a%2Cb%3A c::100%25%0Anext"


def test_a_github_summary_is_appended_and_stays_under_its_limit(tmp_path: Path) -> None:
    file = tmp_path / "summary"
    provider = detect({"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(file)})
    assert provider.summarise("one\n")
    assert provider.summarise("two\n")
    assert file.read_text() == "one\ntwo\n"
    file.unlink()
    assert provider.summarise("é" * 1024 * 1024)
    assert file.stat().st_size <= 1024 * 1024
    assert file.read_text().endswith("… the rest is in the reports\n")


def test_elsewhere_there_are_no_such_words() -> None:
    remark = Annotation(level="error", title="t", message="m")
    for provider in (Provider(), detect({"CI": "true"}), detect({"GITHUB_ACTIONS": "true"})):
        assert provider.summarise("x") is False
    assert Provider().annotate(remark) is None
    assert Provider().fold("a", "b", started=1, ended=2) is None


COMMANDS = ["::set-env name=PATH::/evil", "  ::add-path::/evil", "\t::add-mask::x", "::stop-commands::x", "::endgroup::", "a ##[add-mask]x"]
COMMANDS += ["##vso[task.setvariable variable=x]y", "##teamcity[publishArtifacts 'x']", "\x1b[0Ksection_start:1:x\r\x1b[0Ktitle"]
IN_A_CI = detect({"CI": "true"})


def obeyed(text: str) -> bool:
    """Whether a CI would take a line for a command: by the rules of the runners of GitHub (ActionCommand), Azure, TeamCity and GitLab.

    The words before a bracket are `##[`, `##vso[` and `##teamcity[`; no runner has one of more than 32 characters.
    """
    lines = text.split("\n")
    return any(line.lstrip().startswith("::") for line in lines) or bool(re.search(r"##[\w.-]{0,32}\[|section_(start|end):", text))


@pytest.mark.parametrize("command", COMMANDS)
def test_no_output_of_others_is_a_command(command: str) -> None:
    for name in ("CI", "GITHUB_ACTIONS", "GITLAB_CI"):
        shown = detect({name: "true"}).harmless(f"before\n{command}\nafter")
        assert not obeyed(shown)
        assert shown.replace(" ", "") == f"before\n{command}\nafter".replace(" ", "")
    assert Provider().harmless(command) == command


PIECES = st.lists(
    st.sampled_from(
        [":", "::", " ", "\t", "\n", "\r", "#", "##", "[", "vso", "set-env", "section_", "start", "end", "x" * 70, " " * 70, "]"]
    ),
    max_size=20,
)


@given(PIECES)
def test_output_in_pieces_is_no_command_however_it_is_cut(pieces: list[str]) -> None:
    stream, whole = HarmlessStream(), "".join(pieces)
    shown = "".join(map(stream.feed, pieces))
    assert not obeyed(shown)
    assert shown == harmless(whole)


@given(st.text())
def test_text_without_a_command_stays_as_it_is(text: str) -> None:
    assert harmless(text) == text or obeyed(text)

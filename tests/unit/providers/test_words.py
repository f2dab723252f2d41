"""What providers print: compared with the documents of GitLab and GitHub, letter by letter."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipelines.providers import Annotation, Provider, detect

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


def test_a_github_group_takes_no_commands_from_what_it_holds() -> None:
    fold = detect({"GITHUB_ACTIONS": "true"}).fold("a", "50% done", started=1, ended=2)
    assert fold is not None
    begin = re.fullmatch(r"::group::50%25 done\n::stop-commands::([0-9a-f]{32})", fold.before)
    assert begin is not None
    assert fold.after == f"::{begin[1]}::\n::endgroup::"


def test_every_github_group_has_a_new_token() -> None:
    provider = detect({"GITHUB_ACTIONS": "true"})
    assert provider.fold("a", "b", started=1, ended=2) != provider.fold("a", "b", started=1, ended=2)


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

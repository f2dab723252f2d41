from __future__ import annotations

import pytest

from pipelines.engine.embedded.ops.commands.exec import expected, foreign


@pytest.mark.parametrize("platform", ["linux/amd64", "", "linux/386", "amd64"])
def test_a_failure_of_what_runs_here_is_told_as_it_is(platform: str) -> None:
    assert foreign(platform, "linux/amd64") == ""


@pytest.mark.parametrize(
    ("platform", "host"), [("linux/arm64", "linux/amd64"), ("linux/amd64", "linux/arm64"), ("linux/s390x", "linux/amd64")]
)
def test_a_failure_of_another_platforms_programs_names_what_they_need(platform: str, host: str) -> None:
    told = foreign(platform, host)
    assert platform in told
    assert host in told
    assert "binfmt_misc" in told


@pytest.mark.parametrize(
    ("expect", "codes"),
    [
        ("SUCCESS", {0}),
        ("FAILURE", {*range(1, 128), *range(192, 256)}),
        ("ANY", {*range(128), *range(192, 256)}),
    ],
)
def test_an_exit_by_signal_is_never_expected(expect: str, codes: set[int]) -> None:
    assert {code for code in range(256) if expected(expect, code)} == codes

"""Short spellings written out, of the project and of the sections; everything else stays as it is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipelines.config.shorthand import full_path, written_out
from pipelines.steps.kinds import KINDS

SECTIONS = [kind.section for kind in KINDS]


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ({"engine": "embedded"}, {"engine": {"kind": "embedded"}}),
        ({"tests": {"unit": {"image": "shop"}}}, {"tests": {"unit": {"image": {"name": "shop"}}}}),
        ({"tests": {"unit": {"image": {"name": "shop"}}}}, {"tests": {"unit": {"image": {"name": "shop"}}}}),
        ({"tests": {"unit": "not a table"}}, {"tests": {"unit": "not a table"}}),
        ({"tests": "not a table"}, {"tests": "not a table"}),
        ({"scan": {"image": "trivy"}}, {"scan": {"image": "trivy"}}),
    ],
)
def test_what_is_written_out(short: dict[str, object], long: dict[str, object]) -> None:
    assert written_out(short, SECTIONS) == long


def test_the_path_of_a_short_key_is_that_of_what_it_stands_for() -> None:
    assert full_path(("engine",)) == ("engine", "kind")
    assert full_path(("engine", "memory")) == ("engine", "memory")
    assert full_path(("tests",)) == ("tests",)


def test_a_section_of_one_table_has_its_short_forms_in_that_table() -> None:
    (scan,) = (section for section in SECTIONS if section.key == "scan")
    with_short_form = replace(scan, short_forms={"image": "name"})
    assert written_out({"scan": {"image": "trivy", "sources": False}}, [with_short_form]) == {
        "scan": {"image": {"name": "trivy"}, "sources": False}
    }

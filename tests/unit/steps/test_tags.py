from __future__ import annotations

import dataclasses
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import ConfigError
from pipelines.model import Registry, Source
from pipelines.steps.common.tags import Tag, fill, repository, tags_of
from pipelines.steps.publish.spec import PublishSpec


def names(spec: PublishSpec, source: Source) -> list[tuple[str, bool]]:
    return [(tag.name, tag.immutable) for tag in tags_of(spec, source)]


def test_a_release_has_an_immutable_tag_and_moving_ones_after_it(source: Source) -> None:
    assert names(PublishSpec(moving=("latest", "{branch}")), source) == [("1.4.0", True), ("latest", False), ("main", False)]


@pytest.mark.parametrize("version", ["0.0.0+gabc1234", "1.4.0-3-gabc1234", "1.4.0.dirty", "0.0.0+gabc1234.dirty"])
def test_a_snapshot_may_be_pushed_again(source: Source, version: str) -> None:
    snapshot = dataclasses.replace(source, version=version)
    assert names(PublishSpec(), snapshot) == [(version.replace("+", "_"), False)]


def test_outside_git_nothing_is_immutable_but_what_is_written_out() -> None:
    outside = Source(root="/x")
    assert names(PublishSpec(tags=("{version}", "1.0")), outside) == [("1.0", True), ("0.0.0", False)]


def test_the_same_tag_twice_is_one_and_moving_wins(source: Source) -> None:
    assert names(PublishSpec(tags=("{version}", "1.4.0"), moving=("1.4.0",)), source) == [("1.4.0", False)]


def test_branches_become_tags(source: Source) -> None:
    feature = dataclasses.replace(source, branch="feature/new+cart")
    assert names(PublishSpec(tags=(), moving=("{branch}",)), feature) == [("feature-new_cart", False)]


def test_a_template_without_a_value_is_told(source: Source) -> None:
    detached = dataclasses.replace(source, branch=None)
    with pytest.raises(ConfigError) as caught:
        tags_of(PublishSpec(moving=("{branch}",)), detached)
    assert caught.value.problems == ("publish.moving: '{branch}' gives no tag",)


def test_only_known_placeholders_are_filled(source: Source) -> None:
    assert fill('{version} {short} {"a": {}}', source) == '1.4.0 0123456789ab {"a": {}}'


@given(template=st.text(), version=st.text(), branch=st.text() | st.none())
def test_a_tag_always_has_the_grammar_of_a_tag(template: str, version: str, branch: str | None) -> None:
    source = Source(root="/x", revision="ab" * 20, version=version, branch=branch)
    try:
        tags: tuple[Tag, ...] = tags_of(PublishSpec(tags=(template,)), source)
    except ConfigError:
        return
    assert all(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", tag.name) for tag in tags)


@pytest.mark.parametrize("url", ["host:5000/team", "host:5000/team/"])
def test_the_repository_is_below_the_registry(url: str) -> None:
    assert repository(Registry(url=url), "shop") == "host:5000/team/shop"

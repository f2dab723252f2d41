from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipelines.steps.image.spec import images_of
from pipelines.steps.test.spec import configured_tests
from tests.projects import scan_in

if TYPE_CHECKING:
    from tests.unit.config.conftest import Folder

TEXT = """
    [project]
    name = "shop"
    [images.my-shop]
    [tests.unit]
    image = "my-shop"
    command = ["true"]
    [scan]
    [publish]
"""


def test_named_sections_are_reached_by_their_names(folder: Folder) -> None:
    folder.environ |= {
        "LOCKGATE_IMAGES_MY_SHOP_TARGET": "8000",
        "LOCKGATE_TESTS_UNIT_TIMEOUT": "10m",
        "LOCKGATE_TESTS_UNIT_IMAGE_TARGET": "test",
        "LOCKGATE_SCAN_FAIL_ON": "low",
        "LOCKGATE_PUBLISH_WHEN": "never",
    }
    project = folder.load(TEXT).project
    assert images_of(project)["my-shop"].target == "8000"
    assert configured_tests(project)["unit"].limits.timeout_s == 600.0
    assert (configured_tests(project)["unit"].image.name, configured_tests(project)["unit"].image.target) == ("my-shop", "test")
    assert scan_in(project).fail_on == "low"


@pytest.mark.parametrize(("word", "value"), [("true", True), ("ON", True), ("1", True), ("no", False), ("Off", False), ("0", False)])
def test_words_for_yes_and_no(folder: Folder, word: str, value: bool) -> None:
    folder.environ["LOCKGATE_KEEP_GOING"] = word
    assert folder.load(TEXT).project.keep_going is value


def test_any_other_word_is_an_error(folder: Folder) -> None:
    folder.environ["LOCKGATE_KEEP_GOING"] = "maybe"
    assert folder.problems(TEXT) == ("keep_going: expected true or false, not a string (set by LOCKGATE_KEEP_GOING)",)


def test_a_mistyped_variable_is_noted_and_foreign_ones_are_not(folder: Folder) -> None:
    folder.environ |= {"LOCKGATE_REGISTY_URL": "x", "LOCKGATE_CACHE": "/tmp/x", "LOCKGATE_RUN": "1", "PATH": "x"}
    assert folder.load(TEXT).notes == ("LOCKGATE_REGISTY_URL is not a setting; did you mean LOCKGATE_REGISTRY_URL?",)

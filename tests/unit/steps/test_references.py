from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from pipelines.errors import ExitCode, Unavailable
from pipelines.model import LockedImage
from pipelines.steps.common.references import digest_of, resolve

if TYPE_CHECKING:
    from pipelines.model import Project


def test_a_locked_name_is_what_the_lock_says(project: Project) -> None:
    python = LockedImage(name="python", reference="host/python@sha256:abc", origin="built")
    assert resolve(dataclasses.replace(project, locked={"python": python}), "python", wanted_by="image shop") is python


@pytest.mark.parametrize("name", ["redis:7", "library/redis", "redis@sha256:abc", "host:5000/x/y"])
def test_a_reference_is_itself(project: Project, name: str) -> None:
    assert resolve(project, name, wanted_by="image shop") == LockedImage(name=name, reference=name, origin="reference", layer="")


def test_a_bare_name_nobody_knows_is_told_with_a_remedy(project: Project) -> None:
    with pytest.raises(Unavailable, match="image shop needs the image 'python'") as caught:
        resolve(project, "python", wanted_by="image shop")
    assert caught.value.exit_code is ExitCode.UNAVAILABLE
    assert caught.value.next_step is not None
    assert "lockgate images use python" in caught.value.next_step


def test_a_mistyped_name_is_told_with_the_right_one(project: Project) -> None:
    known = {"python": LockedImage(name="python", reference="r/python:1", origin="built")}
    with pytest.raises(Unavailable, match=r"did you mean python\?"):
        resolve(dataclasses.replace(project, locked=known), "pyhton", wanted_by="image shop")


@pytest.mark.parametrize(("reference", "digest"), [("a/b:1@sha256:abc", "sha256:abc"), ("a/b:1", None)])
def test_digests(reference: str, digest: str | None) -> None:
    assert digest_of(reference) == digest

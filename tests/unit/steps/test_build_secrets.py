"""Build secrets of the machine reach the images that ask for them, and no other."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from pipelines.model import SecretRef
from pipelines.steps.image.build_secrets import secrets_of
from pipelines.steps.image.spec import images_of

if TYPE_CHECKING:
    from pipelines.model import Project

SECRETS = {"pip": SecretRef("file:///etc/pip.conf"), "ca": SecretRef("file:///etc/ca.crt")}


@pytest.mark.parametrize(
    ("text", "got"),
    [
        ("FROM a\nRUN pip install x\n", set()),
        ("FROM a\nRUN --mount=type=secret,id=pip pip install x\n", {"pip"}),
        ('FROM a\nRUN --mount=type=secret,id=pip,target=/x --mount=type=secret,id="ca" true\n', {"pip", "ca"}),
        ("FROM a\nRUN --mount=type=secret,\\\n  id=ca true\n", {"ca"}),
        ("FROM a\nRUN --mount=type=secret,id=pipx true\n", set()),
    ],
)
def test_a_secret_is_offered_where_its_id_is_asked_for(project: Project, text: str, got: set[str]) -> None:
    (project.root / "Dockerfile").write_text(text)
    assert set(secrets_of(images_of(project)["shop"], dataclasses.replace(project, build_secrets=SECRETS))) == got


def test_the_secret_of_an_image_itself_counts_more(project: Project) -> None:
    (project.root / "Dockerfile").write_text("FROM a\nRUN --mount=type=secret,id=pip true\n")
    shop = dataclasses.replace(images_of(project)["shop"], secrets={"pip": SecretRef("env://MINE"), "other": SecretRef("env://OTHER")})
    assert secrets_of(shop, dataclasses.replace(project, build_secrets=SECRETS)) == {
        "pip": SecretRef("env://MINE"),
        "other": SecretRef("env://OTHER"),
    }


def test_without_a_dockerfile_nothing_is_asked_for(project: Project) -> None:
    assert secrets_of(images_of(project)["shop"], dataclasses.replace(project, build_secrets=SECRETS)) == {}

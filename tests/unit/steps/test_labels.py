from __future__ import annotations

from pipelines.model import Source
from pipelines.steps.image.labels import labels_of
from pipelines.steps.image.spec import ImageSpec

OCI = "org.opencontainers.image."


def test_a_commit_gives_every_label(source: Source) -> None:
    labels = labels_of(ImageSpec(name="shop"), source, base="host/python:3@sha256:abc")
    assert labels == {
        f"{OCI}title": "shop",
        f"{OCI}version": "1.4.0",
        f"{OCI}revision": source.revision,
        f"{OCI}source": "https://example.com/shop.git",
        f"{OCI}created": "2026-06-01T10:00:00+00:00",
        f"{OCI}base.name": "host/python:3",
        f"{OCI}base.digest": "sha256:abc",
    }


def test_outside_git_there_are_no_empty_labels() -> None:
    assert labels_of(ImageSpec(name="shop"), Source(root="/x")) == {f"{OCI}title": "shop", f"{OCI}version": "0.0.0"}


def test_the_configuration_wins(source: Source) -> None:
    spec = ImageSpec(name="shop", labels={f"{OCI}title": "The Shop", "team": "blue"})
    labels = labels_of(spec, source)
    assert (labels[f"{OCI}title"], labels["team"]) == ("The Shop", "blue")

"""Types as text: annotations are compared as they are written, never evaluated, so that a plan imports nothing."""

from __future__ import annotations

RENAMED = {"Image": "BuiltImage, or PublishedImage for what publish gives"}
"""Types of the public face that had another name before."""


def tidy(annotation: str) -> str:
    """An annotation without quotes and without `None`: what a step needs is there when it runs."""
    text = annotation.strip().strip("'\"").strip()
    parts = [part.strip() for part in text.split("|")] if "[" not in text else [text]
    return " | ".join(part for part in parts if part != "None")


def same_type(one: str, other: str) -> bool:
    """Whether two annotations mean the same type: `BuiltImage` is `pipelines.BuiltImage`; `redis.Client` is not `dagger.Client`.

    Where both name a package, the packages must agree, not the modules: classes are imported from where they are re-exported.
    """
    one, other = tidy(one), tidy(other)
    if one.rpartition(".")[2] != other.rpartition(".")[2]:
        return False
    return "." not in one or "." not in other or one.partition(".")[0] == other.partition(".")[0]


def renamed_type(annotation: str | None) -> str | None:
    """What a type of ours is called now, when an annotation says its old name."""
    return None if annotation is None else RENAMED.get(tidy(annotation).removeprefix("pipelines."))


def anything(annotation: str | None) -> bool:
    """Whether an annotation says nothing about the type."""
    return annotation is None or tidy(annotation) in ("", "Any", "object", "typing.Any", "typing.object")

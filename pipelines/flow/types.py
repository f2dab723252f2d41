"""Types as text: annotations are compared as they are written, never evaluated, so that a plan imports nothing."""

from __future__ import annotations


def tidy(annotation: str) -> str:
    """An annotation without quotes and without `None`: what a step needs is there when it runs."""
    text = annotation.strip().strip("'\"").strip()
    parts = [part.strip() for part in text.split("|")] if "[" not in text else [text]
    return " | ".join(part for part in parts if part != "None")


def same_type(one: str, other: str) -> bool:
    """Whether two annotations mean the same type: `Image` is `pipelines.Image`; `redis.Client` is not `dagger.Client`.

    Where both name a package, the packages must agree, not the modules: classes are imported from where they are re-exported.
    """
    one, other = tidy(one), tidy(other)
    if one.rpartition(".")[2] != other.rpartition(".")[2]:
        return False
    return "." not in one or "." not in other or one.partition(".")[0] == other.partition(".")[0]


def anything(annotation: str | None) -> bool:
    """Whether an annotation says nothing about the type."""
    return annotation is None or tidy(annotation) in ("", "Any", "object", "typing.Any", "typing.object")

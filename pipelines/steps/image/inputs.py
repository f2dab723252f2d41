"""What an image is made of, as one digest: how a release that is built again is recognised.

A rebuild seldom has the bytes of the first build, so its digest says nothing about whether it is the same release. Its inputs do. The
digest travels as a label of the image.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

LABEL = "lockgate.inputs"
_FORM = 1
"""Counts up when the same inputs get another digest, so that old labels match nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Everything that decides what is in an image.

    `revision` is the commit, None outside git; `dirty` whether the work tree differs from it. `dockerfile` is the content of the
    Dockerfile, which git may ignore; `where` the paths of context and Dockerfile; `base` the reference of the base image, by digest
    where it is pinned. `secrets` are names: a value is never part of an image.
    """

    revision: str | None
    dirty: bool
    dockerfile: bytes
    where: tuple[str, str]
    target: str | None
    base: str | None
    args: Mapping[str, str]
    platforms: tuple[str, ...]
    secrets: tuple[str, ...]
    labels: Mapping[str, str]


def inputs_digest(inputs: Inputs) -> str | None:
    """`sha256:…` of the inputs; None when they do not name one content: outside git, or with a work tree that differs from its commit.

    The order of arguments, labels, platforms and secrets does not count.
    """
    if inputs.revision is None or inputs.dirty:
        return None
    facts = asdict(inputs) | {
        "form": _FORM,
        "dockerfile": hashlib.sha256(inputs.dockerfile).hexdigest(),
        "args": dict(inputs.args),
        "labels": dict(inputs.labels),
        "platforms": sorted(set(inputs.platforms)),
        "secrets": sorted(set(inputs.secrets)),
    }
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"

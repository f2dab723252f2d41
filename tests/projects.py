"""Projects made by hand, for tests of what comes after the configuration."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from pipelines.config.section import ONLY
from pipelines.model import Project
from pipelines.steps.image import spec as image
from pipelines.steps.perf import spec as perf
from pipelines.steps.publish import spec as publish
from pipelines.steps.scan import spec as scan
from pipelines.steps.test import spec as test

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAMED = {"images": image.NAME, "tests": test.NAME, "perf": perf.NAME}
_SINGLE = {"scan": scan.NAME, "publish": publish.NAME}


def project_with(**parts: Any) -> Project:
    """A project; steps by the keys of the configuration: `images`, `tests` and `perf` by name, `scan` and `publish` as one value."""
    steps, rest = _steps(parts)
    return Project(**{"name": "shop", **rest}, steps=steps)


def changed(project: Project, **parts: Any) -> Project:
    """The project with other values, given as for `project_with`; `scan=None` takes the section away."""
    steps, rest = _steps(parts)
    return dataclasses.replace(project, **rest, steps={**project.steps, **steps})


def _steps(parts: Mapping[str, Any]) -> tuple[dict[str, Mapping[str, Any]], dict[str, Any]]:
    steps: dict[str, Mapping[str, Any]] = {kind: parts[key] for key, kind in _NAMED.items() if key in parts}
    steps |= {kind: {} if parts[key] is None else {ONLY: parts[key]} for key, kind in _SINGLE.items() if key in parts}
    return steps, {key: value for key, value in parts.items() if key not in {*_NAMED, *_SINGLE}}


def scan_in(project: Project) -> scan.ScanSpec:
    """How a project is scanned that surely is."""
    found = scan.scan_of(project)
    assert found is not None
    return found


def publishing_in(project: Project) -> publish.PublishSpec:
    """How a project is published that surely is."""
    found = publish.publish_of(project)
    assert found is not None
    return found

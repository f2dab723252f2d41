"""One line a step, for `plan`."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from pipelines.steps.common.tags import named_after_commit, repository, tags_of

if TYPE_CHECKING:
    from pipelines.model import ImageSpec, PerfSpec, Project, PublishSpec, ScanSpec, Source, TestSpec


def image(spec: ImageSpec) -> str:
    """`build ./Dockerfile, stage runtime, on python`."""
    words = [f"build {spec.context.rstrip('/')}/{spec.dockerfile}"]
    words += [f"stage {spec.target}"] if spec.target else []
    words += [f"on {spec.base}"] if spec.base else []
    words += [f"for {', '.join(spec.platforms)}"] if spec.platforms else []
    return ", ".join(words)


def test(spec: TestSpec) -> str:
    """`pytest -q in shop (stage test), with shop`."""
    stage = f" (stage {spec.image.target})" if spec.image.target else ""
    services = f", with {', '.join(spec.services)}" if spec.services else ""
    return f"{shlex.join(spec.command)} in {spec.image.name}{stage}{services}"


def scan(spec: ScanSpec, image: str | None) -> str:
    """`Trivy on image shop, fails on high`."""
    what = f"image {image}" if image is not None else "the sources"
    return f"Trivy on {what}, fails on {spec.fail_on.value}"


def perf(spec: PerfSpec) -> str:
    """`k6 perf/checkout.js against shop:8000, p95 <= 200 ms`."""
    limits = {
        "p95 <= {} ms": spec.thresholds.p95_ms,
        "errors <= {}": spec.thresholds.error_rate,
        ">= {} requests/s": spec.thresholds.min_rps,
    }
    told = [text.format(f"{value:g}") for text, value in limits.items() if value is not None]
    return ", ".join([f"k6 {spec.script} against {spec.service.image}:{spec.service.port}", *told])


def publish(project: Project, spec: PublishSpec, image: str, source: Source) -> str:
    """`push registry.example.com/team/shop:1.4.0`."""
    if project.registry is None:
        return f"push {image}"
    place = repository(project.registry, image)
    if source.unknown is not None and named_after_commit(spec):
        return f"push {place}: refused, since git does not say from which commit this is"
    return f"push {place}:{', '.join(tag.name for tag in tags_of(spec, source))}"

"""The vulnerability database as an image: `/trivy.db` and `/metadata.json`, to be mounted as `db` in Trivy's cache folder.

Two ways to it: the official artifact, whose layer is taken as it is, and a fixture made from YAML, which says of itself that it is one.
"""

from __future__ import annotations

import datetime as dt
import gzip
import json
import platform
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from ci.machine import oci, skopeo
from ci.machine.errors import SetupError
from ci.machine.recipes import gotool

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ci.machine.catalog import ImageSpec
    from ci.machine.part import Machine

SCHEMA_VERSION = 2  # of trivy-db
FIXTURE_LABEL = "dev.lockgate.fixture"


def build(machine: Machine, spec: ImageSpec, folder: Path, layouts: Mapping[str, Path]) -> None:
    """A `ci.machine.recipes.Recipe`: the fixture."""
    del layouts
    gotool.check_go(machine.runner, spec.sources)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        database, tar = Path(scratch) / "trivy.db", Path(scratch) / "layer.tar"
        fixtures = sorted(str(path) for path in (spec.sources / "fixtures").glob("*.yaml"))
        machine.runner.long(
            "fixture vulnerability database",
            ["go", "run", "-mod=readonly", "-buildvcs=false", ".", str(database), *fixtures],
            log=machine.paths.logs / f"{spec.name}.log",
            estimate_s=spec.estimate_s,
            cwd=spec.sources,
            env={"CGO_ENABLED": "0"},
        )
        entries = [
            oci.Entry(path="trivy.db", mode=0o644, source=database),
            oci.Entry(path="metadata.json", mode=0o644, data=fixture_metadata(spec.epoch)),
        ]
        with tar.open("wb") as stream:
            oci.tar_entries(entries, stream, spec.epoch)
        with tar.open("rb") as stream:
            oci.write_layout(folder, stream, _config(spec, {FIXTURE_LABEL: "true"}))


def wrap_official(machine: Machine, spec: ImageSpec, reference: str, folder: Path) -> None:
    """The official artifact as an image, so that every engine can mount it.

    Raises:
        SetupError: it cannot be pulled, or is not one gzipped layer.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        blobs = skopeo.pull_blobs(machine.runner, reference, Path(scratch))
        if len(blobs) != 1:
            raise SetupError(f"{reference} has {len(blobs)} layers, a Trivy database has one", next_step="look at ci/images.toml")
        with gzip.open(blobs[0]) as stream:
            oci.write_layout(folder, cast("BinaryIO", stream), _config(spec, {"dev.lockgate.source": reference}))


def fixture_metadata(epoch: int) -> bytes:
    """metadata.json as Trivy reads it, with two fields more that say what this is."""
    moment = dt.datetime.fromtimestamp(epoch, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    times = dict.fromkeys(("NextUpdate", "UpdatedAt", "DownloadedAt"), moment)
    note = "made-up vulnerabilities for tests and demos; it finds nothing real"
    return json.dumps({"Version": SCHEMA_VERSION, **times, "Fixture": True, "Note": note}).encode()


def _config(spec: ImageSpec, labels: dict[str, str]) -> oci.ImageConfig:
    return oci.ImageConfig(
        architecture=oci.ARCHITECTURES.get(platform.machine(), platform.machine()),
        epoch=spec.epoch,
        labels={"org.opencontainers.image.title": spec.name, "org.opencontainers.image.version": spec.version, **labels},
    )


__all__ = ["FIXTURE_LABEL", "build", "fixture_metadata", "wrap_official"]

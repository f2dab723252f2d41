"""An image of one Go program: the static binary, CA certificates, an empty /tmp, nothing else."""

from __future__ import annotations

import platform
import re
from typing import TYPE_CHECKING

from ci.machine import oci
from ci.machine.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ci.machine.catalog import ImageSpec
    from ci.machine.part import Machine
    from ci.machine.runner import Runner

CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"


def build(machine: Machine, spec: ImageSpec, folder: Path, layouts: Mapping[str, Path]) -> None:
    """A `ci.machine.recipes.Recipe`. The certificates are the base image's: this machine's own may hold private ones."""
    entries = [
        oci.Entry(path=f"usr/bin/{spec.name}", source=binary(machine, spec)),
        oci.Entry(path=CERTIFICATES, mode=0o644, data=oci.read_file(layouts["python"], CERTIFICATES)),
        oci.Entry(path="tmp", mode=0o1777),
    ]
    tar = folder.with_name(f"{folder.name}.tar")
    try:
        with tar.open("wb") as stream:
            oci.tar_entries(entries, stream, spec.epoch)
        with tar.open("rb") as stream:
            oci.write_layout(folder, stream, _config(spec))
    finally:
        tar.unlink(missing_ok=True)


def binary(machine: Machine, spec: ImageSpec) -> Path:
    """The program out of the cache, or compiled into it from the pinned and checksummed modules in ci/tools."""
    target = program(machine, spec)
    if target.exists():
        return target
    check_go(machine.runner, spec.sources)
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_suffix(".part")
    command = [
        "go",
        "build",
        "-mod=readonly",
        "-buildvcs=false",
        "-trimpath",
        "-ldflags",
        spec.recipe["ldflags"],
        "-o",
        str(draft),
        spec.recipe["package"],
    ]
    machine.runner.long(
        f"{spec.name} {spec.version} from source",
        command,
        log=machine.paths.logs / f"{spec.name}.log",
        estimate_s=spec.estimate_s,
        cwd=spec.sources,
        env=spec.recipe["env"],
    )
    draft.replace(target)
    return target


def program(machine: Machine, spec: ImageSpec) -> Path:
    """Where a tool is kept, by name and version."""
    return machine.paths.tools / f"{spec.name}-{spec.version}" / spec.name


def check_go(runner: Runner, module: Path) -> None:
    """Go must be there and new enough for the module, by itself or by the toolchain it may fetch.

    Raises:
        SetupError: it is missing or too old.
    """
    needed = _version(r"^go ", (module / "go.mod").read_text())
    remedy = f"install Go {needed[0]}.{needed[1]} or newer (https://go.dev/dl), put it on PATH, and run the same command again"
    cause = "no public registry answers, so tools are built from source"
    if runner.which("go") is None:
        raise SetupError("Go is not installed", cause=cause, next_step=remedy)
    said = runner.output(["go", "version"], cwd=module)
    if _version(r"\bgo", said) < needed:
        raise SetupError(f"{said.strip()} is too old: {module.name} needs Go {needed[0]}.{needed[1]}", cause=cause, next_step=remedy)


def _version(before: str, text: str) -> tuple[int, int]:
    """Major and minor version after a pattern; (0, 0) when there is none."""
    found = re.search(before + r"(\d+)\.(\d+)", text, re.MULTILINE)
    return (int(found.group(1)), int(found.group(2))) if found else (0, 0)


def _config(spec: ImageSpec) -> oci.ImageConfig:
    return oci.ImageConfig(
        architecture=oci.ARCHITECTURES.get(platform.machine(), platform.machine()),
        epoch=spec.epoch,
        env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "SSL_CERT_FILE": f"/{CERTIFICATES}", "HOME": "/tmp"},
        entrypoint=(spec.name,),
        labels={"org.opencontainers.image.title": spec.name, "org.opencontainers.image.version": spec.version},
    )

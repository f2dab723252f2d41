"""A base image: a minimal Debian made by mmdebstrap, one layer, nothing of this machine's package settings in it."""

from __future__ import annotations

import platform
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ci.machine import oci
from ci.machine.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ci.machine.catalog import ImageSpec
    from ci.machine.part import Machine

PUBLIC_SOURCES = (
    "deb http://deb.debian.org/debian {suite} main\n"
    "deb http://deb.debian.org/debian {suite}-updates main\n"
    "deb http://deb.debian.org/debian-security {suite}-security main\n"
)
NAMESPACES = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
LEFT_OUT = ("man", "doc", "info", "locale", "lintian")
# mmdebstrap itself cleans apt's lists and caches and /tmp, after these hooks and with a configuration it keeps in that /tmp: a hook that
# empties it turns that clean-up on this machine's own lists.
LEFT_OVERS = ("var/log/*", "var/cache/ldconfig/*", "var/lib/dpkg/*-old", "var/cache/debconf/*-old", "etc/apt/sources.list.d/*")


def build(machine: Machine, spec: ImageSpec, folder: Path, layouts: Mapping[str, Path]) -> None:
    """A `ci.machine.recipes.Recipe`."""
    del layouts
    tar = folder.with_name(f"{folder.name}.tar")
    try:
        with _confined(machine) as confined:
            machine.runner.long(
                f"image {spec.name}: Debian {spec.recipe['suite']}",
                [*confined, f"SOURCE_DATE_EPOCH={spec.epoch}", *_command(machine, spec)],
                log=machine.paths.logs / f"{spec.name}.log",
                estimate_s=spec.estimate_s,
                stdout=tar,
            )
        with tar.open("rb") as stream:
            oci.write_layout(folder, stream, _config(spec))
    finally:
        tar.unlink(missing_ok=True)


@contextmanager
def _confined(machine: Machine) -> Iterator[list[str]]:
    """How to start mmdebstrap so that nothing of it is left when it is stopped.

    As root in namespaces of its own, whose processes and mounts the kernel ends with the first one, and in a folder that is removed. An
    ordinary user's mmdebstrap is in a user namespace anyway, where sub-uids are given.
    """
    try:
        machine.runner.root([])
    except SetupError:
        yield ["env"]
        return
    scratch = tempfile.mkdtemp(prefix="lockgate-base.", dir=machine.environ.get("TMPDIR"))
    Path(scratch).chmod(0o755)  # apt downloads as a user of its own
    try:
        yield machine.runner.root([*NAMESPACES, "env", f"TMPDIR={scratch}"])
    finally:
        machine.runner.output(machine.runner.root(["rm", "-rf", "--one-file-system", scratch]))


def _command(machine: Machine, spec: ImageSpec) -> list[str]:
    suite = spec.recipe["suite"]
    trimmed = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in LEFT_OUT]
    kept = ["--dpkgopt=path-include=/usr/share/doc/*/copyright"]
    sources = PUBLIC_SOURCES.format(suite=suite)
    hooks = ["rm -rf " + " ".join(f'"$1"/{pattern}' for pattern in LEFT_OVERS), f"printf '%s' '{sources}' > \"$1\"/etc/apt/sources.list"]
    return [
        "mmdebstrap",
        "--variant=minbase",
        "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr",  # /bin -> /usr/bin from the start
        f"--include={','.join(spec.recipe['packages'])}",
        *trimmed,
        *kept,
        *(f"--customize-hook={hook}" for hook in hooks),
        "--format=tar",
        suite,
        "-",
        *_mirrors(machine, suite),
    ]


def _mirrors(machine: Machine, suite: str) -> list[str]:
    """This machine's own apt sources when they carry the suite (a mirror may be all it reaches), else Debian's public ones."""
    targets = machine.runner.output(["apt-get", "indextargets", "--format", "$(COMPONENT) $(RELEASE) $(SITE)", "Created-By: Packages"])
    rows = sorted({line.strip() for line in targets.splitlines() if line.startswith((f"main {suite} ", f"main {suite}-"))})
    carried = [f"deb {site} {release} main" for _, release, site in map(str.split, rows)]
    return carried or PUBLIC_SOURCES.format(suite=suite).splitlines()


def _config(spec: ImageSpec) -> oci.ImageConfig:
    return oci.ImageConfig(
        architecture=oci.ARCHITECTURES.get(platform.machine(), platform.machine()),
        epoch=spec.epoch,
        env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"},
        command=("bash",),
        labels={"org.opencontainers.image.title": spec.name, "org.opencontainers.image.version": spec.version},
    )

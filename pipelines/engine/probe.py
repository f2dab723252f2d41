"""Whether the embedded engine can work on this machine, asked by trying: for `doctor`, and for the choice of an engine."""

from __future__ import annotations

import os
import platform
import shlex
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.engine.machine import Machine, ThisMachine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

_PACKAGES = {"runc": "runc", "skopeo": "skopeo", "pasta": "passt", "unshare": "util-linux"}
_JAIL = """
echo namespaces && mount -t proc proc /proc && echo proc && cd {folder} && mkdir lower upper work merged &&
mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work{options} merged && : > merged/probe && echo overlay
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """The answer to one question. `detail` says what was seen; `fix` is the command or setting that changes a bad answer.

    Without a `required` one the embedded engine cannot run; without another something less works.
    """

    name: str
    ok: bool
    detail: str
    required: bool = True
    fix: str | None = None


def probe(environ: Mapping[str, str], machine: Machine | None = None) -> tuple[Probe, ...]:
    """Ask everything; takes well under a second, changes nothing."""
    seen = machine or ThisMachine(environ)
    return tuple(answer for question in _QUESTIONS for answer in question(seen))


def missing(environ: Mapping[str, str], machine: Machine | None = None) -> Probe | None:
    """The first required thing that is not there; None where the embedded engine can run."""
    seen = machine or ThisMachine(environ)
    answers = (answer for question in _QUESTIONS for answer in question(seen))
    return next((answer for answer in answers if answer.required and not answer.ok), None)


def _system(machine: Machine) -> Iterator[Probe]:
    name, release = platform.system(), platform.release()
    _ = machine
    yield Probe(name="system", ok=name == "Linux", detail=f"{name} {release}", fix=None if name == "Linux" else "use a Dagger engine here")


def _runtime(machine: Machine) -> Iterator[Probe]:
    found = machine.which("runc") or machine.which("crun")
    yield Probe(name="runtime", ok=found is not None, detail=found or "neither runc nor crun is installed", fix=_install("runc", found))


def _images(machine: Machine) -> Iterator[Probe]:
    found = machine.which("skopeo")
    yield Probe(name="skopeo", ok=found is not None, detail=found or "skopeo is not installed", fix=_install("skopeo", found))


def _jail(machine: Machine) -> Iterator[Probe]:
    """Make the namespaces, mount /proc and an overlay in them: what the engine does at the start of every session."""
    if machine.which("unshare") is None:
        yield Probe(name="namespaces", ok=False, detail="cannot be tried without unshare", fix=_install("unshare"), required=False)
        return
    rootless = machine.uid != 0
    with tempfile.TemporaryDirectory(prefix="lockgate-probe-", dir=_near(machine.store)) as folder:
        answer = machine.run([*_unshare(rootless), "sh", "-c", _script(folder, rootless=rootless)])
    reached = set(answer.out.split())
    why = " ".join(answer.err.split()) or "refused"
    flavour = "user, mount and process" if rootless else "mount and process"
    inside = {"namespaces", "proc"} <= reached
    yield Probe(
        name="namespaces",
        ok=inside,
        detail=f"{flavour} namespaces work" if inside else why,
        fix=None if inside else _namespace_fix(machine, rootless=rootless),
    )
    if inside:
        overlay = "overlay" in reached
        fix = None if overlay else _overlay_fix(machine)
        yield Probe(name="overlay", ok=overlay, detail="overlay file systems work" if overlay else why, fix=fix)


def _overlay_fix(machine: Machine) -> str:
    """The kernel lacks it, or it cannot work where the store is."""
    if "\toverlay\n" in (machine.read("/proc/filesystems") or ""):
        return f"set LOCKGATE_STORE to a folder on a local disk, in a container on a volume: overlay cannot work in {machine.store.parent}"
    return "modprobe overlay (kernel 5.11 or later for an ordinary user)"


def _unshare(rootless: bool) -> list[str]:
    return ["unshare", *(["--user", "--map-root-user"] if rootless else []), "--mount", "--pid", "--fork"]


def _script(folder: str, *, rootless: bool) -> str:
    return _JAIL.format(folder=shlex.quote(folder), options=",userxattr" if rootless else "").strip()


def _near(store: Path) -> str | None:
    """The nearest folder to the store that exists and can be written to: overlay depends on the file system below."""
    near = next((path for path in (store, *store.parents) if path.is_dir()), None)
    return str(near) if near is not None and os.access(near, os.W_OK) else None


def _namespace_fix(machine: Machine, *, rootless: bool) -> str:
    """Name the setting that stands in the way, if one can be seen."""
    if _in_container(machine):
        return (
            "let the job's container make namespaces: a privileged container (GitLab Runner: privileged = true), or for an ordinary user"
            " one with seccomp and /proc masks off (docker run --security-opt seccomp=unconfined --security-opt systempaths=unconfined)"
        )
    if rootless:
        for path, blocked, fix in _SETTINGS:
            if (machine.read(path) or "").strip() == blocked:
                return f"sudo sysctl -w {fix}"
    return "run on a machine that allows user namespaces, or as root"


_SETTINGS = (
    ("/proc/sys/user/max_user_namespaces", "0", "user.max_user_namespaces=15000"),
    ("/proc/sys/kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone=1"),
    ("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1", "kernel.apparmor_restrict_unprivileged_userns=0"),
)


def _in_container(machine: Machine) -> bool:
    marks = (machine.read("/run/systemd/container"), machine.read("/.dockerenv"), machine.read("/run/.containerenv"))
    return any(mark is not None for mark in marks) or "KUBERNETES_SERVICE_HOST" in (machine.read("/proc/self/environ") or "")


def _network(machine: Machine) -> Iterator[Probe]:
    found = machine.which("pasta") or machine.which("slirp4netns")
    yield Probe(
        name="network",
        ok=found is not None,
        required=False,
        detail=found or "neither pasta nor slirp4netns is installed: containers reach each other, but nothing outside",
        fix=_install("pasta", found),
    )
    why = machine.can_open("/dev/net/tun")
    yield Probe(
        name="/dev/net/tun",
        ok=why is None,
        required=False,
        detail="can be opened" if why is None else f"{why}: containers reach each other, but nothing outside",
        fix=None if why is None else "sudo modprobe tun; sudo chmod 0666 /dev/net/tun (in a container: --device /dev/net/tun)",
    )


def _sub_ids(machine: Machine) -> Iterator[Probe]:
    """Sub-uids matter to an ordinary user only: without them every file in a container belongs to one user."""
    if machine.uid == 0:
        return
    import pwd

    try:
        name = pwd.getpwuid(machine.uid).pw_name
    except KeyError:
        name = str(machine.uid)
    owners = {line.split(":")[0] for line in (machine.read("/etc/subuid") or "").splitlines()}
    have = machine.which("newuidmap") is not None and bool(owners & {name, str(machine.uid)})
    yield Probe(
        name="sub-uids",
        ok=have,
        required=False,
        detail=f"given to {name} in /etc/subuid" if have else f"{name} has no ids there: images that switch to another user may not work",
        fix=None if have else f"sudo apt-get install uidmap; sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {name}",
    )


def _limits(machine: Machine) -> Iterator[Probe]:
    """Whether control groups can keep the limits of `[engine]`: processes of a container; memory and processors of all together."""
    from pipelines.engine.embedded.sandbox.cgroups.controllers import CONTROLLERS, LIMITS, seen

    kept = seen(machine.read, root=machine.uid == 0)
    missing = [LIMITS[name] for name in CONTROLLERS if name not in kept]
    if machine.uid != 0:
        why, fix = "an ordinary user has no control groups", "run as root if containers must not use all of the machine"
    else:
        why = "the control groups that this process can use do not have these controllers"
        fix = "run outside of a container, or in one that sees the control groups of the machine (docker run --cgroupns=host)"
    yield Probe(
        name="limits",
        ok=not missing,
        required=False,
        detail=f"containers without a limit of {', '.join(missing)}: {why}" if missing else "processes, memory and cpus can be limited",
        fix=fix if missing else None,
    )


def _install(program: str, found: str | None = None) -> str | None:
    return None if found else f"sudo apt-get install {_PACKAGES[program]}"


_QUESTIONS: tuple[Callable[[Machine], Iterator[Probe]], ...] = (_system, _runtime, _images, _jail, _network, _sub_ids, _limits)

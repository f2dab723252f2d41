"""`ci/setup`: look what is missing, say it, ask, provide it in order. `ci/setup --stop` (`ci/teardown`) stops what it started."""

from __future__ import annotations

import argparse
import fcntl
import os
import signal
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from ci.machine.environment import Environment
from ci.machine.errors import SetupError
from ci.machine.images import Images
from ci.machine.packages import Packages
from ci.machine.part import Machine, Part
from ci.machine.paths import Paths
from ci.machine.registry import Registry
from ci.machine.runner import Programs
from ci.machine.settings import Settings
from ci.machine.shared import Shared
from ci.machine.terminal import Terminal, minutes
from ci.machine.tun import Tun

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CHECKOUT = Path(__file__).resolve().parents[2]


def main(argv: Sequence[str]) -> int:
    options = _parse(argv)
    signal.signal(signal.SIGTERM, _terminated)
    try:
        machine = _machine()
        return stop(machine) if options.stop else setup(machine, refresh=options.refresh)
    except SetupError as error:
        print(f"ci/setup: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"ci/setup: {error}\nnext:  make room or mend the permissions there, then run it again", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nci/setup: stopped; run it again to go on where it was", file=sys.stderr)
        return 130


def setup(machine: Machine, *, refresh: bool) -> int:
    """Provide every part that misses something; 0, or 1 when the answer to the question is no."""
    began = time.monotonic()
    with _alone(machine):
        parts = _parts(machine, refresh=refresh)
        missing = [line for part in parts for line in part.todo()]
        if missing:
            _announce(machine, missing)
            if not machine.voice.confirm("Go on?"):
                return 1
            _provide(parts)
        machine.voice.say(f"set-up: {'done' if missing else 'nothing to do'} ({minutes(time.monotonic() - began)})")
    return 0


def stop(machine: Machine) -> int:
    """Stop the local registry if it is the one set-up started."""
    stopped = Registry(machine).stop()
    machine.voice.say("local registry: stopped" if stopped else "local registry: none of ours is running")
    return 0


def _provide(parts: Sequence[Part]) -> None:
    for part in parts:
        if part.todo():  # asked again: an earlier part may have changed the answer
            part.provide()


def _parts(machine: Machine, *, refresh: bool) -> list[Part]:
    registry = Registry(machine)
    settings = Settings(machine, registry)
    return [
        Packages(machine),
        Tun(machine),
        Environment(machine),
        registry,
        Images(machine, registry, refresh=refresh),
        settings,
        Shared(machine, registry, settings),
    ]


def _announce(machine: Machine, missing: list[str]) -> None:
    machine.voice.say(f"set-up will provide (cache: {machine.paths.cache}):")
    for line in missing:
        machine.voice.say(f"  - {line}")


def _machine() -> Machine:
    environ = dict(os.environ)
    voice = Terminal(environ)
    return Machine(
        paths=Paths.from_environment(environ, CHECKOUT),
        environ=environ,
        runner=Programs(environ, voice),
        voice=voice,
        system=_system(Path(environ.get("LOCKGATE_OS_RELEASE") or "/etc/os-release")),
    )


def _system(os_release: Path) -> str:
    rows = (line.partition("=") for line in os_release.read_text().splitlines())
    values = {name: value.strip("\"'") for name, _, value in rows}
    return f"{values.get('ID', 'unknown')} {values.get('VERSION_ID', '')}".strip()


@contextmanager
def _alone(machine: Machine) -> Iterator[None]:
    """One set-up per cache at a time; the kernel frees the lock when this process ends, however it ends."""
    machine.paths.cache.mkdir(parents=True, exist_ok=True)
    with (machine.paths.cache / "setup.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            machine.voice.say("another set-up is at work with this cache; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _terminated(_number: int, _frame: object) -> NoReturn:
    raise SystemExit(143)


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="ci/setup",
        allow_abbrev=False,
        description="Bring this machine to where `make demo` and `make test` work: say what is missing, ask on a terminal, provide it.",
        epilog="environment: YES=1 or CI: do not ask; LOCKGATE_CACHE: one folder for all that is built (default ~/.cache/lockgate); "
        "LOCKGATE_IMAGES=auto|official|built: where images come from.",
    )
    parser.add_argument("--refresh", action="store_true", help="look for newer images again; what is in the cache is not built again")
    parser.add_argument("--stop", action="store_true", help="stop what set-up started (ci/teardown)")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The local registry: one per user, on loopback, shared by every checkout, started detached and remembered in a state file."""

from __future__ import annotations

import http.client
import json
import os
import socket
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from ci.machine import process
from ci.machine.errors import SetupError

if TYPE_CHECKING:
    from pathlib import Path

    from ci.machine.part import Machine

PREFERRED_PORT = 5000
ANSWER_S = 2.0
START_S = 15.0
POLL_S = 0.05
MANIFEST_TYPES = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A registry we started. `started` tells this process from a later one with the same pid (see process.py)."""

    port: int
    pid: int
    started: str
    data: str


class Registry:
    """Debian's docker-registry (the CNCF Distribution server) with its data in the cache folder."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._file = machine.paths.registry_record

    def record(self) -> Record | None:
        """The running, answering registry of this user, if there is one."""
        record = self._read()
        return record if record and process.started(record.pid) == record.started and answers(record.port, "/v2/") else None

    def todo(self) -> list[str]:
        return [] if self.record() else ["local registry on loopback (docker-registry), started now and left running until ci/teardown"]

    def provide(self) -> None:
        self.stop()  # one that runs but does not answer
        port = _free_port(PREFERRED_PORT)
        config, log = self._prepare(port)
        program = self._machine.runner.which("docker-registry")
        if program is None:
            raise SetupError("docker-registry is not installed", next_step="run ci/setup")
        pid = _detach([program, "serve", str(config)], self._environment(), log)
        self._remember(pid, port)
        _await(pid, port, log)
        self._machine.voice.say(f"  local registry: localhost:{port} (pid {pid})")

    def stop(self) -> bool:
        """Stop the recorded registry if it is still that process; True if it was running."""
        record = self._read()
        self._file.unlink(missing_ok=True)
        return record is not None and process.stop(record.pid, record.started)

    def holds(self, repository: str, digest: str) -> bool:
        """Whether the registry has this manifest."""
        record = self._read()
        return record is not None and answers(record.port, f"/v2/{repository}/manifests/{digest}")

    def _prepare(self, port: int) -> tuple[Path, Path]:
        paths = self._machine.paths
        for folder in (paths.registry_data, paths.logs, self._file.parent):
            folder.mkdir(parents=True, exist_ok=True)
        config = paths.cache / "registry.json"
        config.write_text(json.dumps(_config(paths.registry_data, port)))  # JSON is YAML
        return config, paths.logs / "registry.log"

    def _environment(self) -> dict[str, str]:
        """Without REGISTRY_*: docker-registry would take them as its own settings, and a CI's secrets are often named so."""
        return {name: value for name, value in self._machine.environ.items() if not name.startswith("REGISTRY_")}

    def _remember(self, pid: int, port: int) -> None:
        record = Record(port=port, pid=pid, started=process.started(pid) or "", data=str(self._machine.paths.registry_data))
        draft = self._file.with_suffix(".tmp")
        draft.write_text(json.dumps(asdict(record)))
        draft.replace(self._file)

    def _read(self) -> Record | None:
        try:
            return Record(**json.loads(self._file.read_text()))
        except (OSError, ValueError, TypeError):
            return None


def _config(data: Path, port: int) -> dict[str, object]:
    return {
        "version": "0.1",
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(data)}, "delete": {"enabled": True}},
        "http": {"addr": f"127.0.0.1:{port}"},
    }


def _free_port(preferred: int) -> int:
    for port in (preferred, 0):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise SetupError("no free port on loopback")


def answers(port: int, path: str) -> bool:
    """Whether a registry on loopback says 200 to a HEAD request within two seconds."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_S)  # not urllib: no proxy may stand between
    try:
        connection.request("HEAD", path, headers={"Accept": MANIFEST_TYPES})
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _detach(command: list[str], environ: dict[str, str], log: Path) -> int:
    """Start a program in a session of its own, so that it outlives set-up and the terminal; its pid."""
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    return os.posix_spawn(command[0], command, environ, file_actions=actions, setsid=True)


def _await(pid: int, port: int, log: Path) -> None:
    deadline = time.monotonic() + START_S
    while not answers(port, "/v2/"):
        start = process.started(pid)
        if start is None or time.monotonic() > deadline:
            if start:
                process.stop(pid, start)
            os.waitpid(pid, 0)
            cause = "\n       ".join(log.read_text(errors="replace").strip().splitlines()[-5:])
            raise SetupError(
                f"the local registry did not start on port {port}", cause=cause or None, next_step=f"read {log}, then run ci/setup again"
            )
        time.sleep(POLL_S)

from __future__ import annotations

import datetime as dt
import http.server
import json
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol

import pytest

from pipelines.cli.checkup import CheckState, files, machine, network
from pipelines.flow.folder import ProjectHome
from pipelines.flow.lock import run_lock
from pipelines.foundation.image_reference import is_loopback
from pipelines.model import EngineKind, EngineSpec, Project, Registry
from pipelines.steps.common.service_spec import ServiceSpec
from pipelines.steps.image.spec import ImageSpec, ImageTarget
from pipelines.steps.perf.spec import PerfSpec
from pipelines.steps.test.spec import TestSpec
from tests.projects import project_with

if TYPE_CHECKING:
    from pathlib import Path


class Said(Protocol):
    code: int
    out: str
    err: str


Lockgate = Callable[..., Said]


@pytest.fixture
def registry() -> Iterator[Callable[[int], str]]:
    """A registry of this machine that answers GET /v2/ with the given status; its host."""
    servers: list[http.server.HTTPServer] = []

    def serve(status: int) -> str:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status if self.path == "/v2/" else 418)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                pass

        server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return f"localhost:{server.server_address[1]}"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def project(root: Path, **settings: object) -> Project:
    return project_with(name="shop", root=root, **settings)


@pytest.mark.parametrize(
    ("status", "state", "words"),
    [
        (200, CheckState.OK, "answers"),
        (401, CheckState.OK, "asks for credentials"),
        (404, CheckState.FAILED, "this is not a registry"),
        (503, CheckState.FAILED, "answers with 503"),
    ],
)
def test_a_registry_is_what_answers_like_one(
    registry: Callable[[int], str], tmp_path: Path, status: int, state: CheckState, words: str
) -> None:
    about, clock = network.registry(project(tmp_path, registry=Registry(url=f"{registry(status)}/team")))
    assert about.state is state
    assert words in about.detail
    assert (clock.name, clock.state) == ("clock", CheckState.OK)


def test_a_registry_that_is_away_is_failed_with_a_fix(tmp_path: Path, closed_port: int) -> None:
    (about,) = network.registry(project(tmp_path, registry=Registry(url=f"127.0.0.1:{closed_port}")))
    assert about.state is CheckState.FAILED
    assert "Connection refused" in about.detail
    assert about.fix


def test_no_registry_is_nothing_bad(tmp_path: Path) -> None:
    (about,) = network.registry(project(tmp_path))
    assert about.state is CheckState.OK


@pytest.mark.parametrize(
    ("off", "state", "words"),
    [(0, CheckState.OK, "agrees"), (-3600, CheckState.WARNING, "3600 s behind"), (90, CheckState.WARNING, "ahead of")],
)
def test_the_clock(off: float, state: CheckState, words: str) -> None:
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    answer = network.clock(now + dt.timedelta(seconds=off), now)
    assert answer.state is state
    assert words in answer.detail


@pytest.mark.parametrize(
    ("url", "host"),
    [("r.example.com/team", "r.example.com"), ("localhost:5000", "localhost:5000"), ("docker.io/me", "registry-1.docker.io")],
)
def test_the_host_of_a_registry(url: str, host: str) -> None:
    assert network.host_of(url) == host


@pytest.mark.parametrize(
    ("host", "loopback"), [("localhost:1", True), ("127.0.0.1:1", True), ("[::1]:1", True), ("10.0.0.1:1", False), ("r.example.com", False)]
)
def test_what_is_this_machine(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_files_that_the_configuration_names_and_nobody_wrote_are_told(tmp_path: Path) -> None:
    service = ServiceSpec(image="shop", port=1)
    shop = project(
        tmp_path, images={"shop": ImageSpec(name="shop")}, perf={"load": PerfSpec(name="load", script="perf/load.js", service=service)}
    )
    image, perf = files.needed(shop)
    assert (image.name, image.state, image.detail) == (
        "image shop",
        CheckState.FAILED,
        f"there is no Dockerfile at {tmp_path / 'Dockerfile'}",
    )
    assert (perf.name, perf.state, perf.detail) == ("perf load", CheckState.FAILED, f"there is no script at {tmp_path / 'perf/load.js'}")
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    (tmp_path / "perf").mkdir()
    (tmp_path / "perf/load.js").touch()
    assert list(files.needed(shop)) == []


@pytest.mark.parametrize(
    ("target", "tested", "words"),
    [
        ("runtime", "Test", None),
        ("1", None, None),
        ("runtim", "test", "has no stage runtim; did you mean runtime?"),
        ("runtime", "tset", "has no stage tset; did you mean test?"),
        ("2", None, "has no stage 2"),
    ],
)
def test_a_stage_that_the_dockerfile_does_not_have_is_told(tmp_path: Path, target: str, tested: str | None, words: str | None) -> None:
    (tmp_path / "Dockerfile").write_text("FROM a AS test\nFROM b AS runtime\n")
    unit = TestSpec(name="unit", image=ImageTarget(name="shop", target=tested), command=("true",))
    answers = list(files.needed(project(tmp_path, images={"shop": ImageSpec(name="shop", target=target)}, tests={"unit": unit})))
    assert [answer.detail.removeprefix(f"{tmp_path / 'Dockerfile'} ") for answer in answers] == ([words] if words else [])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_place_for_results_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    (answer,) = files.needed(project(tmp_path))
    assert (answer.name, answer.state) == ("results", CheckState.FAILED)


def test_files_of_this_machine_belong_to_no_commit(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "lockgate.local.toml").touch()
    (tmp_path / ".lockgate").mkdir()
    answers = {answer.name: answer for answer in files.local(project(tmp_path))}
    assert {name: answer.state for name, answer in answers.items()} == {
        ".lockgate": CheckState.WARNING,
        "lockgate.local.toml": CheckState.WARNING,
    }
    for answer in answers.values():
        subprocess.run(["sh", "-c", str(answer.fix)], check=True)
    assert all(answer.state is CheckState.OK for answer in files.local(project(tmp_path)))


def test_outside_git_there_is_nothing_to_ignore(tmp_path: Path) -> None:
    (tmp_path / "lockgate.local.toml").touch()
    assert list(files.local(project(tmp_path))) == []


def test_a_clash_of_names_is_told(tmp_path: Path) -> None:
    (fine,) = files.names(tmp_path)
    assert fine.state is CheckState.OK
    (tmp_path / "pipelines").mkdir()
    (clash,) = files.names(tmp_path)
    assert (clash.state, clash.fix) == (CheckState.WARNING, "use the command `lockgate` instead")


def test_lacks_of_the_embedded_engine_do_not_count_where_another_is_taken(tmp_path: Path) -> None:
    session = {"DAGGER_SESSION_PORT": "1", "DAGGER_SESSION_TOKEN": "t", "PATH": str(tmp_path)}
    answers = list(machine.engine(project(tmp_path), session))
    assert answers[0].detail == "dagger (a session is open (DAGGER_SESSION_PORT))"
    assert CheckState.FAILED not in {answer.state for answer in answers}
    (engine, *_) = machine.engine(project(tmp_path, engine=EngineSpec(kind=EngineKind.DAGGER)), {"PATH": str(tmp_path)})
    assert engine.state is CheckState.FAILED
    assert engine.fix


def test_a_small_disk_is_told(tmp_path: Path) -> None:
    names = [answer.name for answer in machine.disk(project(tmp_path / "not" / "there"), dict(os.environ))]
    assert names == ["disk: engine's store", "disk: project"]


def test_doctor_without_a_project_says_what_is_missing_and_still_looks_at_the_machine(
    tmp_path: Path, lockgate: Lockgate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = lockgate("doctor")
    assert said.code == 4
    assert "failed   configuration" in said.out
    assert said.out.count("run `lockgate init`") == 1
    assert "python" in said.out


def test_doctor_as_a_document(project: Path, lockgate: Lockgate) -> None:
    document = json.loads(lockgate("doctor", "--json").out)
    assert document["schema"] == 1
    checks = {check["name"]: check for check in document["checks"]}
    assert checks["configuration"] == {"name": "configuration", "state": "ok", "detail": str(project / "lockgate.toml"), "fix": None}
    assert {"python", "git", "engine", "registry", "name"} <= set(checks)
    assert all(check["fix"] for check in checks.values() if check["state"] != "ok")


def test_an_engine_at_an_address_must_listen_there_now(tmp_path: Path) -> None:
    address = f"unix://{tmp_path}/none.sock"
    environ = {"_EXPERIMENTAL_DAGGER_RUNNER_HOST": address, "_EXPERIMENTAL_DAGGER_CLI_BIN": "/usr/bin/dagger", "PATH": os.environ["PATH"]}
    answer = next(iter(machine.engine(None, environ)))
    assert (answer.name, answer.state) == ("engine", CheckState.FAILED)
    assert address in answer.detail


def test_a_run_that_left_no_record_is_told(tmp_path: Path) -> None:
    home = ProjectHome.of(tmp_path)
    assert list(files.earlier(project(tmp_path))) == []
    home.make()
    run = home.new_run("20260131T120000Z-abcdef")
    (answer,) = files.earlier(project(tmp_path))
    assert (answer.state, answer.name) == (CheckState.WARNING, "last run")
    assert "20260131T120000Z-abcdef left no record of its end" in answer.detail
    with run_lock(home.lock):
        assert list(files.earlier(project(tmp_path))) == []
    run.record.write_text("{}")
    assert list(files.earlier(project(tmp_path))) == []

"""What is wrong is said in one message with the next command, and the exit code is the documented one: keys, registries, disks, runs."""

from __future__ import annotations

import json
import os
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e import registries
from tests.e2e.conftest import Checkout, Ended

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.registry, pytest.mark.timeout(300)]

DOCKERFILE = "ARG BASE\nFROM $BASE\nRUN mkdir /reports\n"
CONFIG = '[project]\nname = "small"\n[images.app]\nbase = "python"\n'
PUBLISH = '[registry]\nurl = "{}/bad"\n[publish]\nwhen = "always"\n'
LOGIN = '[registry]\nurl = "{}/bad"\nusername = "u"\nauth = "env://LOCKGATE_E2E_PASSWORD"\n[publish]\nwhen = "always"\n'


def clean(ended: Ended) -> str:
    """What a person read; never a traceback."""
    assert "Traceback" not in ended.stderr
    return ended.stderr


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ('targt = "app"\n', "images.app.targt: unknown key; did you mean target?"),
        ('[environments.staging]\ncluster = "x"\n', "environments: not supported by this version"),
        ("[publish]\nwhen = 3\n", "publish.when: expected ci, always or never"),
        ("[pref.x]\n", "pref: unknown key; did you mean perf?"),
        ("x = [\n", "is not valid TOML"),
    ],
)
def test_a_wrong_configuration_starts_nothing(make: Callable[..., Checkout], more: str, says: str) -> None:
    project = make(lockgate_dot_toml=CONFIG + more, Dockerfile=DOCKERFILE)
    ended = project.run()
    assert (ended.code, ended.stdout) == (2, "")
    assert says in clean(ended)
    assert "next:" in ended.stderr
    assert not (project.root / ".lockgate/runs").exists()


@pytest.mark.parametrize(("password", "code"), [("wrong", 4), (None, 4), ("pw", 0)])
def test_a_registry_that_wants_a_password(make: Callable[..., Checkout], tmp_path: Path, password: str | None, code: int) -> None:
    with registries.locked(tmp_path) as address:
        project = make(lockgate_dot_toml=CONFIG + LOGIN.format(address), Dockerfile=DOCKERFILE)
        given = {} if password is None else {"LOCKGATE_E2E_PASSWORD": password}
        ended = Checkout(project.root, {**project.environ, **given}).run()
    assert ended.code == code, ended.stderr
    publish = ended.steps["publish.app"]
    if code == 0:
        assert ended.document["images"][0]["published"]
    elif password is None:
        assert "env://LOCKGATE_E2E_PASSWORD: the variable is not set" in publish["reason"]
    else:
        assert f"the registry {address} refuses the credentials" in publish["reason"]
        assert "[registry] username and auth" in publish["next_step"]
        assert "wrong" not in ended.stderr + ended.stdout
    assert ended.steps["image.app"]["status"] == "passed"
    clean(ended)


def test_a_registry_that_says_nothing_is_given_up_within_half_a_minute(make: Callable[..., Checkout]) -> None:
    with registries.silent() as address:
        began = time.monotonic()
        ended = make(lockgate_dot_toml=CONFIG + PUBLISH.format(address), Dockerfile=DOCKERFILE).run()
    assert time.monotonic() - began < 30
    assert ended.code == 4, clean(ended)
    assert f"the registry {address} does not answer" in ended.steps["publish.app"]["reason"]


def test_a_base_image_out_of_reach_is_no_fault_of_the_project(make: Callable[..., Checkout]) -> None:
    project = make(lockgate_dot_toml=CONFIG, Dockerfile=DOCKERFILE)
    lock = project.root / ".lockgate/images.lock"
    document = json.loads(lock.read_text())
    document["images"]["python"]["reference"] = f"localhost:1/python@sha256:{os.urandom(32).hex()}"
    lock.write_text(json.dumps(document))
    ended = project.run(timeout_s=30)
    assert ended.code == 4, clean(ended)
    assert ended.steps["image.app"]["error_kind"] == "unavailable"
    assert "the registry localhost:1 does not answer" in ended.steps["image.app"]["reason"]


def test_a_full_disk_is_told_and_the_reports_are_there(make: Callable[..., Checkout], tmp_path: Path) -> None:
    project = make(lockgate_dot_toml=CONFIG, Dockerfile=DOCKERFILE)
    store = tmp_path / "small"
    store.mkdir()
    words = [
        "unshare",
        "--mount",
        "sh",
        "-c",
        f'mount -t tmpfs -o size=24m none {store} && exec "$@"',
        "sh",
        *project.command("run", "--json"),
    ]
    environ = {**project.environ, "LOCKGATE_STORE": str(store)}
    done = subprocess.run(words, cwd=project.root, env=environ, capture_output=True, text=True, check=False, timeout=120)
    ended = Ended(done.returncode, done.stdout, done.stderr)
    assert ended.code == 4, clean(ended)
    image = ended.steps["image.app"]
    assert (image["status"], image["error_kind"]) == ("error", "unavailable")
    assert "the disk is full" in image["reason"]
    assert image["next_step"]
    assert (project.root / ".lockgate/reports/junit.xml").is_file()


def test_a_second_run_in_the_folder_is_turned_away(make: Callable[..., Checkout]) -> None:
    project = make(
        lockgate_dot_toml=CONFIG + "[tests.long]\nimage = 'app'\ncommand = ['sh', '-c', 'echo at-work; sleep 600']\n", Dockerfile=DOCKERFILE
    )
    command = project.command("run", "--verbose")
    with subprocess.Popen(
        command, cwd=project.root, env=project.environ, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as first:
        assert first.stderr is not None
        assert any("at-work" in line for line in first.stderr)
        second = project.run()
        first.terminate()
        first.communicate(timeout=60)
    assert first.returncode == 143
    assert (second.code, second.stdout) == (4, "")
    assert "another run" in clean(second)
    assert str(first.pid) in second.stderr
    assert "next:" in second.stderr


def test_an_unknown_step_names_the_nearest(make: Callable[..., Checkout]) -> None:
    ended = make(lockgate_dot_toml=CONFIG, Dockerfile=DOCKERFILE).run("image.ap")
    assert ended.code == 3
    assert "did you mean image.app?" in clean(ended)


def outcome(ended: Ended) -> list[tuple[Any, ...]]:
    return [(step["id"], step["status"], step["verdict"]) for step in ended.document["steps"]]


def test_what_failed_passes_once_it_is_mended(make: Callable[..., Checkout]) -> None:
    command = "[tests.unit]\nimage = 'app'\ncommand = ['python3', '/tests/check.py']\n"
    dockerfile = DOCKERFILE + "COPY check.py /tests/\n"
    project = make(lockgate_dot_toml=CONFIG + command, Dockerfile=dockerfile, check_dot_py="raise SystemExit('broken')\n")
    for _ in range(2):
        broken = project.run("test")
        assert broken.code == 1, clean(broken)
        assert not broken.steps["test.unit"]["cached"]
    project.edit("check.py", "raise SystemExit('broken')", "print('mended')")
    assert outcome(project.run("test")) == [("image.app", "passed", "pass"), ("test.unit", "passed", "pass")]
    assert project.run("test").steps["test.unit"]["cached"]

"""The commands a person types, on copies of examples/shop and on small projects. One store a test run: what one test built, others find."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CHECKOUT = Path(__file__).resolve().parents[2]
SHOP = CHECKOUT / "examples/shop"
NOT_OURS = ("DAGGER_", "LOCKGATE_", "CI", "GITLAB_", "GITHUB_", "_EXPERIMENTAL_DAGGER")


@dataclass(frozen=True)
class Ended:
    """How a command ended; `document` is the run it printed with --json."""

    code: int
    stdout: str
    stderr: str

    @property
    def document(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(self.stdout)
        return parsed

    @property
    def steps(self) -> dict[str, dict[str, Any]]:
        return {step["id"]: step for step in self.document["steps"]}


@dataclass(frozen=True)
class Checkout:
    """A project's folder, and what a command in it sees of the world."""

    root: Path
    environ: Mapping[str, str]

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "pipelines", *words]

    def run(self, *words: str, timeout_s: float = 280, **environ: str) -> Ended:
        done = subprocess.run(
            self.command("run", "--json", *words),
            cwd=self.root,
            env={**self.environ, **environ},
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout_s,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.root / name
        text = path.read_text()
        assert old in text, f"{old!r} is not in {name}"
        path.write_text(text.replace(old, new, 1))

    def add(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            file.write(text)


@pytest.fixture(scope="session")
def images() -> dict[str, Any]:
    lock = SHOP / ".lockgate/images.lock"
    found: dict[str, Any] = json.loads(lock.read_text())["images"] if lock.exists() else {}
    if not {"base", "python", "trivy", "trivy-db", "k6"} <= set(found):
        pytest.skip("needs examples/shop/.lockgate/images.lock with every image: run `make base`")
    return found


@pytest.fixture(scope="session")
def environ(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(NOT_OURS)}
    own = {"LOCKGATE_STORE": str(tmp_path_factory.mktemp("store")), "LOCKGATE_CONFIG_DIRS": str(tmp_path_factory.mktemp("settings"))}
    return {**clean, "LOCKGATE_ENGINE": "embedded", **own}


@pytest.fixture
def registry(images: dict[str, Any]) -> str:
    return str(images["python"]["reference"]).partition("/")[0]


@pytest.fixture
def stranger(tmp_path: Path, environ: dict[str, str], images: dict[str, Any]) -> dict[str, str]:
    """The environment of somebody without any file of ours in the project: images and settings come from the user's folder."""
    folder = tmp_path / "settings"
    folder.mkdir()
    (folder / "images.lock").write_text(json.dumps({"schema": 1, "images": images}))
    secrets = tomllib.loads((SHOP / "lockgate.local.toml").read_text())["images"]["shop"]["secrets"]
    lines = ["[build.secrets]", *(f"{name} = {json.dumps(uri)}" for name, uri in secrets.items())]
    (folder / "settings.toml").write_text("\n".join(lines))
    path = f"{Path(sys.executable).parent}{os.pathsep}{environ['PATH']}"
    return {**environ, "LOCKGATE_CONFIG_DIRS": str(folder), "PATH": path}


@pytest.fixture
def make(tmp_path: Path, environ: dict[str, str], images: dict[str, Any]) -> Callable[..., Checkout]:
    """Makes a small project out of files by name."""

    def made(**files: str) -> Checkout:
        root = tmp_path / "project"
        checkout = Checkout(root, environ)
        for name, text in files.items():
            checkout.add(name.replace("__", "/").replace("_dot_", "."), text)
        checkout.add(".lockgate/images.lock", json.dumps({"schema": 1, "images": images}))
        return checkout

    return made


@pytest.fixture(scope="session")
def built(environ: dict[str, str], images: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ended]:
    """A copy of the shop after its first run, and that run. Tests take copies of it (`shop`): unchanged, they find all of it cached.

    It pushes to a repository of this checkout's own: the tests of two checkouts side by side do not meet.
    """
    root = tmp_path_factory.mktemp("first") / "shop"
    shutil.copytree(
        SHOP,
        root,
        ignore=shutil.ignore_patterns("runs", "reports", "unchanged*", "state.json", "lock", "latest", "__pycache__", ".pytest_cache"),
    )
    copy = Checkout(root, environ)
    url = tomllib.loads((root / "lockgate.local.toml").read_text())["registry"]["url"]
    copy.edit("lockgate.local.toml", f'url = "{url}"', f'url = "{url}/e2e-{hashlib.sha256(str(CHECKOUT).encode()).hexdigest()[:8]}"')
    copy.edit("lockgate.toml", "p95_ms = 200", "p95_ms = 5000")  # whether the machine is busy is not what these tests are about
    ended = copy.run()
    assert ended.code == 0, ended.stderr
    return root, ended


@pytest.fixture
def shop(built: tuple[Path, Ended], environ: dict[str, str], tmp_path: Path) -> Checkout:
    root = tmp_path / "shop"
    shutil.copytree(built[0], root, symlinks=True)
    return Checkout(root, environ)

"""Programs of other SDKs on the embedded engine: nothing of ours is in them, and nothing of them in ours."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.engine.embedded.paths import cache_dir

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.registry, pytest.mark.slow, pytest.mark.timeout(1200)]

HERE = Path(__file__).parent
LOCK = Path(".lockgate/images.lock").absolute()
GO = "the Go SDK's module needs Go {} or newer"


@pytest.fixture(scope="module")
def image() -> str:
    if not LOCK.exists():
        pytest.skip("needs .lockgate/images.lock: run `make setup`")
    reference: str = json.loads(LOCK.read_text())["images"]["python"]["reference"]
    return reference


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Downloads are kept in the cache of the machine; the store is the test's own."""
    cache = cache_dir() / "sdks"
    program = Path(sys.executable).parent / "lockgate-engine"
    ours = {"_EXPERIMENTAL_DAGGER_CLI_BIN": str(program), "LOCKGATE_STORE": str(tmp_path / "store")}
    go = {"GOMODCACHE": str(cache / "go-modules"), "GOCACHE": str(cache / "go-build"), "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly"}
    return {**os.environ, **ours, **go, "npm_config_cache": str(cache / "npm")}


def test_the_go_sdk(tmp_path: Path, environment: dict[str, str], image: str) -> None:
    if shutil.which("go") is None:
        pytest.skip("needs go")
    wanted = re.search(r"^go (\d+)\.(\d+)", (HERE / "go" / "go.mod").read_text(), re.MULTILINE)
    version = re.search(r"go(\d+)\.(\d+)", subprocess.run(["go", "version"], capture_output=True, text=True, check=True).stdout)
    assert wanted is not None
    if version is None or tuple(map(int, version.groups())) < tuple(map(int, wanted.groups())):
        pytest.skip(GO.format(".".join(wanted.groups())))
    shutil.copytree(HERE / "go", tmp_path / "go")
    run(["go", "build", "-o", str(tmp_path / "hello"), "."], tmp_path / "go", environment)
    assert run([str(tmp_path / "hello"), image], tmp_path, environment) == "hello Go\n[greeting]\nNAME Go\n3 out no\n"


def test_the_typescript_sdk(tmp_path: Path, environment: dict[str, str], image: str) -> None:
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("needs node and npm")
    shutil.copytree(HERE / "typescript", tmp_path / "ts")
    run(["npm", "ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"], tmp_path / "ts", environment)
    said = run(["node", "main.mjs", image], tmp_path / "ts", environment)
    assert said == "hello TypeScript\n[ 'greeting' ]\nNAME TypeScript\n3 out no\n"


def run(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return done.stdout

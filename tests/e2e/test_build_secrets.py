"""Package index settings and certificates reach the shop's build as secrets, and no layer of what is published holds them."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from uuid import uuid4

import pytest

from ci.published import by_digest

CHECKOUT = Path(__file__).resolve().parents[2]
SHOP = CHECKOUT / "examples/shop"
CONFIG = """
[project]
name = "shop"
[registry]
url = "{registry}/sealed"
[images.shop]
target = "runtime"
base = "base"
secrets = {{ pip = "file://{pip}", ca = "file://{ca}" }}
[publish]
when = "always"
"""

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.registry, pytest.mark.timeout(300)]


@pytest.fixture
def settings() -> dict[str, str]:
    """This machine's registry, pip.conf and CA bundle, as set-up found them."""
    local = tomllib.loads((SHOP / "lockgate.local.toml").read_text())
    return {"registry": local["registry"]["url"], **local["images"]["shop"]["secrets"]}


@pytest.fixture
def project(tmp_path: Path, settings: dict[str, str]) -> tuple[Path, str]:
    """A copy of the shop whose secrets carry a word found nowhere else, and whose requirements differ from every earlier build's."""
    word, root = f"canary-{uuid4().hex}", tmp_path / "shop"
    shutil.copytree(SHOP, root, ignore=shutil.ignore_patterns("lockgate.local.toml", "runs", "reports", "__pycache__"))
    pip, ca = tmp_path / "pip.conf", tmp_path / "ca.crt"
    pip.write_text(f"{_read(settings, 'pip')}\n# {word}\n")
    ca.write_text(f"# {word}\n{_read(settings, 'ca')}")
    if not _read(settings, "ca"):
        ca.write_text(f"# {word}\n{Path('/etc/ssl/certs/ca-certificates.crt').read_text()}")
        pip.write_text(f"[global]\ncert = /run/secrets/ca\n# {word}\n")
    with (root / "requirements.txt").open("a") as requirements:
        requirements.write(f"# {uuid4().hex}\n")
    (root / "lockgate.toml").write_text(CONFIG.format(registry=settings["registry"], pip=pip, ca=ca))
    return root, word


def test_no_published_layer_holds_a_build_secret(project: tuple[Path, str], tmp_path: Path) -> None:
    root, word = project
    environment = {**os.environ, "LOCKGATE_ENGINE": "embedded"}
    command = [sys.executable, "-m", "pipelines", "run", "--json"]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (image,) = json.loads(done.stdout)["images"]
    reference = by_digest(image["ref"], image["digest"])
    folder = tmp_path / "image"
    subprocess.run(["skopeo", "copy", "--quiet", "--src-tls-verify=false", f"docker://{reference}", f"dir:{folder}"], check=True)
    contents = [_plain(file) for file in folder.iterdir()]
    assert any(b"site-packages/fastapi/" in content for content in contents)  # these are the layers pip wrote
    assert not any(word.encode() in content for content in contents)
    logs = [file.read_bytes() for file in (root / ".lockgate").rglob("*") if file.is_file()]
    assert logs
    assert not any(word.encode() in log for log in logs)


def _read(settings: dict[str, str], name: str) -> str:
    return Path(settings[name].removeprefix("file://")).read_text() if name in settings else ""


def _plain(file: Path) -> bytes:
    data = file.read_bytes()
    return gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data

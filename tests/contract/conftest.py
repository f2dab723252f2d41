"""Questions about the Dagger API, asked through an unmodified dagger-io client, with a real engine's answers as expectations.

They run against the embedded engine, or against a real one (see tests/conftest.py).
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import dagger
import pytest

LOCK = Path(__file__).parents[2] / ".lockgate" / "images.lock"


@pytest.fixture(scope="session")
def image() -> str:
    """A reference with digest; the image has sh, coreutils and python3."""
    if not LOCK.exists():
        pytest.skip("needs .lockgate/images.lock: run `make setup`")
    reference: str = json.loads(LOCK.read_text())["images"]["python"]["reference"]
    return reference


@pytest.fixture(scope="session")
def registry(image: str) -> str:
    """A registry to publish to, as host:port."""
    return image.split("/", maxsplit=1)[0]


@pytest.fixture(scope="session")
def nonce() -> str:
    """A word no run had before."""
    return str(time.time_ns())


@pytest.fixture
def base(image: str) -> dagger.Container:
    return dagger.dag.container().from_(image)

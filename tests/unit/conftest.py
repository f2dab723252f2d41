"""Unit tests see a machine without settings: whoever runs them may have some."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of our variables, no open session, and the name the script has."""
    for name in [name for name in os.environ if name.startswith(("LOCKGATE_", "DAGGER_", "_EXPERIMENTAL_DAGGER_"))]:
        if name not in {"LOCKGATE_CACHE", "LOCKGATE_CONFIG_DIRS"}:
            monkeypatch.delenv(name)
    monkeypatch.setattr("sys.argv", ["lockgate"])

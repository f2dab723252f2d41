"""The locks of the programs of other SDKs name packages and their digests, and no registry."""

from __future__ import annotations

from pathlib import Path

import pytest

SDKS = Path(__file__).parents[2] / "integration" / "sdks"


@pytest.mark.parametrize("lock", ["typescript/package-lock.json", "go/go.sum", "go/go.mod"])
def test_a_lock_has_digests_and_no_address(lock: str) -> None:
    text = (SDKS / lock).read_text()
    assert "://" not in text
    assert lock.endswith("go.mod") or "h1:" in text or "sha512-" in text

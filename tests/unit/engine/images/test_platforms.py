from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.engine.embedded.errors import InvalidInput
from pipelines.engine.embedded.images import platforms


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("linux/amd64", "linux/amd64"),
        ("Linux/x86_64", "linux/amd64"),
        ("linux/amd64/v1", "linux/amd64"),
        ("linux/amd64/v3", "linux/amd64/v3"),
        ("linux/aarch64", "linux/arm64"),
        ("linux/arm64/v8", "linux/arm64"),
        ("linux/arm64/v9", "linux/arm64/v9"),
        ("linux/arm", "linux/arm/v7"),
        ("linux/arm/6", "linux/arm/v6"),
        ("linux/armel", "linux/arm/v6"),
        ("arm64", "linux/arm64"),
        ("riscv64", "linux/riscv64"),
    ],
)
def test_normalised(text: str, expected: str) -> None:
    assert str(platforms.parse(text)) == expected


@pytest.mark.parametrize("text", ["", "/", "linux/", "linux/amd64/v3/x", "plan9/amd64", "toaster"])
def test_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="is not a platform"):
        platforms.parse(text)


@given(st.sampled_from(["amd64", "arm64", "arm", "386", "s390x"]), st.sampled_from(["", "/v6", "/v7", "/v8", "/7"]))
def test_normalising_twice_changes_nothing(architecture: str, variant: str) -> None:
    once = platforms.parse(f"linux/{architecture}{variant}")
    assert platforms.parse(str(once)) == once


def test_a_lone_system_means_this_machines_architecture() -> None:
    assert platforms.parse("linux") == platforms.host()

"""What is said about versions that do not fit together."""

from __future__ import annotations

import pytest

from pipelines.engine.versions import mismatch


@pytest.mark.parametrize(
    ("engine", "sdk"), [("v0.21.8", "0.21.11"), ("v0.21.11", "0.21.8"), (None, "0.21.11"), ("dev", "0.21.11"), ("v0.21.8", None)]
)
def test_versions_that_fit_or_are_unknown_are_not_worth_a_word(engine: str | None, sdk: str | None) -> None:
    assert mismatch(engine, sdk) is None


def test_an_engine_without_volatile_variables() -> None:
    said = mismatch("v0.20.0", "0.21.11")
    assert said is not None
    assert "Dagger engine 0.20.0 is older than 0.21.4: nothing is shown as cached" in said


@pytest.mark.parametrize("engine", ["v0.22.0", "v1.0.0-beta.1"])
def test_an_engine_of_a_later_minor_version(engine: str) -> None:
    assert "is newer than dagger-io 0.21.11" in str(mismatch(engine, "0.21.11"))

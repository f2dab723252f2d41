"""No Dockerfile, however broken, hangs the engine or is an internal error."""

from __future__ import annotations

import random

import pytest

from tests.unit.engine.dockerfile.mutants import refused


def test_broken_files_are_refused_in_one_message() -> None:
    messages = refused(seed=7, count=300)
    assert len(messages) > 100
    assert all(len(message) < 3000 for message in messages)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_ten_thousand_broken_files() -> None:
    """Anything but a refusal is raised, with the seed."""
    refused(seed=random.SystemRandom().randrange(1 << 32), count=10_000)

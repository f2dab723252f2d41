"""pytest fixtures for pipelines written with dagger-io: no engine, no container, no network.

Installed with the package; a test asks for `recording`::

    async def test_release(recording):
        recording.exec("pytest").exits(1).prints("1 failed")
        with pytest.raises(dagger.ExecError):
            await release()            # any code that uses dagger-io
        assert not recording.published
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.engine.embedded.recording import Recording


@pytest.fixture
def recording() -> Iterator[Recording]:
    """An engine that runs nothing: gives answers by rule, and records what a pipeline does. The SDK finds it by itself."""
    from pipelines.engine.embedded.recording import Recording
    from pipelines.engine.embedded.recording.server import serving

    made = Recording()
    with serving(made) as variables:
        before = {name: os.environ.get(name) for name in variables}
        os.environ.update(variables)
        try:
            yield made
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value

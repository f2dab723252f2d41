"""How long a service is waited for between two checks."""

from __future__ import annotations

import pytest

from pipelines.engine.embedded.sandbox.services.health import HealthProbe


@pytest.mark.parametrize(
    ("given", "pause"),
    [({}, 5.0), ({"interval": 30.0}, 30.0), ({"start_interval": 1.0}, 1.0), ({"interval": 30.0, "start_interval": 1.0}, 1.0)],
)
def test_the_pause_is_the_one_of_a_service_that_starts(given: dict[str, float], pause: float) -> None:
    assert HealthProbe(("true",), **given).pause == pause  # type: ignore[arg-type]

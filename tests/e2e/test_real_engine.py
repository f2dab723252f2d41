"""The sample project, unchanged, on a real Dagger engine: the same answers as on the embedded one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import CLI, RUNNER_HOST

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import Checkout, Ended

pytestmark = [
    pytest.mark.real,
    pytest.mark.engine,
    pytest.mark.root,
    pytest.mark.registry,
    pytest.mark.timeout(600),
    pytest.mark.skipif(RUNNER_HOST not in os.environ, reason=f"needs a real Dagger engine: {RUNNER_HOST}"),
]


@pytest.fixture
def real() -> dict[str, str]:
    """The variables that choose the real engine."""
    program = os.environ.get(CLI) or shutil.which("dagger")
    if program is None:
        pytest.skip(f"needs the dagger program beside the engine at {RUNNER_HOST}")
    return {RUNNER_HOST: os.environ[RUNNER_HOST], CLI: program, "LOCKGATE_ENGINE": "dagger"}


def answers(document: dict[str, Any]) -> dict[str, Any]:
    """What must not depend on the engine: every step's status, verdict, findings and counts."""
    counts = ("findings", "waived", "packages", "tests", "passed", "failed")
    return {
        step["id"]: (
            step["status"],
            step["verdict"],
            sorted(json.dumps(finding, sort_keys=True) for finding in step["findings"]),
            {name: value for name, value in (step["facts"] or {}).items() if name in counts},
        )
        for step in document["steps"]
    }


def test_the_shop_passes_with_the_same_findings_and_is_cached_the_second_time(
    shop: Checkout, built: tuple[Path, Ended], real: dict[str, str]
) -> None:
    first = shop.run(timeout_s=500, **real)
    assert first.code == 0, first.stderr
    assert first.document["run"]["engine"]["kind"] == "dagger"
    assert answers(first.document) == answers(built[1].document)
    second = shop.run(timeout_s=500, **real)
    assert second.code == 0, second.stderr
    assert {name for name, step in second.steps.items() if not step["cached"]} == set()


def test_the_shop_runs_under_dagger_run(shop: Checkout, real: dict[str, str]) -> None:
    environ = {**shop.environ, **real}
    command = [real[CLI], "-s", "run", *shop.command("run")]
    done = subprocess.run(command, cwd=shop.root, env=environ, capture_output=True, text=True, check=False, timeout=500)
    assert done.returncode == 0, done.stderr
    document = json.loads((shop.root / ".lockgate/reports/run.json").read_text())
    assert document["run"]["engine"]["reason"] == "a session is open (DAGGER_SESSION_PORT)"
    assert {step["status"] for step in document["steps"]} == {"passed"}


def test_a_test_stage_that_fails_is_the_failure_of_its_test(shop: Checkout, real: dict[str, str]) -> None:
    shop.edit("Dockerfile", "COPY --from=build /dist /dist\n", "RUN echo broken stage >&2; exit 9\nCOPY --from=build /dist /dist\n")
    statuses = []
    for environ in ({}, real):
        ended = shop.run("image.shop", "test.unit", timeout_s=500, **environ)
        assert ended.code == 1
        statuses.append({name: ended.steps[name]["status"] for name in ("image.shop", "test.unit")})
        assert "exited with code 9" in ended.steps["test.unit"]["reason"]
    assert statuses == [{"image.shop": "passed", "test.unit": "failed"}] * 2

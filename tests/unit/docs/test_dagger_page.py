"""docs/dagger.md names the numbers and words that the code has."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.engine import choice, connect
from pipelines.engine.lifetime import GRACE_S
from pipelines.engine.reach import REACH_S
from pipelines.engine.session import INSIST_S
from pipelines.flow.run_engine import WAITING_S
from pipelines.steps.image.inputs import LABEL

PAGE = " ".join((Path(__file__).resolve().parents[3] / "docs/dagger.md").read_text(encoding="utf-8").split())


@pytest.mark.parametrize(
    "said",
    [
        f"accepts no connection within {REACH_S:g} s ends",
        f"{connect.DAGGER_START_S / 60:g} minute to open, {connect.PROVISION_START_S / 60:g} where",
        f"Every {WAITING_S:g} s a line",
        f"has {GRACE_S:g} s to close, after which it is terminated, and killed {INSIST_S:g} s later",
        f"it has {connect.DAGGER_END_S:g} s",
        f"`{choice.RUNNER_HOST}=unix://",
        f"`{choice.CLI_BIN}=",
        f"`{LABEL}`",
    ],
)
def test_the_page_says_what_holds(said: str) -> None:
    assert said in PAGE

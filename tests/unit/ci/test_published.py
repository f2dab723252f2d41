from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ci import published

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

DIGEST = f"sha256:{'a' * 64}"


def test_it_names_what_was_published_by_digest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reports = tmp_path / ".lockgate/reports"
    reports.mkdir(parents=True)
    images = [
        {"name": "shop", "ref": "localhost:5000/shop:1.4.0", "digest": DIGEST, "published": True},
        {"name": "other", "ref": "localhost:5000/other:1", "digest": DIGEST, "published": False},
    ]
    (reports / "run.json").write_text(json.dumps({"images": images}))
    assert published.main(tmp_path) == 0
    assert capsys.readouterr().out == f"published  localhost:5000/shop@{DIGEST}\nreports    {reports}: run.json\n"


def test_no_run_is_one_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert published.main(tmp_path) == 1
    assert "no report of a run" in capsys.readouterr().err

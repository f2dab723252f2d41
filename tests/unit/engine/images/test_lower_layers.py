from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipelines.engine.embedded.images import lower_layers
from tests.unit.engine.images.trees import Entry, unpacked

if TYPE_CHECKING:
    from pathlib import Path

LOW = [Entry("d/x"), Entry("d/e/y"), Entry("f")]


@pytest.mark.parametrize(
    ("above", "name", "layer"),
    [
        ([], "d/x", "low"),
        ([], "d/nothing", None),
        ([], "f/x", None),
        ([Entry("d/", "dir")], "d/x", "low"),
        ([Entry("d/x")], "d/x", "above"),
        ([Entry(".wh.d")], "d/x", None),
        ([Entry("d/.wh.e")], "d/e/y", None),
        ([Entry("d/.wh.x")], "d/x", None),
        ([Entry("d/.wh..wh..opq")], "d/x", None),
        ([Entry("d/.wh..wh..opq")], "d/e/y", None),
        ([Entry("d/.wh..wh..opq"), Entry("d/e/z")], "d/e/y", None),
        ([Entry("d")], "d/x", None),
        ([Entry("d", "link", "f")], "d/x", None),
    ],
)
def test_what_a_stack_shows(tmp_path: Path, above: list[Entry], name: str, layer: str | None) -> None:
    unpacked(LOW, tmp_path / "low")
    unpacked(above, tmp_path / "above")
    expected = None if layer is None else str(tmp_path / layer / name)
    assert lower_layers.visible([str(tmp_path / "low"), str(tmp_path / "above")], name) == expected

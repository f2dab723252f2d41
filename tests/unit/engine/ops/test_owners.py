"""Owners by name and number: the same files and the same rules as for the user of a command."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipelines.engine.embedded.errors import InvalidInput
from pipelines.engine.embedded.ops.files.owners import owner_ids
from pipelines.engine.embedded.store.trees.root import Root

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def root(tmp_path: Path) -> Root:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text("odd:x:oops:5::/:/bin/sh\ndev:x:0:0::/home/dev:/bin/sh\n77:x:0:0::/:/bin/sh\n")
    (tmp_path / "etc/group").write_text("odd:x:oops:\nstaff:x:0:\n")
    return Root(tmp_path)


@pytest.mark.parametrize(("owner", "ids"), [("", (0, 0)), ("dev", (0, 0)), ("dev:staff", (0, 0)), ("0:0", (0, 0)), ("00", (0, 0))])
def test_owners_that_are_there(root: Root, owner: str, ids: tuple[int, int]) -> None:
    assert owner_ids(root, owner) == ids


@pytest.mark.parametrize("owner", ["odd", "dev:odd", "nobody", "-1", "\u0661", "9" * 5000, "4294967295"])
def test_a_line_or_number_that_makes_no_sense_is_not_an_owner(root: Root, owner: str) -> None:
    with pytest.raises(InvalidInput, match=r"unable to find (user|group)"):
        owner_ids(root, owner)

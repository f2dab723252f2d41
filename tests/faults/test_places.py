"""Stores in places where they cannot be."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import dagger
import pytest

from pipelines.engine.embedded import kernel
from tests.faults.engine import Engines

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.engine, pytest.mark.root]


@pytest.mark.usefixtures("own_mounts")
async def test_a_store_on_a_containers_own_root_names_the_way_out(tmp_path: Path, image: str) -> None:
    for name in ("lower", "upper", "work", "root"):
        (tmp_path / name).mkdir()
    options = f"lowerdir={tmp_path}/lower,upperdir={tmp_path}/upper,workdir={tmp_path}/work"
    kernel.mount("overlay", tmp_path / "root", "overlay", data=options)
    engines = Engines(tmp_path / "root" / "store", tmp_path)
    try:
        async with engines.start().client() as client:
            with pytest.raises(dagger.QueryError, match=re.escape("(in a container: on a volume)")):
                await client.container().from_(image).with_exec(["true"]).sync()
    finally:
        engines.end()
        kernel.umount(tmp_path / "root", kernel.MNT_DETACH)

"""Layers under the kernel's overlayfs: what the unit tests' model of it says, and in a user namespace."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.engine.embedded.errors import ImageError
from pipelines.engine.embedded.images import manifest
from pipelines.engine.embedded.images.manifest import Descriptor, digest_bytes
from pipelines.engine.embedded.images.registry import pull
from pipelines.engine.embedded.store.store import Store
from tests.unit.engine.images.test_layers_model import LAYER, Refused, model
from tests.unit.engine.images.trees import Entry, shown, tar

if TYPE_CHECKING:
    from pipelines.engine.embedded.store.snapshot import Snapshot

pytestmark = pytest.mark.root


async def assembled(store: Store, layers: list[list[Entry]]) -> Snapshot:
    tars = [tar(entries) for entries in layers]
    blobs = [_keep(store, data) for data in tars]
    return await pull.assemble(store, blobs, [digest_bytes(data) for data in tars], asyncio.Semaphore(2))


def _keep(store: Store, data: bytes) -> Descriptor:
    return Descriptor(manifest.OCI_LAYER, store.blobs.add(lambda draft: draft.write_bytes(data) and None), len(data))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(layers=st.lists(LAYER, min_size=1, max_size=3))
def test_overlayfs_shows_what_a_plain_unpack_gives(
    private_mounts: Path, tmp_path_factory: pytest.TempPathFactory, layers: list[list[Entry]]
) -> None:
    folder = private_mounts / tmp_path_factory.mktemp("overlay").name
    with Store.open(folder, rootless=False) as store:
        try:
            expected = model(layers)
        except Refused:
            with pytest.raises(ImageError):
                asyncio.run(assembled(store, layers))
            return
        with store.view(asyncio.run(assembled(store, layers))) as view:
            assert shown([view.path]) == expected


SCRIPT = """
import asyncio, json, os, sys
from pathlib import Path
from pipelines.engine.embedded.store.store import Store
from tests.integration.engine.test_images_overlay import USERS_LAYERS, assembled

with Store.open(Path(sys.argv[1]), rootless=True) as store:
    with store.view(asyncio.run(assembled(store, USERS_LAYERS))) as view:
        print(json.dumps(sorted(str(path.relative_to(view.path)) for path in view.path.rglob("*"))))
"""
USERS_LAYERS = [
    [Entry("gone", text="1"), Entry("d/old", text="1"), Entry("theirs", owner=(12345, 54321)), Entry("dev/null", "char")],
    [Entry(".wh.gone"), Entry("d/", "dir"), Entry("d/.wh..wh..opq"), Entry("d/new", text="2")],
]


def test_in_a_user_namespace_with_one_user(tmp_path: Path) -> None:
    """Whiteouts and opaque folders work; owners that do not exist there and devices are left out."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    command = ["unshare", "--user", "--map-root-user", "--mount", sys.executable, "-c", SCRIPT, str(tmp_path / "store")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert json.loads(done.stdout) == ["d", "d/new", "dev", "theirs"]

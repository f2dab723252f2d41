"""A registry that breaks off, stalls or refuses is told apart, named, and leaves nothing behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipelines.engine.codes import Code
from pipelines.engine.embedded.errors import EngineError, ImageDamaged, RegistryError
from pipelines.engine.embedded.images.images import Images, StoredImage
from pipelines.engine.embedded.images.registry.skopeo import RegistryTimeouts
from pipelines.engine.embedded.store.store import Store
from tests.integration.engine.faulty import Faulty, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.registry  # for skopeo, which set-up installs with it

SHORT = RegistryTimeouts(answer_s=3.0, stall_s=3.0)
"""For registries that would be waited for in any case; on a busy machine others need longer."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store", rootless=True) as opened:
        yield opened


async def pulled(store: Store, faulty: Faulty, patience: RegistryTimeouts | None = None) -> StoredImage:
    images = Images(store, patience or RegistryTimeouts())
    return await images.pull(await images.resolve(f"{faulty.address}/name:1"))


async def test_without_a_fault_it_is_an_image(store: Store) -> None:
    with serving(Faulty()) as faulty:
        assert (await pulled(store, faulty)).snapshot.layers


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("tag:denied", Code.REGISTRY_DENIED),
        ("tag:unauthorized", Code.REGISTRY_DENIED),
        ("layer:denied", Code.REGISTRY_DENIED),
        ("tag:busy", Code.REGISTRY_BUSY),
        ("layer:busy", Code.REGISTRY_BUSY),
        ("tag:closed", Code.REGISTRY_UNREACHABLE),
        ("tag:short", Code.REGISTRY_UNREACHABLE),
        ("config:short", Code.REGISTRY_UNREACHABLE),
        ("layer:closed", Code.REGISTRY_UNREACHABLE),
        ("layer:short", Code.REGISTRY_UNREACHABLE),
        ("layer:reset", Code.REGISTRY_UNREACHABLE),
        ("layer:cut", Code.REGISTRY_UNREACHABLE),
        ("layer:other", Code.REGISTRY_UNREACHABLE),
        ("tag:silent", Code.REGISTRY_SILENT),
        ("layer:silent", Code.REGISTRY_SILENT),
        ("layer:trickle", Code.REGISTRY_SILENT),
    ],
)
async def test_what_a_registry_does_wrong_is_told_apart_and_named(store: Store, fault: str, code: Code) -> None:
    before = {path.name for path in store.workspace.tmp.rglob("*")}
    with serving(Faulty(fault)) as faulty:
        with pytest.raises(RegistryError) as caught:
            await pulled(store, faulty, SHORT if code is Code.REGISTRY_SILENT else None)
        assert (caught.value.code, caught.value.registry) == (code, faulty.address), caught.value.message
    assert code.transient is (code not in {Code.REGISTRY_DENIED, Code.REGISTRY_SILENT})
    assert {path.name for path in store.workspace.tmp.rglob("*")} == before


@pytest.mark.parametrize("size", [2**62, 10])
async def test_a_layer_that_is_not_as_large_as_is_said_fills_no_disk(store: Store, size: int) -> None:
    with serving(Faulty("layer:endless", declared=size)) as faulty, pytest.raises(EngineError) as caught:
        await pulled(store, faulty)
    assert isinstance(caught.value, ImageDamaged), caught.value.message
    assert not list((store.workspace.tmp / "outputs").iterdir())

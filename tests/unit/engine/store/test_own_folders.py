from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipelines.engine.embedded.errors import InvalidInput
from pipelines.engine.embedded.ops.files.export import empty
from pipelines.engine.embedded.store.host.own_folders import own_folders, refuse_own
from pipelines.engine.embedded.store.host.reading import HostFilters, walk

if TYPE_CHECKING:
    from pathlib import Path

FILES = ("a", "cache/store-root-0/l/x", "cache/store-rootless-7/x", "cache/run/x", "cache/tools/x", "other/x")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


def seen(base: Path, *stores: Path) -> list[str]:
    return [one.rel for one in walk(str(base), HostFilters(), own_folders(base, *stores)) if not one.is_folder()]


def test_the_cache_is_no_part_of_the_project_it_is_in(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCKGATE_CACHE", str(project / "cache"))
    assert seen(project) == ["a", "other/x"]


def test_of_a_cache_that_is_the_project_only_the_stores_are_left_out(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCKGATE_CACHE", str(project / "cache"))
    assert seen(project / "cache") == ["tools/x"]


def test_a_store_is_left_out_wherever_it_is(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCKGATE_CACHE", "/nowhere")
    monkeypatch.setenv("LOCKGATE_STORE", str(project / "cache"))
    assert seen(project) == ["a", "cache/run/x", "cache/tools/x", "other/x"]
    assert seen(project, project / "other") == ["a", "cache/run/x", "cache/tools/x"]


def test_a_link_to_the_cache_is_no_other_cache(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "link").symlink_to("cache")
    monkeypatch.setenv("LOCKGATE_CACHE", str(project / "link"))
    assert seen(project) == ["a", "link", "other/x"]


def test_a_folder_in_a_store_is_refused(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCKGATE_CACHE", str(project / "cache"))
    inside = project / "cache/store-root-0/l"
    with pytest.raises(InvalidInput, match="the engine's own folder"):
        refuse_own(str(inside), own_folders(inside))
    refuse_own(str(project), own_folders(project))


def test_a_folder_that_is_emptied_keeps_the_cache(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCKGATE_CACHE", str(project / "cache"))
    (project / "cache/deep").symlink_to("/nowhere")
    empty(project, own_folders(project).paths)
    assert [path.name for path in project.iterdir()] == ["cache"]
    assert (project / "cache/store-root-0/l/x").exists()


def test_a_cache_that_cannot_be_looked_into_is_none(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCKGATE_CACHE", str(project / "a" / "below-a-file"))
    assert "other/x" in seen(project)
    monkeypatch.setenv("LOCKGATE_CACHE", "/" + "n" * 300)
    assert "other/x" in seen(project)

from __future__ import annotations

from pathlib import Path

from ci.machine.paths import Paths
from pipelines.config.places import places


def paths(**environ: str) -> Paths:
    return Paths.from_environment({"HOME": "/home/ada", **environ}, Path("/src"))


def test_defaults_follow_the_home_folder() -> None:
    assert paths().cache == Path("/home/ada/.cache/lockgate")
    assert paths().registry_record == Path("/home/ada/.local/state/lockgate/registry.json")


def test_one_variable_moves_the_whole_cache() -> None:
    found = paths(LOCKGATE_CACHE="/big/cache", XDG_CACHE_HOME="/elsewhere")
    assert {found.tools.parent, found.layouts.parent, found.logs.parent, found.registry_data.parent} == {Path("/big/cache")}


def test_xdg_folders_count_only_when_absolute() -> None:
    assert paths(XDG_CACHE_HOME="/c", XDG_STATE_HOME="/s", XDG_CONFIG_HOME="/f") == Paths(
        checkout=Path("/src"), cache=Path("/c/lockgate"), state=Path("/s/lockgate"), config=Path("/f/lockgate")
    )
    assert paths(XDG_CACHE_HOME="c", XDG_STATE_HOME="", XDG_CONFIG_HOME="f") == paths()


def test_set_up_and_the_program_agree_on_the_folder_of_settings() -> None:
    for environ in ({}, {"XDG_CONFIG_HOME": "/f"}, {"XDG_CONFIG_HOME": "f"}, {"LOCKGATE_CONFIG_DIRS": "/a:/b"}):
        assert places({"HOME": "/home/ada", **environ})[0].folder == paths(**environ).config

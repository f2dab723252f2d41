"""Settings of the user and of the machine hold for every project; permissions do not."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from platformdirs.macos import MacOS
from platformdirs.unix import Unix

from pipelines.config import Layer
from pipelines.config.places import MACHINE_FOLDER, is_there, places, user_folder
from pipelines.errors import ConfigError
from pipelines.model import SecretRef
from pipelines.steps.scan.spec import scan_of

if TYPE_CHECKING:
    from tests.unit.config.conftest import Folder

SMALL = '[project]\nname = "shop"\n'


@pytest.fixture
def shared(folder: Folder) -> Folder:
    folder.environ = {"LOCKGATE_CONFIG_DIRS": os.pathsep.join([str(folder.path / "user"), str(folder.path / "machine")])}
    return folder


def test_the_folders_are_those_of_platformdirs() -> None:
    home = {"HOME": os.path.expanduser("~")}  # noqa: PTH111 - as platformdirs finds it
    environ = home | {name: value for name, value in os.environ.items() if name == "XDG_CONFIG_HOME"}
    assert str(user_folder(environ, "linux")) == Unix("lockgate").user_config_dir
    assert str(user_folder(home, "darwin")) == MacOS("lockgate").user_config_dir
    assert user_folder({}) is None
    assert [place.folder for place in places({"HOME": "/home/ada"})] == [Path("/home/ada/.config/lockgate"), MACHINE_FOLDER]
    assert [place.layer for place in places({})] == [Layer.MACHINE]


def test_the_project_counts_more_than_the_user_and_the_user_more_than_the_machine(shared: Folder) -> None:
    shared.write("machine/settings.toml", '[registry]\nurl = "m.example"\n[build.secrets]\npip = "file:///m"\nca = "file:///m"\n')
    shared.write("user/settings.toml", '[registry]\nurl = "u.example"\n[build.secrets]\npip = "file:///u"\n')
    loaded = shared.load(SMALL)
    assert loaded.project.registry is not None
    assert loaded.project.registry.url == "u.example"
    assert loaded.project.build_secrets == {"pip": SecretRef("file:///u"), "ca": SecretRef("file:///m")}
    assert loaded.provenance["registry.url"].layer is Layer.USER
    assert loaded.provenance["build.secrets.ca"].where == str(shared.path / "machine/settings.toml")
    own = shared.load(f'{SMALL}[registry]\nurl = "p.example"\n')
    assert own.project.registry is not None
    assert (own.project.registry.url, own.provenance["registry.url"].layer) == ("p.example", Layer.FILE)


@pytest.mark.parametrize(
    "text",
    [
        "[scan]\nallow_fixture_database = true\n",
        '[registry]\nurl = "u.example"\nauth = "env://TOKEN"\n',
        '[images.shop]\ntarget = "x"\n',
        "keep_going = false\n",
    ],
)
def test_what_belongs_to_a_project_is_refused_for_all(shared: Folder, text: str) -> None:
    shared.write("user/settings.toml", text)
    with pytest.raises(ConfigError, match=r"settings\.toml is wrong") as caught:
        shared.load(SMALL)
    assert len(caught.value.problems) == 1
    assert "settings for all projects are registry.url and build.secrets" in caught.value.problems[0]


def test_only_the_local_file_allows_a_made_up_database(folder: Folder) -> None:
    """The permission is for one checkout on one machine: neither a commit, nor a variable, nor a flag carries it to others."""
    allow = "[scan]\nallow_fixture_database = true\n"
    assert folder.problems(f"{allow}[project]\nname = 'shop'")[0].startswith("scan.allow_fixture_database: only lockgate.local.toml may")
    folder.write("lockgate.toml", f"{SMALL}[scan]\n")
    folder.environ["LOCKGATE_SCAN_ALLOW_FIXTURE_DATABASE"] = "true"
    with pytest.raises(ConfigError):
        folder.load()
    del folder.environ["LOCKGATE_SCAN_ALLOW_FIXTURE_DATABASE"]
    with pytest.raises(ConfigError):
        folder.load(scan__allow_fixture_database=True)
    folder.write("lockgate.local.toml", allow)
    spec = scan_of(folder.load().project)
    assert spec is not None
    assert spec.allow_fixture_database


def test_a_folder_that_is_closed_to_the_user_holds_nothing_for_him(shared: Folder) -> None:
    """Such as /etc/lockgate, made by root with a narrow umask."""
    shared.write("machine/settings.toml", '[registry]\nurl = "m.example"\n')
    shared.write("machine/images.lock", "{")
    shared.write("lockgate.toml", SMALL)
    (shared.path / "machine").chmod(0)
    shared.path.chmod(0o755)
    child = os.fork()
    if child == 0:  # root is denied nothing, so somebody else asks
        if os.geteuid() == 0:
            os.setuid(65534)
        try:
            seen = [file for place in places(shared.environ) for file in (place.lock, place.settings) if is_there(file)]
            os._exit(len(seen))
        except BaseException:  # noqa: BLE001 - nothing may leave the child
            os._exit(2)
    _, status = os.waitpid(child, 0)
    (shared.path / "machine").chmod(0o755)
    assert os.waitstatus_to_exitcode(status) == 0

from __future__ import annotations

import configparser
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ci.machine.settings import HEAD, read_package_settings, render

if TYPE_CHECKING:
    from collections.abc import Mapping


def pip_conf(pip_list: str, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    parser = configparser.RawConfigParser()
    parser.read_string(read_package_settings(environ or {}, pip_list).pip_conf)
    return dict(parser["global"])


def test_files_and_variables_are_read_and_the_variable_wins() -> None:
    text = (
        ":env:.index-url='https://new.example/simple'\nglobal.index-url='https://old.example/simple'\nglobal.trusted-host='new.example'\n"
    )
    assert pip_conf(text) == {"index-url": "https://new.example/simple", "trusted-host": "new.example"}


def test_what_a_build_cannot_use_stays_here() -> None:
    assert pip_conf("global.find-links='/opt/wheels'\nglobal.cache-dir='/x'\nglobal.require-virtualenv='true'\n") == {}


def test_names_that_mean_the_same_are_one() -> None:
    assert pip_conf(":env:.default-timeout='180'\n") == {"timeout": "180"}


def test_a_private_bundle_is_found_where_the_build_mounts_it(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.crt"
    bundle.touch()
    for environ, text in (({}, f"global.cert='{bundle}'\n"), ({"SSL_CERT_FILE": str(bundle)}, "")):
        settings = read_package_settings(environ, text)
        assert settings.bundle == bundle
        assert "cert = /run/secrets/ca" in settings.pip_conf


def test_a_bundle_that_is_not_there_is_none(tmp_path: Path) -> None:
    assert read_package_settings({"SSL_CERT_FILE": str(tmp_path / "gone")}, "").bundle is None


@pytest.mark.parametrize("fixture", [False, True])
def test_the_file_is_toml_and_allows_a_fixture_only_where_there_is_one(fixture: bool) -> None:
    text = render("localhost:5001", "shop", Path("/src/.lockgate/pip.conf"), None, fixture=fixture)
    document = tomllib.loads(text)
    assert text.startswith(HEAD)
    assert document["registry"]["url"] == "localhost:5001"
    assert document["images"]["shop"]["secrets"] == {"pip": "file:///src/.lockgate/pip.conf"}
    assert document.get("scan", {}).get("allow_fixture_database", False) is fixture

"""An outcome of validation that is kept gives what validation gives, whatever changes; and pydantic is imported only when something did."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.config.validation_cache import ValidationCache, cache_for, validating_code
from pipelines.errors import ConfigError
from pipelines.steps.catalog import load, sections_of

if TYPE_CHECKING:
    from pipelines.config import Loaded
    from pipelines.config.table import Table

SHOP = """
[project]
name = "shop"

[images.shop]
target = "runtime"

[tests.unit]
image = { name = "shop", target = "test" }
command = ["pytest"]

[scan]
waivers = [{ id = "CVE-2026-0001", owner = "me", reason = "none", expires = 2030-01-31 }]

[perf.load]
script = "load.js"
service = { image = "shop", port = 8000 }
"""
texts = st.sampled_from(
    ["", 'timeout = "5m"', "timeout = 300", "timeout = 300.0", "jobs = 2", "jobs = true", "keep_going = false", "x = 1"]
)
locals_ = st.sampled_from(
    ["", "[tests.unit]\nimage = 'shop'", "[tests.unit.env]\nA = '1'", "[scan]\nfail_on = 'low'", "[scan]\nallow_fixture_database = true"]
)
shared = st.sampled_from(["", '[registry]\nurl = "a.example"', '[registry]\nurl = "b.example/x"', "[scan]\nsources = true"])
environments = st.dictionaries(
    st.sampled_from(["LOCKGATE_SCAN_FAIL_ON", "LOCKGATE_TESTS_UNIT_RETRIES", "LOCKGATE_TIMEOUT", "LOCKGATE_REGISTRY_URL", "OTHER"]),
    st.sampled_from(["1", "low", "10m", "r.example"]),
    max_size=2,
)
flags = st.dictionaries(
    st.sampled_from(["scan.fail_on", "tests.unit.retries", "perf.load.thresholds.p95_ms", "images.shop.args.X", "engine"]),
    st.sampled_from(["1", "1.0", "low", "embedded", 1, 1.0, True]),
    max_size=2,
)


def outcome(root: Path, environ: dict[str, str], overrides: dict[str, object]) -> Any:
    """What a person sees of a configuration: the project, every value and where it comes from, or the refusal."""
    try:
        loaded: Loaded = load(root, environ=environ, overrides=overrides)
    except ConfigError as error:
        return error.message, error.problems
    return loaded.project, dict(loaded.values), [*loaded.values], {key: str(origin) for key, origin in loaded.provenance.items()}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept")


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(text=texts, local=locals_, user=shared, environ=environments, overrides=flags)
def test_a_kept_outcome_is_the_outcome(
    kept: Path, *, text: str, local: str, user: str, environ: dict[str, str], overrides: dict[str, object]
) -> None:
    """One cache for all examples: what was kept for another configuration must never be taken for this one."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "lockgate.toml").write_text(f"{text}\n{SHOP}")
        (root / "lockgate.local.toml").write_text(local)
        (root / "settings.toml").write_text(user)
        without = {**environ, "LOCKGATE_CONFIG_DIRS": name}
        cached = {**without, "XDG_CACHE_HOME": str(kept)}
        fresh = outcome(root, without, overrides)
        assert outcome(root, cached, overrides) == fresh
        assert outcome(root, cached, overrides) == fresh


def imports_pydantic(root: Path, environ: dict[str, str]) -> bool:
    program = (
        "import os, sys; from pathlib import Path; from pipelines.steps.catalog import load;"
        "load(Path(sys.argv[1]), environ=dict(os.environ)); print('pydantic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(root)], env=environ, capture_output=True, text=True, check=True)
    return done.stdout.strip() == "True"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "lockgate.toml").write_text(SHOP)
    return tmp_path


def test_pydantic_is_imported_when_something_changed(root: Path) -> None:
    environ = {**os.environ, "LOCKGATE_CONFIG_DIRS": "/nonexistent", "LOCKGATE_CACHE": str(root / "cache")}
    assert [imports_pydantic(root, environ) for _ in range(2)] == [True, False]
    (root / "lockgate.toml").write_text(SHOP.replace("8000", "8001"))
    assert [imports_pydantic(root, environ) for _ in range(2)] == [True, False]


def test_what_is_kept_is_for_the_user_alone(root: Path) -> None:
    load(root, environ={"LOCKGATE_CONFIG_DIRS": "/nonexistent", "LOCKGATE_CACHE": str(root / "cache")})
    files = list((root / "cache/config").iterdir())
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE((root / "cache/config").stat().st_mode) == 0o700


@pytest.mark.parametrize("text", ["", "{", "\udcff"])
def test_a_damaged_file_is_made_again(tmp_path: Path, text: str) -> None:
    cache = ValidationCache(tmp_path / "kept", "code")
    assert cache.outcome("x", {"a": 1}, lambda: {"b": 2}) == {"b": 2}
    (file,) = (tmp_path / "kept").iterdir()
    file.write_bytes(text.encode(errors="surrogateescape"))
    assert cache.outcome("x", {"a": 1}, lambda: {"b": 3}) == {"b": 3}
    assert json.loads(file.read_text()) == {"b": 3}


@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_others_may_write_is_not_read(tmp_path: Path, what: str) -> None:
    cache = ValidationCache(tmp_path / "kept", "code")
    cache.outcome("x", {}, lambda: "mine")
    (file,) = (tmp_path / "kept").iterdir()
    (file if what == "file" else file.parent).chmod(0o777)
    assert cache.outcome("x", {}, lambda: "made again") == "made again"


def test_values_that_are_equal_in_python_are_not_the_same(tmp_path: Path) -> None:
    cache = ValidationCache(tmp_path / "kept", "code")
    found = [cache.outcome("x", {"a": value}, partial(repr, value)) for value in (1, 1.0, True, "1")]
    assert found == ["1", "1.0", "True", "'1'"]


def test_a_refusal_is_not_kept(tmp_path: Path) -> None:
    def refuse() -> None:
        raise ConfigError("wrong")

    cache = ValidationCache(tmp_path / "kept", "code")
    with pytest.raises(ConfigError):
        cache.outcome("x", {}, refuse)
    assert not (tmp_path / "kept").exists()


def test_it_does_not_grow_without_end(tmp_path: Path) -> None:
    cache = ValidationCache(tmp_path / "kept", "code")
    for number in range(80):
        cache.outcome("x", number, partial(int, number))
    assert len(list((tmp_path / "kept").iterdir())) == 64


def test_a_cache_that_cannot_be_written_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert ValidationCache(tmp_path / "file" / "kept", "code").outcome("x", {}, lambda: 1) == 1


def _foreign_table() -> type[Table]:
    return sections_of()[0].table()


def test_code_of_others_is_not_kept_and_relative_folders_count_as_unset(tmp_path: Path) -> None:
    sections = sections_of()
    assert cache_for(sections, {"HOME": "relative"}).outcome("x", {}, lambda: 1) == 1
    foreign = (*sections, replace(sections[0], key="other", table=_foreign_table))
    cache_for(foreign, {"XDG_CACHE_HOME": str(tmp_path)}).outcome("x", {}, lambda: 1)
    assert list(tmp_path.iterdir()) == []


def test_the_code_that_validates_counts() -> None:
    counted = {path.as_posix().rpartition("pipelines/")[2] for path in validating_code()}
    loaders = {
        Path(sys.modules[section.table().__module__].__file__ or "").as_posix().rpartition("pipelines/")[2] for section in sections_of()
    }
    assert {"config/tables.py", "config/fields.py", "foundation/durations.py", *loaders} <= counted
    assert any(path.endswith("pydantic/version.py") for path in counted)


@pytest.mark.root
def test_root_makes_no_folder_in_the_home_of_somebody_else(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    os.chown(tmp_path / "home", 65534, 65534)
    assert ValidationCache(tmp_path / "home/.cache/lockgate/config", "code").outcome("x", {}, lambda: 1) == 1
    assert list((tmp_path / "home").iterdir()) == []

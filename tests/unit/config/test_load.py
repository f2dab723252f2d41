from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from pipelines.config import Layer, Origin
from pipelines.errors import ConfigError
from pipelines.model import EngineKind, Severity, StepLimits
from pipelines.steps.catalog import load
from pipelines.steps.image.spec import ImageTarget, images_of
from pipelines.steps.perf.spec import performance_checks_of
from pipelines.steps.publish.spec import PublishWhen, publish_of
from pipelines.steps.scan.spec import scan_of
from pipelines.steps.test.spec import configured_tests
from tests.projects import publishing_in, scan_in

if TYPE_CHECKING:
    from tests.unit.config.conftest import Folder

FULL = """
    engine = "embedded"
    jobs = 3
    keep_going = false

    [project]
    name = "shop"

    [registry]
    url = "registry.example.com/team"
    auth = "env://REGISTRY_TOKEN"

    [images.shop]
    context = "."
    target = "runtime"
    base = "python"
    platforms = ["linux/amd64"]
    secrets = { pip = "file://~/.config/pip/pip.conf" }
    timeout = "1h30m"

    [tests.unit]
    image = { name = "shop", target = "test" }
    command = ["pytest", "-q", "--junitxml=/reports/junit.xml"]

    [tests.integration]
    image = "shop"
    command = ["pytest", "-q"]
    services = { shop = { image = "shop", port = 8000 } }
    retries = 0

    [scan]
    fail_on = "critical"
    [[scan.waivers]]
    id = "CVE-2026-0001"
    owner = "team-shop"
    reason = "not reachable"
    expires = 2027-01-31

    [perf.checkout]
    script = "perf/checkout.js"
    service = { image = "shop", port = 8000, deadline = 5 }
    thresholds = { p95_ms = 200, error_rate = 0.01 }

    [publish]
    when = "always"
"""


def test_the_sample_becomes_a_project(folder: Folder) -> None:
    project = folder.load(FULL).project
    assert project.root == folder.path
    assert (project.engine.kind, project.jobs, project.keep_going) == (EngineKind.EMBEDDED, 3, False)
    assert project.registry is not None
    assert project.registry.url == "registry.example.com/team"
    assert images_of(project)["shop"].limits == StepLimits(timeout_s=5400.0, retries=2)
    assert configured_tests(project)["unit"].image == ImageTarget(name="shop", target="test")
    assert configured_tests(project)["integration"].image == ImageTarget(name="shop")
    assert configured_tests(project)["integration"].services["shop"].deadline_s == 60.0
    assert scan_in(project).fail_on is Severity.CRITICAL
    assert scan_in(project).waivers[0].expires == dt.date(2027, 1, 31)
    assert performance_checks_of(project)["checkout"].thresholds.p95_ms == 200.0
    assert performance_checks_of(project)["checkout"].service.deadline_s == 5.0
    assert publishing_in(project).when is PublishWhen.ALWAYS


def test_what_is_not_configured_is_not_there(folder: Folder) -> None:
    project = folder.load('[project]\nname = "shop"\n').project
    assert (project.registry, scan_of(project), publish_of(project)) == (None, None, None)
    assert (dict(images_of(project)), dict(configured_tests(project)), dict(performance_checks_of(project))) == ({}, {}, {})


def test_every_step_has_a_limit(folder: Folder) -> None:
    test = '[tests.unit]\nimage = "shop"\ncommand = ["true"]\n'
    text = f'[project]\nname = "shop"\n[images.shop]\ntimeout = "2h"\n[scan]\n[publish]\n{test}'
    project = folder.load(text).project
    assert project.timeout_s == 1800.0
    assert images_of(project)["shop"].limits.timeout_s == 7200.0
    assert configured_tests(project)["unit"].limits.timeout_s == 1800.0
    project = folder.load(f'timeout = "5m"\n{text}').project
    assert (project.timeout_s, scan_in(project).limits.timeout_s, publishing_in(project).limits.timeout_s) == (300.0, 300.0, 300.0)
    assert images_of(project)["shop"].limits.timeout_s == 7200.0


def test_publish_waits_for_ci_unless_told(folder: Folder) -> None:
    project = folder.load('[project]\nname = "shop"\n[publish]\n').project
    assert publishing_in(project).when is PublishWhen.CI


def test_flag_over_environment_over_local_over_file_over_default(folder: Folder) -> None:
    folder.write("lockgate.local.toml", 'jobs = 2\nkeep_going = true\nengine = "embedded"\n[registry]\nurl = "local:1"\n')
    folder.environ |= {"LOCKGATE_ENGINE": "dagger", "LOCKGATE_REGISTRY_URL": "env:2", "LOCKGATE_JOBS": ""}
    loaded = folder.load(
        'jobs = 1\nkeep_going = false\n[project]\nname = "shop"\n[registry]\nurl = "file:0"\nusername = "me"\n', registry__url="flag:3"
    )
    registry = loaded.project.registry
    assert registry is not None
    assert (registry.url, registry.username) == ("flag:3", "me")
    assert loaded.project.engine.kind is EngineKind.DAGGER
    assert (loaded.project.jobs, loaded.project.keep_going) == (2, True)
    where = loaded.provenance
    assert where["registry.url"] == Origin(Layer.FLAG, "registry.url")
    assert where["engine.kind"] == Origin(Layer.ENV, "LOCKGATE_ENGINE")
    assert where["jobs"] == Origin(Layer.LOCAL, str(folder.path / "lockgate.local.toml"))
    assert where["registry.username"] == Origin(Layer.FILE, str(folder.path / "lockgate.toml"))


def test_every_value_has_a_provenance(folder: Folder) -> None:
    loaded = folder.load(FULL)
    assert loaded.values.keys() == loaded.provenance.keys()
    assert loaded.values["images.shop.timeout"] == 5400.0
    assert loaded.provenance["images.shop.retries"].layer is Layer.DEFAULT
    assert loaded.provenance["tests.integration.image.name"].layer is Layer.FILE
    assert loaded.provenance["images.shop.secrets.pip"].layer is Layer.FILE


def test_an_empty_table_opens_a_section_whose_keys_are_defaults(folder: Folder) -> None:
    loaded = folder.load('[project]\nname = "shop"\n[scan]\n')
    assert loaded.provenance["scan.fail_on"].layer is Layer.DEFAULT


def test_a_local_array_replaces_the_files(folder: Folder) -> None:
    folder.write("lockgate.local.toml", '[images.shop]\nplatforms = ["linux/arm64"]\n')
    project = folder.load('[project]\nname = "shop"\n[images.shop]\nplatforms = ["linux/amd64"]\ntarget = "runtime"\n').project
    assert images_of(project)["shop"].platforms == ("linux/arm64",)
    assert images_of(project)["shop"].target == "runtime"


def test_a_wrong_value_of_the_command_line_is_said_to_come_from_there(folder: Folder) -> None:
    with pytest.raises(ConfigError) as caught:
        folder.load('[project]\nname = "shop"\n', jobs="many")
    assert caught.value.problems == ("jobs: expected a whole number, not a string (set by the command line)",)


def test_none_is_no_override(folder: Folder) -> None:
    assert folder.load('jobs = 7\n[project]\nname = "shop"\n', jobs=None).project.jobs == 7


def test_a_problem_in_another_layer_names_it(folder: Folder) -> None:
    folder.environ["LOCKGATE_JOBS"] = "many"
    folder.write("lockgate.local.toml", "keep_going = 1\n")
    assert folder.problems("") == (
        "jobs: expected a whole number, not a string (set by LOCKGATE_JOBS)",
        f"keep_going: expected true or false, not a whole number (set by {folder.path / 'lockgate.local.toml'})",
    )


def test_a_renamed_variable_is_refused_with_its_new_name(folder: Folder) -> None:
    folder.environ["LOCKGATE_WIDTH"] = "3"
    with pytest.raises(ConfigError) as caught:
        folder.load('[project]\nname = "shop"\n')
    assert (str(caught.value), caught.value.next_step) == (
        "the variable LOCKGATE_WIDTH is now called LOCKGATE_JOBS",
        "set LOCKGATE_JOBS instead",
    )


@pytest.mark.parametrize("text", ["", "\n[images.shop]\n"])
def test_a_project_needs_a_name(folder: Folder, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        folder.load(text)
    assert caught.value.problems == ("project: missing, and there is no default",)


SET = """
[project]
name = "shop"
[images.shop]
[perf.load]
script = "x.js"
service = { image = "shop", port = 1 }
[publish]
"""


@pytest.mark.parametrize(
    ("key", "text", "path", "value"),
    [
        ("images.shop.args.X", "1", "images.shop.args.X", "1"),
        ("perf.load.thresholds.p95_ms", "200", "perf.load.thresholds.p95_ms", 200.0),
        ("perf.load.service.port", "8080", "perf.load.service.port", 8080),
        ("perf.load.service.deadline", "90", "perf.load.service.deadline", 90.0),
        ("perf.load.timeout", "2m", "perf.load.timeout", 120.0),
        ("engine.cpus", "1.5", "engine.cpus", 1.5),
        ("engine.memory", "1GiB", "engine.memory", 1 << 30),
        ("engine", "embedded", "engine.kind", "embedded"),
        ("jobs", "3", "jobs", 3),
        ("keep_going", "false", "keep_going", False),
        ("publish.tags", '["a", "b"]', "publish.tags", ["a", "b"]),
        ('images.shop.labels."com.example.team"', "7", "images.shop.labels.com.example.team", "7"),
    ],
)
def test_a_flag_becomes_what_its_key_wants(folder: Folder, key: str, text: str, path: str, value: object) -> None:
    folder.write("lockgate.toml", SET)
    loaded = load(folder.path, environ=folder.environ, overrides={key: text})
    assert (loaded.values[path], type(loaded.values[path])) == (value, type(value))
    assert loaded.provenance[path].layer is Layer.FLAG


@pytest.mark.parametrize(
    ("key", "text", "says"),
    [
        ("perf.load.thresholds.p95_ms", "fast", "perf.load.thresholds.p95_ms: expected a number, not a string (set by the command line)"),
        ("jobs.x", "1", "jobs: expected a whole number, not a table"),
        ("publish.tags", "a", "publish.tags: expected an array, not a string (set by the command line)"),
        ("publish.tags", "[a", "publish.tags: expected an array, not a string (set by the command line)"),
        ('images."shop', "1", 'images."\\"shop": expected a table, not a string (set by the command line)'),
    ],
)
def test_a_flag_that_does_not_fit_is_named(folder: Folder, key: str, text: str, says: str) -> None:
    folder.write("lockgate.toml", SET)
    with pytest.raises(ConfigError) as caught:
        load(folder.path, environ=folder.environ, overrides={key: text})
    assert says in caught.value.problems

"""Bad input: one line a wrong key, and never a value that could be a secret."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.config.conftest import Folder

Refused = Callable[[str], tuple[str, ...]]


def test_a_mistyped_section_is_suggested(refused: Refused) -> None:
    assert refused("[pref.x]\nscript = 'a.js'\n") == ("pref: unknown key; did you mean perf?",)


def test_a_mistyped_key_is_suggested(refused: Refused) -> None:
    assert refused("[images.shop]\ntargt = 'x'\n") == ("images.shop.targt: unknown key; did you mean target?",)


def test_a_strange_section_lists_the_known_ones(refused: Refused) -> None:
    (line,) = refused("[zzz]\n")
    assert line.startswith("zzz: unknown key; keys here: build, engine, images,")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("[environments.staging]\ncluster = 'x'", "environments"),
        ("[notify]\n", "notify"),
        ("[helm]\n", "helm"),
        ("[images.shop]\nsbom = true", "images.shop.sbom"),
        ("[images.a]\n[tests.unit]\nimage = 'a'\ncommand = ['x']\nshards = 2", "tests.unit.shards"),
        ("[perf.a]\nscript = 'x'\nservice = { image = 'a', port = 1 }\nbaseline = 'stored'", "perf.a.baseline"),
        ("[publish]\nsign = true", "publish.sign"),
    ],
)
def test_a_key_of_a_later_version_is_refused_by_name(refused: Refused, text: str, path: str) -> None:
    assert refused(text) == (f"{path}: not supported by this version",)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("jobs = 'x'", "jobs: expected a whole number, not a string"),
        ("jobs = 0", "jobs: expected 1 or more"),
        ("width = 4", "width: renamed: write jobs instead"),
        ("keep_going = 1", "keep_going: expected true or false, not a whole number"),
        ("engine = 'docker'", "engine.kind: expected auto, dagger or embedded"),
        (
            "[tests.a]\nimage = 3\ncommand = ['x']",
            "tests.a.image: expected an image of this project: a name, or { name, target }",
        ),
        ("images = 3", "images: expected a table, not a whole number"),
        ("[images]\nshop = 'x'", "images.shop: expected a table, not a string"),
        ("[images.Shop]", "images.Shop: a name has lower-case letters and digits, separated by single - or _"),
        ("[images.shop]\nretries = '2'", "images.shop.retries: expected a whole number, not a string"),
        ("[images.shop]\nretries = 11", "images.shop.retries: expected 10 or less"),
        ("[images.shop]\nplatforms = ['linux']", "images.shop.platforms[0]: expected os/architecture such as linux/amd64"),
        ("[images.shop]\nplatforms = 'linux/amd64'", "images.shop.platforms: expected an array, not a string"),
        ("[images.shop]\nargs = { A = 1 }", "images.shop.args.A: expected a string, not a whole number"),
        (
            "[images.shop]\nargs = { 1A = 'x' }",
            "images.shop.args.1A: not the name of a variable: expected letters, digits and _, and not a digit first",
        ),
        ("[images.shop]\ncontext = ''", "images.shop.context: must not be empty"),
        ("[scan]\nfail_on = 'hgh'", "scan.fail_on: expected unknown, low, medium, high or critical"),
        ("[scan]\nmax_age_days = 0", "scan.max_age_days: expected 1 or more"),
        ("[publish]\nwhen = 'sometimes'", "publish.when: expected ci, always or never"),
        ("[publish]\ntags = ['{versoin}']", "publish.tags[0]: placeholders are {version}, {revision}, {short}, {branch}"),
        ("[publish]\ntags = []", "publish.tags: needs at least one tag here, or one in moving"),
        ("[publish]\ntags = ['a']\nmoving = ['a']", "publish.moving: a cannot be a tag that never moves and also one that may move"),
    ],
)
def test_a_wrong_value(refused: Refused, text: str, line: str) -> None:
    assert refused(text) == (line,)


def test_an_image_and_the_files_of_a_project_are_not_scanned_under_one_name(refused: Refused) -> None:
    (line,) = refused("[images.sources]\n[scan]\n")
    assert line.startswith("images.sources: the scan of this image and the scan of the project's files would both be called scan.sources;")


def test_a_waiver_must_be_whole(refused: Refused) -> None:
    assert refused("[[scan.waivers]]\nid = 'CVE-1'\nexpires = 'soon'\n") == (
        "scan.waivers[0].owner: missing, and there is no default",
        "scan.waivers[0].reason: missing, and there is no default",
        "scan.waivers[0].expires: expected a date such as 2027-01-31",
    )


def test_one_rule_is_waived_once(refused: Refused) -> None:
    waiver = "[[scan.waivers]]\nid = 'CVE-1'\nowner = 'a'\nreason = 'b'\nexpires = 2027-01-31\n"
    assert refused(waiver * 2) == ("scan.waivers: CVE-1 is waived 2 times; keep one",)


def test_a_test_runs_in_an_image_of_the_project(refused: Refused) -> None:
    lines = refused("[images.shop]\n[tests.unit]\nimage = 'shpo'\ncommand = ['x']\n")
    assert lines == ("tests.unit.image: there is no [images.shpo]; did you mean shop?",)


def test_a_service_that_is_nearly_an_image_is_a_mistake(refused: Refused) -> None:
    lines = refused("[images.shop]\n[perf.a]\nscript = 'x'\nservice = { image = 'shopp', port = 1 }\n")
    assert lines == ("perf.a.service.image: there is no [images.shopp]; did you mean shop?",)


def test_a_foreign_service_has_no_stages(refused: Refused) -> None:
    lines = refused("[images.shop]\n[perf.a]\nscript = 'x'\nservice = { image = 'redis:7', port = 1, target = 'x' }\n")
    assert lines == ("perf.a.service.target: redis:7 is not an image of this project, so it has no stages",)


def test_error_rate_is_a_share(refused: Refused) -> None:
    text = "[perf.a]\nscript = 'x'\nservice = { image = 'redis:7', port = 1 }\nthresholds = { error_rate = 1.5, p95_ms = nan }\n"
    assert refused(text) == (
        "perf.a.thresholds.p95_ms: expected a finite number",
        "perf.a.thresholds.error_rate: expected 1 or less",
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("url = 'a'\nauth = 'hunter2secret'", "registry.auth: expected the place of the secret, not the secret itself"),
        ("url = 'a'\nauth = 'vault://hunter2secret'", "registry.auth: vault:// is not supported by this version"),
        ("url = 'a'\nauth = 'env://hunter2 secret'", "registry.auth: env:// must be followed by the name of an environment variable"),
        ("url = 'a'\nauth = 'cmd://'", "registry.auth: nothing follows cmd://"),
        ("url = 'me:hunter2secret@registry'", "registry.url: credentials do not belong here"),
        ("url = 'https://me:hunter2secret@registry'", "registry.url: write host[:port]/path without a scheme"),
        ("url = 'registry/Team'", "registry.url: expected host[:port]/path, the path in lower case"),
    ],
)
def test_what_may_be_a_secret_is_not_repeated(refused: Refused, text: str, message: str) -> None:
    (line,) = refused(f"[registry]\n{text}\n")
    assert line.startswith(message)
    assert "hunter2" not in line


def test_all_problems_are_told_at_once(refused: Refused) -> None:
    assert len(refused("jobs = 0\nkeep_going = 1\n[images.shop]\nx = 1\ny = 2\n[zzz]\n")) == 5


@pytest.mark.parametrize("section", ["images", "perf", "tests"])
def test_names_that_variables_and_parameters_cannot_tell_apart(refused: Callable[[str], tuple[str, ...]], section: str) -> None:
    keys = {
        "images": "",
        "tests": 'image = "shop"\ncommand = ["true"]\n',
        "perf": 'script = "x.js"\nservice = { image = "shop", port = 1 }\n',
    }[section]
    text = f"[images.shop]\n[{section}.web-api]\n{keys}[{section}.web]\n{keys}[{section}.web_api]\n{keys}"
    (line,) = refused(text)
    assert line.startswith(f"{section}.web_api: differs from {section}.web-api only in - and _")


def test_an_image_called_as_the_scan_of_the_sources(refused: Callable[[str], tuple[str, ...]]) -> None:
    text = "[images.sources]\n[scan]\n"
    (line,) = refused(text)
    assert line.startswith("images.sources: the scan of this image and the scan of the project's files would both be called scan.sources")


def test_an_image_may_be_called_so_where_the_sources_are_not_scanned(folder: Folder) -> None:
    text = "[project]\nname = 'x'\n[images.sources]\n[scan]\nsources = false\n"
    assert folder.load(text).project.name == "x"

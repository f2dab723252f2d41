from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from ci.machine import skopeo
from ci.machine.errors import SetupError

if TYPE_CHECKING:
    from tests.unit.ci.conftest import FakeRunner

DIGEST = f"sha256:{'0' * 64}"


def test_a_tag_becomes_the_digest_of_what_it_names(runner: FakeRunner) -> None:
    runner.answers["skopeo inspect"] = '{"schemaVersion": 2}'
    expected = hashlib.sha256(b'{"schemaVersion": 2}').hexdigest()
    assert skopeo.resolve(runner, "ghcr.io/aquasecurity/trivy-db:2") == f"ghcr.io/aquasecurity/trivy-db@sha256:{expected}"
    assert skopeo.resolve(runner, "localhost:5000/db:2") == f"localhost:5000/db@sha256:{expected}"


def test_a_digest_stays(runner: FakeRunner) -> None:
    assert skopeo.resolve(runner, f"docker.io/grafana/k6@{DIGEST}") == f"docker.io/grafana/k6@{DIGEST}"


def test_no_answer_is_none(runner: FakeRunner) -> None:
    runner.answers["skopeo inspect"] = SetupError("skopeo did not answer within 20 s")
    assert skopeo.resolve(runner, "docker.io/grafana/k6:1") is None


def test_only_loopback_is_spoken_to_without_tls(runner: FakeRunner) -> None:
    skopeo.resolve(runner, "localhost:5000/x:1")
    skopeo.resolve(runner, "localhost.example.com/x:1")
    assert ["--tls-verify=false" in call for call in runner.calls] == [True, False]

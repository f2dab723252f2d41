"""An example for every key, in the JSON schema (editors show them) and on the page docs/configuration.md. Together they are a configuration
that loads: the page shows each table as it stands here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.config import tables

if TYPE_CHECKING:
    from collections.abc import Mapping

_LIMITS: Mapping[str, object] = {"timeout": "10m", "retries": 2}
_SERVICE: Mapping[str, object] = {
    "image": "shop",
    "target": "runtime",
    "port": 8000,
    "command": ["python", "-m", "shop"],
    "env": {"SHOP_LOG": "debug"},
    "health": "/healthz",
    "deadline": "60s",
}

EXAMPLES: Mapping[type[tables.Table], Mapping[str, object]] = {
    tables.Document: {"jobs": 4, "keep_going": True},
    tables.ProjectTable: {"name": "shop"},
    tables.EngineTable: {
        "kind": "auto",
        "insecure": "api",
        "memory": "4GiB",
        "cpus": 2,
        "processes": 4096,
        "start_timeout": "2m",
    },
    tables.RegistryTable: {"url": "registry.example.com/team", "username": "robot", "auth": "env://REGISTRY_TOKEN"},
    tables.BuildTable: {"secrets": {"pip": "file://~/.config/pip/pip.conf"}},
    tables.ImageTable: {
        "context": ".",
        "dockerfile": "Dockerfile",
        "target": "runtime",
        "base": "python",
        "args": {"REVISION": "{revision}"},
        "platforms": ["linux/amd64"],
        "secrets": {"npm": "env://NPM_TOKEN"},
        "labels": {"com.example.team": "shop"},
        **_LIMITS,
    },
    tables.TargetTable: {"name": "shop", "target": "test"},
    tables.TestTable: {
        "image": {"name": "shop", "target": "test"},
        "command": ["pytest", "-q", "--junitxml=/tmp/junit.xml"],
        "junit": "/tmp/junit.xml",  # noqa: S108 - in a container
        "env": {"SHOP_URL": "http://shop:8000"},
        "secrets": {"API_KEY": "env://API_KEY"},
        "services": {"shop": dict(_SERVICE)},
        **_LIMITS,
    },
    tables.ServiceTable: _SERVICE,
    tables.ScanTable: {
        "fail_on": "high",
        "sources": True,
        "waivers": [
            {"id": "CVE-2026-0001", "owner": "team-shop", "reason": "the code is not reachable", "expires": "2030-01-31"},
        ],
        "image": "trivy",
        "database": "trivy-db",
        "max_age_days": 7,
        "end_of_support": "warn",
        "allow_fixture_database": False,
        "allow_unknown_age": False,
        "on_inconclusive": "fail",
        **_LIMITS,
    },
    tables.WaiverTable: {"id": "CVE-2026-0001", "owner": "team-shop", "reason": "the code is not reachable", "expires": "2030-01-31"},
    tables.PerfTable: {
        "script": "perf/checkout.js",
        "service": {"image": "shop", "port": 8000, "health": "/healthz"},
        "alias": "service",
        "image": "k6",
        "thresholds": {"p95_ms": 200, "error_rate": 0.01, "min_rps": 50},
        "env": {"SHOP_URL": "http://service:8000"},
        "on_inconclusive": "fail",
        **_LIMITS,
    },
    tables.ThresholdTable: {"p95_ms": 200, "error_rate": 0.01, "min_rps": 50},
    tables.PublishTable: {
        "when": "ci",
        "tags": ["{version}"],
        "moving": ["latest"],
        "after": ["tests", "scan"],
        **_LIMITS,
    },
}
"""By table; the keys of a table that are tables themselves have their examples there."""

"""From validated values to the frozen project the other rooms know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.config.section import ONLY, secret_refs
from pipelines.model import EngineKind, EngineSpec, Insecure, Project, Registry, SecretRef

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pipelines.config.section import Section
    from pipelines.model import LockedImage


def to_project(values: Mapping[str, Any], sections: Sequence[Section], config_file: Path, locked: Mapping[str, LockedImage]) -> Project:
    """The project a configuration file describes; its root is the file's folder. `values` are those of the validated document."""
    return Project(
        name=values["project"]["name"],
        root=config_file.parent,
        config_file=config_file,
        engine=_engine(values["engine"]),
        jobs=values.get("jobs"),
        keep_going=values["keep_going"],
        timeout_s=values["timeout"],
        registry=_registry(values.get("registry")),
        build_secrets=secret_refs(values["build"]["secrets"]),
        steps={section.kind: _steps(section, values, values["timeout"]) for section in sections},
        locked=locked,
    )


def _steps(section: Section, values: Mapping[str, Any], default_s: float) -> dict[str, object]:
    content = values.get(section.key)
    if content is None:
        return {}
    tables = content if section.named else {ONLY: content}
    return {name: section.convert(name, table, default_s) for name, table in tables.items()}


def _engine(values: Mapping[str, Any]) -> EngineSpec:
    return EngineSpec(
        kind=EngineKind(values["kind"]),
        insecure=Insecure(values["insecure"]),
        memory=values.get("memory"),
        cpus=values.get("cpus"),
        processes=values["processes"],
        start_s=values.get("start_timeout"),
    )


def _registry(values: Mapping[str, Any] | None) -> Registry | None:
    if values is None:
        return None
    auth = values.get("auth")
    return Registry(url=values["url"], username=values.get("username"), auth=SecretRef(auth) if auth is not None else None)

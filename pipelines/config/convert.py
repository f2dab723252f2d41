"""From validated tables to the frozen values the other rooms know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.model import (
    EngineSpec,
    ImageSpec,
    ImageTarget,
    PerfSpec,
    Project,
    PublishSpec,
    Registry,
    ScanSpec,
    SecretRef,
    ServiceSpec,
    StepLimits,
    TestSpec,
    Thresholds,
    Waiver,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pipelines.config import tables
    from pipelines.model import LockedImage


def to_project(document: tables.Document, config_file: Path, locked: Mapping[str, LockedImage]) -> Project:
    """The project a configuration file describes; its root is the file's folder."""
    return Project(
        name=document.project.name,
        root=config_file.parent,
        config_file=config_file,
        engine=_engine(document.engine),
        jobs=document.jobs,
        keep_going=document.keep_going,
        timeout_s=document.timeout,
        registry=_registry(document.registry),
        images={name: _image(name, table, document.timeout) for name, table in document.images.items()},
        tests={name: _test(name, table, document.timeout) for name, table in document.tests.items()},
        scan=_scan(document.scan, document.timeout),
        perf={name: _perf(name, table, document.timeout) for name, table in document.perf.items()},
        publish=_publish(document.publish, document.timeout),
        build_secrets=_secrets(document.build.secrets),
        locked=locked,
    )


def _engine(table: tables.EngineTable) -> EngineSpec:
    return EngineSpec(
        kind=table.kind,
        insecure=table.insecure,
        memory=table.memory,
        cpus=table.cpus,
        processes=table.processes,
        start_s=table.start_timeout,
    )


def _limits(table: tables.Limited, default_s: float) -> StepLimits:
    return StepLimits(timeout_s=default_s if table.timeout is None else table.timeout, retries=table.retries)


def _registry(table: tables.RegistryTable | None) -> Registry | None:
    if table is None:
        return None
    return Registry(url=table.url, username=table.username, auth=SecretRef(table.auth) if table.auth is not None else None)


def _secrets(uris: Mapping[str, str]) -> dict[str, SecretRef]:
    return {name: SecretRef(uri) for name, uri in uris.items()}


def _image(name: str, table: tables.ImageTable, default_s: float) -> ImageSpec:
    return ImageSpec(
        name=name,
        context=table.context,
        dockerfile=table.dockerfile,
        target=table.target,
        base=table.base,
        args=table.args,
        platforms=tuple(table.platforms),
        secrets=_secrets(table.secrets),
        labels=table.labels,
        limits=_limits(table, default_s),
    )


def _service(table: tables.ServiceTable) -> ServiceSpec:
    return ServiceSpec(
        image=table.image,
        port=table.port,
        target=table.target,
        command=tuple(table.command),
        env=table.env,
        health=table.health,
        deadline_s=table.deadline,
    )


def _test(name: str, table: tables.TestTable, default_s: float) -> TestSpec:
    return TestSpec(
        name=name,
        image=ImageTarget(name=table.image.name, target=table.image.target),
        command=tuple(table.command),
        junit=table.junit,
        env=table.env,
        secrets=_secrets(table.secrets),
        services={alias: _service(service) for alias, service in table.services.items()},
        limits=_limits(table, default_s),
    )


def _scan(table: tables.ScanTable | None, default_s: float) -> ScanSpec | None:
    if table is None:
        return None
    return ScanSpec(
        fail_on=table.fail_on,
        sources=table.sources,
        waivers=tuple(Waiver(id=w.id, owner=w.owner, reason=w.reason, expires=w.expires) for w in table.waivers),
        image=table.image,
        database=table.database,
        max_age_days=table.max_age_days,
        allow_fixture_database=table.allow_fixture_database,
        allow_unknown_age=table.allow_unknown_age,
        end_of_support=table.end_of_support,
        on_inconclusive=table.on_inconclusive,
        limits=_limits(table, default_s),
    )


def _perf(name: str, table: tables.PerfTable, default_s: float) -> PerfSpec:
    limits = table.thresholds
    return PerfSpec(
        name=name,
        script=table.script,
        service=_service(table.service),
        alias=table.alias,
        image=table.image,
        thresholds=Thresholds(p95_ms=limits.p95_ms, error_rate=limits.error_rate, min_rps=limits.min_rps),
        env=table.env,
        on_inconclusive=table.on_inconclusive,
        limits=_limits(table, default_s),
    )


def _publish(table: tables.PublishTable | None, default_s: float) -> PublishSpec | None:
    if table is None:
        return None
    after = None if table.after is None else tuple(table.after)
    return PublishSpec(when=table.when, tags=tuple(table.tags), moving=tuple(table.moving), after=after, limits=_limits(table, default_s))

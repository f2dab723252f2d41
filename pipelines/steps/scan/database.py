"""Trivy's vulnerability database: which one it is, how old, and whether it may be believed.

It is an image with `trivy.db` and `metadata.json`, or the artifact that Trivy's makers publish, which is not an image: of that the registry
is asked for the digest first, then Trivy downloads it by digest, so that what was used is known and found again.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pipelines.engine.codes import Code
from pipelines.errors import Unavailable
from pipelines.steps.common.error_messages import code_of
from pipelines.steps.common.references import digest_of, resolve
from pipelines.steps.common.tool import ROOT_USER

if TYPE_CHECKING:
    from collections.abc import Mapping

    import dagger

    from pipelines.model import LockedImage
    from pipelines.steps.common.step_inputs import StepInputs
    from pipelines.steps.scan.spec import ScanSpec

METADATA = "metadata.json"
_BEGINNING = 1970
_DOWNLOADS = "/lockgate/downloads"


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A database. `folder` holds `trivy.db` and `metadata.json`; `updated` is None when its age is unknown."""

    name: str
    reference: str
    origin: str
    fixture: bool
    updated: dt.datetime | None
    folder: dagger.Directory | None = field(default=None, repr=False, compare=False)

    def age_days(self, now: dt.datetime) -> int | None:
        """Whole days since it was made; None when unknown. Never negative: clocks differ."""
        return None if self.updated is None else max(0, (now - self.updated).days)

    def facts(self, now: dt.datetime) -> dict[str, str | int | float | bool]:
        """What reports say about it."""
        age = self.age_days(now)
        known: dict[str, str | int | float | bool | None] = {
            "database": self.name,
            "database_digest": digest_of(self.reference) or "unknown",
            "database_origin": self.origin,
            "database_fixture": self.fixture,
            "database_age_days": "unknown" if age is None else age,
            "database_updated": self.updated.isoformat() if self.updated else None,
        }
        return {name: value for name, value in known.items() if value is not None}


def objection(database: Database, spec: ScanSpec, now: dt.datetime) -> str | None:
    """Why a scan with this database is not evidence; None when it is."""
    if database.fixture:
        return (
            None
            if spec.allow_fixture_database
            else f"the vulnerability database {database.name} of this machine is made up and finds no real vulnerabilities; "
            f"`lockgate images use {database.name} REFERENCE` chooses another"
        )
    age = database.age_days(now)
    if age is None:
        return None if spec.allow_unknown_age else f"the age of the database {database.name} is unknown (scan.allow_unknown_age)"
    if age > spec.max_age_days:
        return f"the database {database.name} is {age} days old, more than {spec.max_age_days} (scan.max_age_days)"
    return None


async def load(step_inputs: StepInputs, spec: ScanSpec) -> Database | None:
    """The database the configuration names; None when it names none.

    Raises:
        Unavailable: the name is unknown on this machine, or its image does not hold a database.
        dagger.QueryError: its image cannot be pulled.
    """
    if spec.database is None:
        return None
    locked = resolve(step_inputs.project, spec.database, wanted_by="scan")
    if locked.artifact:
        locked = await newest(locked, os.environ)
        step_inputs.context.log(f"vulnerability database {locked.reference}\n")
        folder = downloaded(
            step_inputs.client.container().from_(resolve(step_inputs.project, spec.image, wanted_by="scan").reference), locked.reference
        )
    else:
        folder = step_inputs.client.container().from_(locked.reference).rootfs()
    document = read_metadata(await _metadata(folder, locked))
    return Database(
        name=locked.name,
        reference=locked.reference,
        origin=locked.origin,
        fixture=locked.fixture or document.fixture,
        updated=document.updated,
        folder=folder,
    )


async def newest(locked: LockedImage, environ: Mapping[str, str]) -> LockedImage:
    """The artifact by the digest that its tag names now.

    Raises:
        LockgateError: the registry does not say.
    """
    import functools

    import anyio

    from pipelines.registry import find_manifest, read_reference

    reference = read_reference(locked.reference)
    found = await anyio.to_thread.run_sync(functools.partial(find_manifest, reference, environ), abandon_on_cancel=True)
    return replace(locked, reference=reference.at(found.digest).pinned())


def downloaded(trivy: dagger.Container, reference: str) -> dagger.Directory:
    """The database as Trivy in this container downloads it, by its reference with digest, which makes it cacheable."""
    words = ["trivy", "image", "--download-db-only", "--no-progress", "--cache-dir", _DOWNLOADS, "--db-repository", reference]
    return trivy.with_user(ROOT_USER).with_exec(words).directory(f"{_DOWNLOADS}/db")


async def _metadata(folder: dagger.Directory, locked: LockedImage) -> str:
    import dagger

    try:
        return await folder.file(METADATA).contents()
    except dagger.QueryError as error:
        if code_of(error) is not Code.NOT_FOUND:
            raise
        raise Unavailable(
            f"the image {locked.name} does not contain a vulnerability database",
            cause=f"{locked.reference} has no /{METADATA}",
            next_step=f"name an image with trivy.db and metadata.json: lockgate images use {locked.name} REFERENCE",
        ) from error


@dataclass(frozen=True, slots=True)
class Metadata:
    """The two facts of metadata.json that matter here; `Fixture` is this project's own addition."""

    updated: dt.datetime | None
    fixture: bool


def read_metadata(text: str) -> Metadata:
    """Read metadata.json; what cannot be read is an unknown age, and so is Go's zero time."""
    try:
        document = json.loads(text)
        updated = dt.datetime.fromisoformat(document["UpdatedAt"])
    except (ValueError, TypeError, LookupError):
        return Metadata(None, '"Fixture": true' in text)
    aware = updated if updated.tzinfo else updated.replace(tzinfo=dt.UTC)
    return Metadata(aware if aware.year > _BEGINNING else None, document.get("Fixture") is True)

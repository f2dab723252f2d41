"""What a scanner reported, in a later run where nothing changed: judged again, with the waivers, the limits and the day of now."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import anyio.to_thread

from pipelines.foundation.regular_files import read_text
from pipelines.model import Check
from pipelines.steps.common.references import digest_of, resolve
from pipelines.steps.common.replay import passed
from pipelines.steps.scan import trivy
from pipelines.steps.scan.database import Database, newest
from pipelines.steps.scan.judge import judge_scan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.model import Project, Source
    from pipelines.steps.definition import RestoreInputs
    from pipelines.steps.scan.spec import ScanSpec


class ScanKeeper:
    """`pipelines.steps.definition.ValueKeeper` for a scan: its measurements are the scanner's reports and the facts of the database."""

    judges_anew = True

    def __init__(self, spec: ScanSpec, image: str | None) -> None:
        self._spec = spec
        self._image = image

    def keep(self, value: object, project: Project, source: Source) -> Mapping[str, Any] | None:  # noqa: ARG002 - for others it counts
        """See `ValueKeeper`."""
        if not isinstance(value, Check) or not passed(value) or not value.artifacts or self._spec.database is None:
            return None
        facts = value.facts
        return {
            "reports": [name.rpartition("/")[2] for name in value.artifacts],
            "digest": facts.get("database_digest"),
            "fixture": facts.get("database_fixture"),
            "updated": facts.get("database_updated"),
        }

    async def restore(self, data: Mapping[str, Any], restore_inputs: RestoreInputs) -> Check | None:
        """See `ValueKeeper`."""
        if self._spec.database is None:
            return None
        locked, updated = resolve(restore_inputs.project, self._spec.database, wanted_by="scan"), data["updated"]
        if locked.artifact:
            locked = await newest(locked, restore_inputs.environ)
        if (digest_of(locked.reference) or "unknown") != data["digest"]:
            return None
        database = Database(
            name=locked.name,
            reference=locked.reference,
            origin=locked.origin,
            fixture=data["fixture"],
            updated=dt.datetime.fromisoformat(updated) if updated is not None else None,
        )
        files = [restore_inputs.context.folder / name for name in data["reports"]]
        texts = [await anyio.to_thread.run_sync(read_text, file) for file in files]
        reports = [trivy.parse(text, image=self._image) for text in texts]
        artifacts = tuple(str(file.resolve()) for file in files)
        check = judge_scan(reports, self._spec, database, restore_inputs.now, image=self._image is not None, artifacts=artifacts)
        return check if passed(check) else None

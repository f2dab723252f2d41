"""GitLab CI: predefined variables (docs.gitlab.com, "Predefined variables") and log sections ("CI/CD job logs")."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.providers.interface import Fold, Provider

if TYPE_CHECKING:
    from collections.abc import Mapping

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.-]")
_ERASE_LINE = "\r\x1b[0K"


@dataclass(frozen=True, slots=True, kw_only=True)
class GitLab(Provider):
    """A GitLab job. It has sections; merge requests read findings from junit.xml, and a summary from the job's artifacts."""

    def fold(self, name: str, title: str, *, started: float, ended: float, collapsed: bool = True) -> Fold:
        """A section; GitLab shows the time between start and end beside its title."""
        section = _NOT_IN_NAMES.sub("_", name)
        option = "[collapsed=true]" if collapsed else ""
        return Fold(
            before=f"\x1b[0Ksection_start:{int(started)}:{section}{option}{_ERASE_LINE}{self.harmless(title)}",
            after=f"\x1b[0Ksection_end:{int(ended)}:{section}{_ERASE_LINE}",
        )


def detect(environ: Mapping[str, str]) -> Provider | None:
    """GitLab's provider, if this is a GitLab job."""
    if not environ.get("GITLAB_CI"):
        return None
    source = environ.get("CI_MERGE_REQUEST_SOURCE_PROJECT_ID")
    return GitLab(
        name="gitlab",
        in_ci=True,
        branch=environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME") or environ.get("CI_COMMIT_BRANCH") or None,
        tag=environ.get("CI_COMMIT_TAG") or None,
        revision=environ.get("CI_COMMIT_SHA") or None,
        run_url=environ.get("CI_JOB_URL") or None,
        actor=environ.get("GITLAB_USER_LOGIN") or None,
        fork=bool(source) and source != environ.get("CI_MERGE_REQUEST_PROJECT_ID"),
    )

"""GitHub Actions: default variables and workflow commands (docs.github.com, "Workflow commands for GitHub Actions")."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.foundation.regular_files import read_text
from pipelines.providers.interface import Annotation, Fold, Provider

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST_SUMMARY = 1024 * 1024
_CUT = "\n\n… the rest is in the reports\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class GitHub(Provider):
    """A GitHub Actions job."""

    def fold(self, name: str, title: str, *, started: float, ended: float, collapsed: bool = True) -> Fold:
        """A group, within the guard."""
        _ = (name, started, ended)
        if not collapsed:
            return Fold(before=self.harmless(title), after="")
        return Fold(before=self.spoken(f"::group::{_data(title)}"), after=self.spoken("::endgroup::"))

    def guard(self) -> Fold:
        """Workflow commands are off between these lines, so that no program's output can give any."""
        return Fold(before=f"::stop-commands::{_token()}", after=f"::{_token()}::")

    def spoken(self, commands: str) -> str:
        """The commands, with the guard switched off before them and on again after them."""
        guard = self.guard()
        return f"{guard.after}\n{commands}\n{guard.before}"

    def annotate(self, annotation: Annotation) -> str:
        """An `::error::`, `::warning::` or `::notice::` command."""
        properties = {
            "file": annotation.path,
            "line": None if annotation.line is None else str(annotation.line),
            "title": annotation.title,
        }
        given = ",".join(f"{key}={_property(value)}" for key, value in properties.items() if value)
        return f"::{annotation.level}{' ' if given else ''}{given}::{_data(annotation.message)}"

    def summarise(self, markdown: str) -> bool:
        """Append to the step summary, which GitHub drops as a whole beyond 1 MiB."""
        if self.summary_file is None:
            return False
        data = markdown.encode()
        if len(data) > _MOST_SUMMARY:
            data = data[: _MOST_SUMMARY - len(_CUT.encode())].decode(errors="ignore").encode() + _CUT.encode()
        with self.summary_file.open("ab") as file:
            file.write(data)
        return True


@functools.cache
def _token() -> str:
    """A random word that no program can guess."""
    import secrets

    return secrets.token_hex(16)


def detect(environ: Mapping[str, str]) -> Provider | None:
    """GitHub's provider, if this is a GitHub Actions job."""
    if not environ.get("GITHUB_ACTIONS"):
        return None
    on_tag = environ.get("GITHUB_REF_TYPE") == "tag"
    name = environ.get("GITHUB_REF_NAME") or None
    summary = environ.get("GITHUB_STEP_SUMMARY")
    return GitHub(
        name="github",
        in_ci=True,
        branch=environ.get("GITHUB_HEAD_REF") or (None if on_tag else name),
        tag=name if on_tag else None,
        revision=environ.get("GITHUB_SHA") or None,
        run_url=_run_url(environ),
        actor=environ.get("GITHUB_ACTOR") or None,
        fork=_is_fork(environ),
        summary_file=Path(summary) if summary else None,
    )


def _run_url(environ: Mapping[str, str]) -> str | None:
    server, repository, run = (environ.get(name) for name in ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID"))
    return f"{server}/{repository}/actions/runs/{run}" if server and repository and run else None


def _is_fork(environ: Mapping[str, str]) -> bool:
    """Whether the pull request comes from another repository: only the event's payload tells."""
    event = environ.get("GITHUB_EVENT_PATH")
    if not event or not environ.get("GITHUB_HEAD_REF"):
        return False
    import json

    try:
        payload = json.loads(read_text(event))
        head, base = (payload["pull_request"][side]["repo"]["full_name"] for side in ("head", "base"))
    except (OSError, ValueError, KeyError, TypeError):
        return True  # a deleted fork has no repository; what cannot be told apart is not trusted
    return bool(head != base)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")

"""What is asked of a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """What the command line asks of a run.

    `selectors` name steps by id or kind (none: all steps). `publish` overrides `[publish] when` (--publish / --no-publish). `jobs` and
    `keep_going` override the project's. With `fresh` every step works: nothing is taken over from past runs, and commands of
    tests, scans and measurements run again. `output` is a file that gets the record of the
    run as well. `environ` is the environment providers, secrets and the engine choice look at.
    """

    selectors: tuple[str, ...] = ()
    publish: bool | None = None
    jobs: int | None = None
    keep_going: bool | None = None
    allow_empty: bool = False
    output: Path | None = None
    fresh: bool = False
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)

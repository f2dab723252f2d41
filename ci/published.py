"""`python -m ci.published PROJECT`: what the last run of a project published, and where its reports are."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def lines(run: dict[str, Any], reports: Path) -> list[str]:
    """One line for each published image, by digest, and one for the reports (`run` is the JSON document of a run)."""
    published = [f"published  {by_digest(image['ref'], image['digest'])}" for image in run["images"] if image.get("published")]
    names = sorted(path.name for path in reports.iterdir() if path.is_file())
    return [*(published or ["published  nothing"]), f"reports    {reports}: {', '.join(names)}"]


def main(project: Path) -> int:
    reports = project / ".lockgate/reports"
    try:
        run = json.loads((reports / "run.json").read_text())
    except (OSError, ValueError) as error:
        print(f"no report of a run in {reports}: {error}", file=sys.stderr)
        return 1
    print("\n".join(lines(run, reports)))
    return 0


def by_digest(reference: str, digest: str) -> str:
    """`host/name@digest`, the one name that never moves."""
    head, slash, last = reference.partition("@")[0].rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}@{digest}"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

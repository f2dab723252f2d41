"""Whether the unit tests take every branch of the pure files: `python -m tests.branches`, a part of `make test`.

The files, their tests and what is left out, each with its reason, are in branches.toml. Only those tests run again, under a tracer.
Random values do not count: a branch they reach today may be missed tomorrow.
"""

from __future__ import annotations

import json
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).parents[1]
CONFIG = Path(__file__).with_name("branches.toml")


@dataclass(frozen=True)
class Exclusion:
    """A line of one file that may be missed.

    Attributes:
        file: below the checkout.
        line: as it stands there, without its indentation.
        reason: why no unit test goes there.
    """

    file: str
    line: str
    reason: str


@dataclass(frozen=True)
class Gate:
    """What is measured.

    Attributes:
        files: patterns below the checkout.
        tests: files or folders whose tests have to take every branch.
        never: regular expressions of lines that are no behaviour, anywhere.
        exclusions: lines that may be missed.
    """

    files: tuple[str, ...]
    tests: tuple[str, ...]
    never: tuple[str, ...]
    exclusions: tuple[Exclusion, ...]


def read(path: Path = CONFIG) -> Gate:
    """The gate as its file says it."""
    table = tomllib.loads(path.read_text())
    groups = table["group"]
    return Gate(
        files=tuple(file for group in groups for file in group["files"]),
        tests=tuple(dict.fromkeys(test for group in groups for test in group["tests"])),
        never=tuple(entry["pattern"] for entry in table["never"]),
        exclusions=tuple(Exclusion(**entry) for entry in table.get("excluded", [])),
    )


def missed(report: dict[str, Any], root: Path, exclusions: Sequence[Exclusion]) -> list[str]:
    """One line for each line or branch no test took, and one for each exclusion that is not needed.

    Args:
        report: what `coverage json` writes.
        root: where its files are.
        exclusions: what may be missed.
    """
    unused = set(exclusions)
    found = []
    for file, measured in sorted(report["files"].items()):
        lines = (root / file).read_text().splitlines()
        for number, what in _gaps(measured):
            text = lines[number - 1].strip()
            excluded = {entry for entry in exclusions if (entry.file, entry.line) == (file, text)}
            unused -= excluded
            if not excluded:
                found.append(f"{file}:{number}: {what}: {text}")
    return found + [f"{entry.file}: this exclusion is not needed any more: {entry.line}" for entry in sorted(unused, key=lambda e: e.file)]


def _gaps(measured: dict[str, Any]) -> Iterator[tuple[int, str]]:
    lines = measured["missing_lines"]
    for number in lines:
        yield number, "never run"
    for start, end in measured["missing_branches"]:
        if start not in lines:
            yield start, "never leaves the function from here" if end < 0 else f"never goes on to line {end}"


def measure(gate: Gate) -> tuple[int, dict[str, Any]]:
    """Run the tests of the gate under the tracer; pytest's exit code, and coverage's report."""
    import coverage
    import pytest

    tracer = coverage.Coverage(branch=True, data_file=None, include=[str(ROOT / file) for file in gate.files], config_file=False)
    for pattern in gate.never:
        tracer.exclude(pattern)
    tracer.start()
    words = ["-qq", "--no-header", "-r", "", "-p", "no:cacheprovider", "-p", "no:randomly", "--hypothesis-profile=written"]
    tests = [str(path) for pattern in gate.tests for path in ROOT.glob(pattern)]
    code = pytest.main([*words, *tests])
    tracer.stop()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "coverage.json"
        tracer.json_report(outfile=str(file))
        report: dict[str, Any] = json.loads(file.read_text())
    return int(code), report


def main() -> int:
    gate = read()
    absent = [pattern for pattern in (*gate.files, *gate.tests) if not list(ROOT.glob(pattern))]
    if absent:
        print(f"{CONFIG.name} names what is not there: {', '.join(absent)}")
        return 1
    code, report = measure(gate)
    found = missed(report, ROOT, gate.exclusions)
    for line in found:
        print(line)
    totals = report["totals"]
    print(
        f"branches: {len(report['files'])} files, {totals['covered_branches']} of {totals['num_branches']} branches, {len(found)} not taken"
    )
    return 1 if code or found else 0


if __name__ == "__main__":
    sys.exit(main())

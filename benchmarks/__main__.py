"""Every number of benchmarks/RESULTS.md, measured here: `make bench`, or `python -m benchmarks [PART…] [--rounds N] [--json | --write]`.

Medians of ten rounds with their 95 % intervals; processor time of the whole tree of processes where the unit says CPU. Exits with 1 when a
bound is broken: when the interval excludes it. A peer (docker, buildah, podman; a Dagger engine for `engine`) has a column where it is
installed and answers.
"""

from __future__ import annotations

import argparse
import importlib
import sys

from benchmarks.figures import ROUNDS, Row, report, table
from benchmarks.results import machine, now, write

PARTS = {
    "startup": "what a command costs before it does anything",
    "unchanged": "an unchanged run of examples/shop",
    "builds": "an image, whole process, beside its peers",
    "output": "much output",
    "flow": "steps that do nothing, sleep, or are only planned",
    "engine": "the engine beside bare runc",
}


def measure(name: str, rounds: int) -> list[Row]:
    """The rows of one part."""
    module = importlib.import_module(f"benchmarks.{'engine.rows' if name == 'engine' else name}")
    found: list[Row] = module.rows(rounds)
    return found


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"one of {', '.join(PARTS)}; all when none is named")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--json", action="store_true", help="every value, one document for each part")
    parser.add_argument("--write", action="store_true", help="put the tables into benchmarks/RESULTS.md; for all parts, on a quiet machine")
    options = parser.parse_args(argv)
    unknown = sorted(set(options.parts) - set(PARTS))
    if unknown or (options.write and options.parts):
        parser.error(f"there is no part {', '.join(unknown)}; there are {', '.join(PARTS)}" if unknown else "--write goes with no PART")
    codes, sections = [], [machine(options.rounds)]
    for name in options.parts or PARTS:
        title = f"## {name}: {PARTS[name]}\n\n{now()}\n"
        if not options.json:
            print(f"\n{title}", flush=True)
        rows = measure(name, options.rounds)
        codes.append(report(rows, as_document=options.json))
        sections.append(f"{title}\n{table(rows)}\n")
    if options.write:
        write("\n".join(sections))
    return 1 if any(codes) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`python -m benchmarks.engine [ROUNDS]`: the engine's table alone; exits with 1 when a bound is broken."""

from __future__ import annotations

import sys

from benchmarks.engine.rows import rows
from benchmarks.figures import ROUNDS, report

if __name__ == "__main__":
    sys.exit(report(rows(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)))

"""All numbers in one go: start-up, the flow's own cost, an unchanged run, the engine beside bare runc. `make bench`.

Exits with 1 when one of the parts says that a limit is broken.
"""

from __future__ import annotations

import subprocess
import sys

PARTS = {
    "start-up": ["benchmarks/startup.py"],
    "flow": ["benchmarks/flow.py"],
    "an unchanged run of examples/shop": ["-m", "benchmarks.unchanged"],
    "engine": ["-m", "benchmarks.engine"],
}


def main() -> int:
    codes = []
    for title, arguments in PARTS.items():
        print(f"\n## {title}\n", flush=True)
        codes.append(subprocess.run([sys.executable, *arguments], check=False).returncode)
    return 1 if any(codes) else 0


if __name__ == "__main__":
    sys.exit(main())

"""Start-up, over bare Python in the same run: `--help` <= 0.15 s and `plan` on a project <= 0.35 s, neither importing dagger.

    python benchmarks/startup.py [PROJECT] [--json]

Exits with 1 when a limit is broken. Times are the best of several runs: what the machine can do, not what else it did meanwhile.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

ROUNDS = 9
SHOP = Path(__file__).resolve().parents[1] / "examples" / "shop"
COUNT_MODULES = "import sys; from pipelines.__main__ import main; main(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"


@dataclass(frozen=True)
class Row:
    """One command: seconds it took over bare Python, the limit, and modules it should not have imported."""

    command: str
    seconds: float
    limit: float
    heavy: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return self.seconds <= self.limit and not self.heavy


def best(command: list[str]) -> float:
    """The shortest wall time of several runs, in seconds."""
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        times.append(time.perf_counter() - began)
    return min(times)


def heavy(words: list[str], banned: tuple[str, ...]) -> tuple[str, ...]:
    """Which of the banned modules a command imports."""
    done = subprocess.run([sys.executable, "-c", COUNT_MODULES, *words], check=True, capture_output=True, text=True)
    return tuple(sorted(set(done.stderr.split()) & set(banned)))


def measure(project: Path) -> list[Row]:
    bare = best([sys.executable, "-c", "pass"])
    cases = (
        (["--help"], 0.15, ("dagger", "rich", "pydantic", "anyio", "graphql", "httpx")),
        (["plan", "-C", str(project)], 0.35, ("dagger", "rich", "anyio", "graphql", "httpx")),
    )
    return [
        Row(" ".join(words[:1]), round(best([sys.executable, "-m", "pipelines", *words]) - bare, 3), limit, heavy(words, banned))
        for words, limit, banned in cases
    ]


def main(argv: list[str]) -> int:
    words = [word for word in argv if word != "--json"]
    rows = measure(Path(words[0]) if words else SHOP)
    if "--json" in argv:
        print(json.dumps([{**asdict(row), "ok": row.ok} for row in rows], indent=2))
    else:
        for row in rows:
            imports = f", imports {', '.join(row.heavy)}" if row.heavy else ""
            print(f"{row.command:<8} {row.seconds:.3f} s over bare Python (limit {row.limit} s): {'ok' if row.ok else 'BROKEN'}{imports}")
    return 0 if all(row.ok for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

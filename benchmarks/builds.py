"""Building an image, whole process, beside the peers that are installed: the same folder, the same change, in turns.

Four cases: nothing changed; one source file changed; forty small steps, all new; one file of 30,000 changed.
"""

from __future__ import annotations

import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.figures import ROUNDS, Row, sample
from benchmarks.peers import installed
from benchmarks.processes import LOCKGATE, embedded, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.peers import Peer

CHECKOUT = Path(__file__).resolve().parents[1]
FILES, FILES_A_FOLDER, STEPS = 30_000, 300, 40


@dataclass(frozen=True)
class Case:
    """A build.

    Attributes:
        name: of the row.
        make: writes the context into a folder; `base` is the image underneath.
        change: what happens before each build; the word is new each time.
        bound: seconds of processor time, whole process.
    """

    name: str
    make: Callable[[Path, str], None]
    change: Callable[[Path, str], None]
    bound: float | None = None


def small(folder: Path, base: str) -> None:
    """Dependencies first, then the source: what most projects do."""
    (folder / "src").mkdir()
    for number in range(50):
        (folder / f"src/part{number}.py").write_text(f"NUMBER = {number}\n")
    (folder / "requirements.txt").write_text("nothing==1\n")
    lines = [f"FROM {base}", "COPY requirements.txt /", "RUN cat /requirements.txt > /installed", "COPY src /src", "RUN ls /src > /listed"]
    (folder / "Dockerfile").write_text("\n".join(lines) + "\n")


def forty(folder: Path, base: str) -> None:
    """Commands that do next to nothing, each on top of the one before."""
    lines = [f"FROM {base}", "COPY word /word", *(f"RUN echo {number} > /{number}" for number in range(STEPS))]
    (folder / "Dockerfile").write_text("\n".join(lines) + "\n")


def large(folder: Path, base: str) -> None:
    """A context of 30,000 files of one kilobyte."""
    for number in range(FILES):
        place = folder / f"tree/{number // FILES_A_FOLDER}"
        if number % FILES_A_FOLDER == 0:
            place.mkdir(parents=True)
        (place / f"{number}.txt").write_text(f"{number}\n" * (1000 // (len(str(number)) + 1)))
    (folder / "Dockerfile").write_text(f"FROM {base}\nCOPY tree /tree\n")


def nothing(_: Path, word: str) -> None:
    """What an unchanged build finds."""


CASES = (
    Case("build, nothing changed", small, nothing, 0.6),
    Case("build, one source file changed", small, lambda folder, word: _write(folder / "src/part7.py", word)),
    Case("build, forty small steps", forty, lambda folder, word: _write(folder / "word", word)),
    Case("build, one file of 30,000 changed", large, lambda folder, word: _write(folder / "tree/7/2107.txt", word)),
)


def _write(path: Path, word: str) -> None:
    path.write_text(f"WORD = {word!r}\n")


def measure(case: Case, base: str, rounds: int, peers: list[Peer], folder: Path) -> Row:
    """Processor time of every program, in turns; a first build of each, with its image pulled, does not count."""
    project = folder / "project"
    project.mkdir()
    case.make(project, base)
    (project / "lockgate.toml").write_text('[project]\nname = "bench"\n\n[images.bench]\ncontext = "."\n')
    (project / ".dockerignore").write_text(".lockgate\nlockgate.toml\n")
    environ = embedded(folder / "store")
    found: dict[str, list[float]] = {"ours": [], **{peer.name: [] for peer in peers}}
    for number in range(rounds + 1):
        case.change(project, f"{number} {time.time_ns()}")
        costs = {"ours": run([*LOCKGATE, "run", "image.bench", "--json"], project, environ).cpu_s}
        costs |= {peer.name: peer.build(project, "lockgate-bench") for peer in peers}
        if number:
            for name, cost in costs.items():
                found[name].append(cost)
    others = {peer.name: sample(found[peer.name]) for peer in peers}
    return Row(case.name, "s CPU", sample(found["ours"]), case.bound, others)


def base_image() -> str:
    """The small base image of this checkout's lock.

    Raises:
        SystemExit: set-up has not been here.
    """
    lock = CHECKOUT / ".lockgate/images.lock"
    if not lock.exists():
        raise SystemExit("benchmarks: no .lockgate/images.lock: run `make setup`, then `make bench`")
    reference: str = json.loads(lock.read_text())["images"]["python"]["reference"]
    return reference


def rows(rounds: int = ROUNDS) -> list[Row]:
    """Every case."""
    peers, found = installed(), []
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder:
            found.append(measure(case, base_image(), rounds, peers, Path(folder)))
    return found

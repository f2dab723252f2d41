"""What an embedded engine's containers may do: told to its process by environment variables, those that also set `[engine]`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.model import EngineSpec

INSECURE = "LOCKGATE_ENGINE_INSECURE"
MEMORY = "LOCKGATE_ENGINE_MEMORY"
CPUS = "LOCKGATE_ENGINE_CPUS"
PROCESSES = "LOCKGATE_ENGINE_PROCESSES"
VARIABLES = (INSECURE, MEMORY, CPUS, PROCESSES)


def variables(spec: EngineSpec) -> dict[str, str]:
    """The variables that tell an engine's process what `read` gives back; a limit that is not set is an empty one."""
    return {
        INSECURE: spec.insecure.value,
        MEMORY: "" if spec.memory is None else str(spec.memory),
        CPUS: "" if spec.cpus is None else str(spec.cpus),
        PROCESSES: str(spec.processes),
    }


def not_told(spec: EngineSpec) -> str | None:
    """One line that names the settings of `[engine]` that have no effect on a Dagger engine; None when there are none."""
    from pipelines.model import EngineSpec, Insecure

    asked = {
        "memory": spec.memory is not None,
        "cpus": spec.cpus is not None,
        "processes": spec.processes != EngineSpec().processes,
        'insecure = "none" (for programs)': spec.insecure is Insecure.NONE,
    }
    named = [name for name, is_asked in asked.items() if is_asked]
    return f"a Dagger engine has its own settings; these of [engine] have no effect on it: {', '.join(named)}" if named else None


def read(environ: Mapping[str, str]) -> EngineSpec:
    """What the variables say; an empty one counts as not set.

    Raises:
        ValueError: a value that is not valid; the message names the variable.
    """
    from pipelines.model import EngineSpec, Insecure
    from pipelines.model.project import PROCESSES as MANY

    given = {name: text for name in VARIABLES if (text := environ.get(name, "").strip())}
    insecure = given.get(INSECURE, Insecure.API.value)
    if insecure not in set(Insecure):
        raise ValueError(f"{INSECURE}={insecure!r}: expected {', '.join(Insecure)}")
    return EngineSpec(
        insecure=Insecure(insecure),
        memory=_memory(given[MEMORY]) if MEMORY in given else None,
        cpus=_cpus(given[CPUS]) if CPUS in given else None,
        processes=_processes(given[PROCESSES]) if PROCESSES in given else MANY,
    )


def _memory(text: str) -> int:
    from pipelines.foundation.sizes import parse_size

    try:
        return parse_size(text)
    except ValueError as error:
        raise ValueError(f"{MEMORY}={text!r}: {error}") from None


def _cpus(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise ValueError(f"{CPUS}={text!r}: expected a number of processors such as 1.5")
    return number


def _processes(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text[:10]) > 0):
        raise ValueError(f"{PROCESSES}={text!r}: expected a whole number")
    return int(text[:10])

"""Settings from the environment: LOCKGATE_<SECTION>_<KEY>, for every key that holds one word or number.

`LOCKGATE_REGISTRY_URL`, `LOCKGATE_TESTS_UNIT_TIMEOUT`; `LOCKGATE_ENGINE` is short for `LOCKGATE_ENGINE_KIND`.
An empty variable counts as unset.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.config.keys import scalars, typed
from pipelines.config.refused_keys import RENAMED
from pipelines.errors import ConfigError
from pipelines.foundation.similar import closest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipelines.config.keys import Shape

PREFIX = "LOCKGATE_"
_MISTYPED = 0.9


def variable(path: tuple[str, ...]) -> str:
    """The name of the variable that sets a key."""
    return PREFIX + "_".join(path).replace("-", "_").upper()


def variables(path: tuple[str, ...]) -> tuple[str, ...]:
    """The variables that set a key, the one that counts last."""
    short = ("LOCKGATE_ENGINE",) if path == ("engine", "kind") else ()
    return (*short, variable(path))


def from_environment(shape: Shape, tables: Mapping[str, Any], environ: Mapping[str, str]) -> Iterator[tuple[tuple[str, ...], str, object]]:
    """Path, variable and value of every setting in the environment; `shape` is that of a whole file, `tables` says which named sections
    there are.

    Raises:
        ConfigError: a variable is set whose name is no longer valid.
    """
    _refuse_old_names(environ)
    for path, word in scalars(shape, tables):
        for name in variables(path):
            text = environ.get(name, "").strip()
            if text:
                yield path, name, typed(word, text)


def _refuse_old_names(environ: Mapping[str, str]) -> None:
    for old, new in RENAMED.items():
        if environ.get(variable(old), "").strip():
            raise ConfigError(f"the variable {variable(old)} is now called {variable(new)}", next_step=f"set {variable(new)} instead")


def near_misses(shape: Shape, tables: Mapping[str, Any], environ: Mapping[str, str]) -> Iterator[str]:
    """A hint for every variable that looks like a mistyped setting: a setting that does nothing must be noticed."""
    known = {name for path, _ in scalars(shape, tables) for name in variables(path)}
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in known:
            close = closest(name, known, at_least=_MISTYPED)
            if close is not None:
                yield f"{name} is not a setting; did you mean {close}?"

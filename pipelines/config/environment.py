"""Settings from the environment: LOCKGATE_<SECTION>_<KEY>, for every key that holds one word or number.

`LOCKGATE_REGISTRY_URL`, `LOCKGATE_TESTS_UNIT_TIMEOUT`; `LOCKGATE_ENGINE` is short for `LOCKGATE_ENGINE_KIND`.
An empty variable counts as unset.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from pipelines.config.keys import scalars
from pipelines.config.refused_keys import RENAMED
from pipelines.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PREFIX = "LOCKGATE_"
_TRUE = ("true", "yes", "on", "1")
_FALSE = ("false", "no", "off", "0")
_LOOKS_LIKE = 0.9


def variable(path: tuple[str, ...]) -> str:
    """The name of the variable that sets a key."""
    return PREFIX + "_".join(path).replace("-", "_").upper()


def variables(path: tuple[str, ...]) -> tuple[str, ...]:
    """The variables that set a key, the one that counts last."""
    short = ("LOCKGATE_ENGINE",) if path == ("engine", "kind") else ()
    return (*short, variable(path))


def from_environment(tables: Mapping[str, Any], environ: Mapping[str, str]) -> Iterator[tuple[tuple[str, ...], str, object]]:
    """Path, variable and value of every setting in the environment; `tables` says which named sections there are.

    Raises:
        ConfigError: a variable is set whose name is no longer valid.
    """
    _refuse_old_names(environ)
    for path, kind in scalars(tables):
        for name in variables(path):
            text = environ.get(name, "").strip()
            if text:
                yield path, name, _value(text, kind)


def _refuse_old_names(environ: Mapping[str, str]) -> None:
    for old, new in RENAMED.items():
        if environ.get(variable(old), "").strip():
            raise ConfigError(f"the variable {variable(old)} is now called {variable(new)}", next_step=f"set {variable(new)} instead")


def _value(text: str, kind: type) -> object:
    """The text as the key's type; as it is when it does not fit, so that validation says what is wrong."""
    if issubclass(kind, bool):
        return True if text.lower() in _TRUE else False if text.lower() in _FALSE else text
    for number in (int, float):
        if issubclass(kind, number):
            try:
                return number(text)
            except ValueError:
                continue
    return text


def near_misses(tables: Mapping[str, Any], environ: Mapping[str, str]) -> Iterator[str]:
    """A hint for every variable that looks like a mistyped setting: a setting that does nothing must be noticed."""
    known = {name for path, _ in scalars(tables) for name in variables(path)}
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in known:
            close = difflib.get_close_matches(name, known, 1, _LOOKS_LIKE)
            if close:
                yield f"{name} is not a setting; did you mean {close[0]}?"

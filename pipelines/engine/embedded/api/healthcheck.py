"""Docker's healthcheck in an image's configuration, as the API gives and takes it: durations as Go writes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.dockerfile.errors import Fault
from pipelines.engine.embedded.dockerfile.syntax.numbers import nanoseconds
from pipelines.engine.embedded.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMES = {"interval": "Interval", "timeout": "Timeout", "startPeriod": "StartPeriod", "startInterval": "StartInterval"}
"""The API's names of the durations, and the configuration's."""

UNITS = ((3600 * 10**9, "h"), (60 * 10**9, "m"))
SECOND, SMALLER = 10**9, ((10**6, "ms"), (10**3, "µs"), (1, "ns"))


@dataclass(frozen=True, slots=True)
class ImageHealthcheck:
    """A healthcheck as the API's HealthcheckConfig shows it. `times` are by the API's names; `shell`: `args` is one line for the shell."""

    args: tuple[str, ...]
    shell: bool
    retries: int
    times: Mapping[str, str]


def to_config(args: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    """The configuration's healthcheck, from the arguments of `withDockerHealthcheck`.

    Raises:
        InvalidInput: no command, several for the shell, or something that is not a duration.
    """
    words = list(args["args"])
    if not words or (args["shell"] and len(words) != 1):
        shell = "WithHealthcheck args must be a single element when shell mode is set"
        raise InvalidInput(shell if args["shell"] else "withDockerHealthcheck: the command is empty")
    try:
        times = {key: nanoseconds(args[name] or "") for name, key in TIMES.items()}
    except Fault as fault:
        raise InvalidInput(f"withDockerHealthcheck: {fault}") from None
    if args["retries"] is not None and args["retries"] < 0:
        raise InvalidInput(f"withDockerHealthcheck: retries is {args['retries']}, less than 0")
    check = {"Test": ("CMD-SHELL" if args["shell"] else "CMD", *words), **times, "Retries": args["retries"] or 0}
    return tuple((key, value) for key, value in check.items() if value)


def from_config(check: tuple[tuple[str, Any], ...] | None) -> ImageHealthcheck | None:
    """A configuration's healthcheck; None when there is none, or it is switched off."""
    facts = dict(check or ())
    test = tuple(facts.get("Test") or ())
    if not test or test[0] == "NONE":
        return None
    times = {name: go_duration(facts.get(key) or 0) for name, key in TIMES.items()}
    return ImageHealthcheck(test[1:], test[0] == "CMD-SHELL", facts.get("Retries") or 0, times)


def go_duration(count: int) -> str:
    """Nanoseconds as Go's Duration.String has them: `1m30s`, `1.5s`, `20ms`, `0s`."""
    if abs(count) < SECOND:
        scale, unit = next(((scale, unit) for scale, unit in SMALLER if abs(count) >= scale), (1, "s"))
        return _decimal(count, scale) + unit
    text, rest = "-" if count < 0 else "", abs(count)
    for scale, unit in UNITS:
        if rest >= scale or text.strip("-"):
            text += f"{rest // scale}{unit}"
            rest %= scale
    return f"{text}{_decimal(rest, SECOND)}s"


def _decimal(count: int, scale: int) -> str:
    """`count / scale`, exactly, without a zero too many."""
    whole, part = divmod(abs(count), scale)
    digits = str(part).rjust(len(str(scale)) - 1, "0").rstrip("0") if part else ""
    return ("-" if count < 0 else "") + str(whole) + (f".{digits}" if digits else "")

"""``--name=value`` words of an instruction."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipelines.engine.embedded.dockerfile.errors import Fault
from pipelines.engine.embedded.dockerfile.syntax.suggest import hint

if TYPE_CHECKING:
    from collections.abc import Iterable

TRUTH = {"true": True, "": True, "false": False}


@dataclass(frozen=True, slots=True)
class InstructionFlags:
    """The flags of one instruction."""

    texts: dict[str, str] = field(default_factory=dict)
    lists: dict[str, tuple[str, ...]] = field(default_factory=dict)
    switches: dict[str, bool] = field(default_factory=dict)

    def text(self, name: str, default: str = "") -> str:
        """The value of a flag that may come once."""
        return self.texts.get(name, default)

    def list(self, name: str) -> tuple[str, ...]:
        """The values of a flag that may come repeatedly, in order."""
        return self.lists.get(name, ())

    def switch(self, name: str) -> bool | None:
        """None where the flag is not given."""
        return self.switches.get(name)


def read(
    arguments: Iterable[str], *, texts: Iterable[str] = (), lists: Iterable[str] = (), switches: Iterable[str] = ()
) -> InstructionFlags:
    """Sort flags by kind: ``texts`` may come once, ``lists`` repeatedly, ``switches`` are on, off or absent.

    Raises:
        Fault: for a flag that the instruction does not know, that comes twice, or whose value does not fit.
    """
    flags, kinds = InstructionFlags(), {"text": set(texts), "list": set(lists), "switch": set(switches)}
    names = set().union(*kinds.values())
    for argument in arguments:
        flag, equals, value = argument.partition("=")
        name = flag[2:]
        if name not in names:
            raise Fault(f"unknown flag: {flag}" + hint(name, names))
        if name in flags.texts or name in flags.switches:
            raise Fault(f"duplicate flag specified: {flag}")
        if (not equals and name not in kinds["switch"]) or (equals and not value and name in kinds["switch"]):
            raise Fault(f"missing a value on flag: {flag}")
        _set(flags, kinds, name, value)
    return flags


def _set(flags: InstructionFlags, kinds: dict[str, set[str]], name: str, value: str) -> None:
    if name in kinds["text"]:
        flags.texts[name] = value
    elif name in kinds["list"]:
        flags.lists[name] = (*flags.list(name), value)
    elif value.lower() in TRUTH:
        flags.switches[name] = TRUTH[value.lower()]
    else:
        raise Fault(f"expecting boolean value for flag --{name}, not: {value}")

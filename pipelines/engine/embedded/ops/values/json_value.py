"""JSON values as the API handles them: decoded, looked into, put together, written again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Sequence

KINDS = {str: "string", bool: "bool", int: "number", float: "number", list: "array", dict: "object"}


@dataclass(frozen=True, slots=True)
class JsonValue:
    """A value; `written` is the text it was read from, where it was."""

    value: Any = None
    written: str | None = None

    @classmethod
    def parse(cls, text: str | bytes) -> JsonValue:
        """Raises InvalidInput when it is not JSON."""
        try:
            read = text.decode() if isinstance(text, bytes) else text
            return cls(json.loads(read, parse_constant=_refuse), read)
        except (ValueError, RecursionError) as error:
            raise InvalidInput(f"invalid JSON: {error}") from None

    def text(self, *, pretty: bool = False, indent: str = "  ") -> str:
        """As JSON: as it was read, else compact; or pretty, members sorted."""
        if pretty:
            return json.dumps(self.value, ensure_ascii=False, sort_keys=True, indent=indent)
        if self.written is not None:
            return self.written
        return json.dumps(self.value, ensure_ascii=False, separators=(",", ":"))

    def field(self, path: Sequence[str]) -> JsonValue:
        """The member of members that `path` names."""
        found = self.value
        for name in path:
            if not isinstance(found, dict) or name not in found:
                raise InvalidInput(f"no such field: '{name}'")
            found = found[name]
        return JsonValue(found)

    def fields(self) -> list[str]:
        """Names of the members, sorted."""
        if not isinstance(self.value, dict):
            raise InvalidInput("value is not an object")
        return sorted(self.value)

    def put(self, path: Sequence[str], value: JsonValue) -> JsonValue:
        """With a member set; objects on the way to it are made, in place of whatever was not an object."""
        if not path:
            return value
        whole: dict[str, Any] = dict(self.value) if isinstance(self.value, dict) else {}
        holder = whole
        for name in path[:-1]:
            inner = holder.get(name)
            holder[name] = dict(inner) if isinstance(inner, dict) else {}
            holder = holder[name]
        holder[path[-1]] = value.value
        return JsonValue(whole)

    def items(self) -> list[JsonValue]:
        """The elements of an array."""
        if not isinstance(self.value, list):
            raise InvalidInput("value is not an array")
        return [JsonValue(one) for one in self.value]

    def string(self) -> str:
        """As a string; null is "", as in Go.

        Raises:
            InvalidInput: it is of another type.
        """
        return self._as(str, "string")  # type: ignore[no-any-return]

    def boolean(self) -> bool:
        """As a boolean; null is false, as in Go.

        Raises:
            InvalidInput: it is of another type.
        """
        return self._as(bool, "bool")  # type: ignore[no-any-return]

    def integer(self) -> int:
        """As an integer; null is 0, as in Go.

        Raises:
            InvalidInput: it is of another type, or has a fraction.
        """
        if isinstance(self.value, float):
            raise InvalidInput(f"json: cannot unmarshal number {self.text()} into Go value of type int")
        return self._as(int, "int")  # type: ignore[no-any-return]

    def _as(self, kind: type, name: str) -> Any:
        if self.value is None:
            return kind()
        if type(self.value) is not kind:
            raise InvalidInput(f"json: cannot unmarshal {KINDS[type(self.value)]} into Go value of type {name}")
        return self.value


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")

"""The answer under construction: where values go, and what a client is told of errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.api.calls import Call
from pipelines.engine.embedded.api.execution.evaluate import Pending
from pipelines.engine.embedded.api.schema.types import ROOT

if TYPE_CHECKING:
    from pipelines.engine.embedded.api.calls import Calls
    from pipelines.engine.embedded.api.query.selection import Selected
    from pipelines.engine.embedded.api.registry import FieldSpec
    from pipelines.engine.embedded.errors import EngineError

LONGEST = 4000  # characters of a message


@dataclass(frozen=True, slots=True)
class ResponsePosition:
    """Where in the answer something goes: `holder[key]`.

    Attributes:
        parent: the place of the object it is in; None on the root.
        holder: that object (or list) in the answer.
        key: response key, or index in a list.
        call: the object whose selections are there; None for a leaf.
    """

    parent: ResponsePosition | None
    holder: Any
    key: str | int
    call: Call | None = None

    def fill(self, value: Any) -> None:
        """Write a value there."""
        self.holder[self.key] = value

    def path(self) -> list[str | int]:
        """The response path, from the root."""
        keys: list[str | int] = []
        place: ResponsePosition | None = self
        while place is not None:
            keys.append(place.key)
            place = place.parent
        return keys[::-1]


@dataclass(frozen=True, slots=True)
class Leaf:
    """A field to be asked: a scalar, or a list of objects."""

    selected: Selected
    spec: FieldSpec
    parent: Call | None
    place: ResponsePosition


def own_id(leaf: Leaf, value: Any, calls: Calls) -> str:
    """What a field that reloads its object (`sync`) answers: the id of that object, or of the one its resolver gave instead."""
    parent = leaf.parent or calls.root(ROOT)
    match value:
        case None:
            return parent.id
        case Call():
            return value.id
        case Pending():
            return value.call.id
        case _:
            return calls.from_object(parent.type, value).id


def nullify(place: ResponsePosition, call: Call) -> None:
    """Write null where the object that `call` yields stands; if it is not in the answer itself, where what came of it stands."""
    target = place
    link: ResponsePosition | None = place
    while link is not None and target.call is not call:
        target = link if link.call is not None else target
        link = link.parent
    target.fill(None)


def report(error: EngineError, place: ResponsePosition | None) -> dict[str, Any]:
    """An error as GraphQL reports it, in characters that any client can print: a file name may hold bytes that are not text."""
    reported: dict[str, Any] = {"message": cut(error.message).encode("utf-8", "backslashreplace").decode()}
    if place is not None:
        reported["path"] = place.path()
    if extensions := error.extensions():
        reported["extensions"] = extensions
    return reported


def cut(message: str) -> str:
    """A message of bearable length: it may repeat what a query says."""
    return message if len(message) <= LONGEST else message[: LONGEST - 1] + "…"

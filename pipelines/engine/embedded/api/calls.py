"""Lazy objects: a `Call` is the recipe of an API object; nothing runs until one of its leaves is asked."""

from __future__ import annotations

import itertools
import json
import secrets
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping

DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """One API call that yields an object. Calls with one recipe are one instance (see `Calls.make`), so identity is equality.

    Attributes:
        type: GraphQL type of the object it yields, such as `Container`.
        field: the call, such as `Container.withExec`.
        parent: the object it is called on; None on the root.
        args: every argument by GraphQL name, defaults filled in; an object is a `Call`, a list of objects a list of them.
        digest: hex digest of the whole recipe.
        state: for an object that no call makes (an element of a list): its state; else None.
    """

    type: str
    field: str
    parent: Call | None
    args: Mapping[str, Any]
    digest: str
    state: Any = None

    @property
    def id(self) -> str:
        """The opaque id a client is given; good for this session only."""
        return f"{self.type}@{self.digest}"

    def __repr__(self) -> str:  # not the arguments: they may hold a secret's value
        return f"<Call {self.field} -> {self.id}>"


@dataclass(slots=True)
class Calls:
    """All calls of one session, by digest.

    Digests are keyed by a random value of the session: an id that leaks does not let anyone test guesses at a secret among the arguments.
    """

    key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    _by_digest: dict[str, Call] = field(default_factory=dict, repr=False)
    _serial: itertools.count[int] = field(default_factory=itertools.count, repr=False)

    def make(self, type_: str, name: str, parent: Call | None, args: Mapping[str, Any], *, fresh: bool = False) -> Call:
        """The call `name` on `parent`, yielding a `type_`: the known instance if this recipe was seen before.

        Args:
            type_: GraphQL type of the result.
            name: `Type.field`.
            parent: the object it is called on.
            args: complete, coerced arguments.
            fresh: a new recipe each time, for calls that must not be answered from what was seen earlier in the session.
        """
        digest = self._digest(type_, name, parent, args, next(self._serial) if fresh else None)
        known = self._by_digest.get(digest)
        return known if known is not None else self._add(Call(type_, name, parent, args, digest))

    def element(self, source: Call, index: int, state: object) -> Call:
        """The `index`-th object in the list that `source` answered with: same list, same place, same id."""
        digest = self._digest(source.type, source.field, source, {}, index)
        return self._add(Call(source.type, source.field, source.parent, source.args, digest, state))

    def from_object(self, type_: str, state: object) -> Call:
        """An object of which only the state is known; each has an id of its own."""
        digest = self._digest(type_, "", None, {}, next(self._serial))
        return self._add(Call(type_, "", None, {}, digest, state))

    def root(self, type_: str) -> Call:
        """The object that every chain starts from, for the rare client that asks for its id."""
        digest = self._digest(type_, "", None, {}, None)
        return self._by_digest.get(digest) or self._add(Call(type_, "", None, {}, digest, type_))

    def by_id(self, id_: str) -> Call:
        """The call behind an id.

        Raises:
            InvalidInput: not an id of this session.
        """
        type_, _, digest = id_.rpartition("@")
        call = self._by_digest.get(digest)
        if call is None or call.type != type_:
            raise InvalidInput(f"unknown id {id_[:80]!r}: the embedded engine knows objects only in the session that made them")
        return call

    def _add(self, call: Call) -> Call:
        self._by_digest[call.digest] = call
        return call

    def _digest(self, type_: str, name: str, parent: Call | None, args: Mapping[str, Any], extra: object) -> str:
        recipe = [type_, name, parent.digest if parent else None, args, extra]
        text = json.dumps(recipe, sort_keys=True, separators=(",", ":"), default=_reference)
        return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES, key=self.key).hexdigest()


def _reference(value: object) -> dict[str, str]:
    """How an object among the arguments is written: `@` cannot begin a GraphQL name, so nothing else looks like it."""
    if isinstance(value, Call):
        return {"@call": value.digest}
    raise TypeError(f"{type(value).__name__} is not a value of the API")

"""Which fields of the API the engine answers, and by what function."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field as attribute
from typing import TYPE_CHECKING, Any, TypeVar

from pipelines.engine.embedded.errors import Unsupported

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Resolver = Callable[[Any, Any, dict[str, Any]], Any]
R = TypeVar("R", bound=Resolver)


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One answered field.

    Attributes:
        name: `Type.field`.
        resolve: `(ctx, parent, args) -> state or scalar`; a coroutine function, or a plain one that never blocks.
        args: GraphQL names of the arguments it honours.
        lazy: the resolver wants `evaluate.Pending` instead of states, for the parent and for objects among the arguments.
        fresh: given the arguments, whether each call is its own (not answered from the session's memory).
        is_async: `resolve` is a coroutine function.
    """

    name: str
    resolve: Resolver
    args: frozenset[str]
    lazy: bool
    fresh: Callable[[Mapping[str, Any]], bool] | None
    is_async: bool

    def is_fresh(self, args: Mapping[str, Any]) -> bool:
        """Whether a call with these arguments is never answered from the session's memory."""
        return self.fresh is not None and self.fresh(args)


@dataclass(slots=True)
class ResolverRegistry:
    """The answered fields, by name."""

    _specs: dict[str, FieldSpec] = attribute(default_factory=dict)

    def field(
        self,
        name: str,
        *,
        args: Iterable[str] = (),
        lazy: bool = False,
        fresh: Callable[[Mapping[str, Any]], bool] | None = None,
    ) -> Callable[[R], R]:
        """Register the decorated function as the answer to `name` (`Container.withExec`); see `FieldSpec` for the options.

        A resolver returns a state (for a field of object type), a list of states (for a list of objects), a JSON value (for a leaf), or
        None for GraphQL's null. For a leaf of type ID, such as `Container.sync`, None stands for the parent's own id.

        Raises:
            ValueError: the field has an answer already.
        """

        def register(resolve: R) -> R:
            if name in self._specs:
                raise ValueError(f"{name} has two resolvers")
            self._specs[name] = FieldSpec(name, resolve, frozenset(args), lazy, fresh, inspect.iscoroutinefunction(resolve))
            return resolve

        return register

    def spec(self, name: str, args: Mapping[str, Any], defaults: Mapping[str, Any]) -> FieldSpec:
        """The answer to `name`, given all its arguments and their defaults.

        Raises:
            Unsupported: no resolver, or an argument it does not honour has another value than its default.
        """
        spec = self._specs.get(name)
        if spec is None:
            raise Unsupported(name)
        for argument, value in args.items():
            if argument not in spec.args and value != defaults.get(argument):
                raise Unsupported(name, argument)
        return spec

    def __getitem__(self, name: str) -> FieldSpec:
        return self._specs[name]

    def __iter__(self) -> Iterator[FieldSpec]:
        return iter(self._specs.values())


registry = ResolverRegistry()
"""What the running engine answers: filled by importing `api.fields`."""

field = registry.field

"""The API's types, light enough to load at start-up: names, arguments, defaults, nullability."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any, Final

UNSET: Final[Any] = object()
"""The default of an argument that has none."""

BUILTIN_SCALARS = ("Boolean", "Float", "ID", "Int", "String")
ROOT = "Query"


@dataclass(frozen=True, slots=True)
class TypeRef:
    """A use of a type: `[String!]!` is TypeRef("String", required=True, item=TypeRef("String", required=True)).

    Attributes:
        name: the named type innermost.
        required: false where null is allowed.
        item: for a list, the type of its elements; else None.
    """

    name: str
    required: bool = False
    item: TypeRef | None = None

    def __str__(self) -> str:
        return f"{f'[{self.item}]' if self.item else self.name}{'!' if self.required else ''}"


@cache
def parse_ref(text: str) -> TypeRef:
    """The type reference written as in GraphQL's schema language."""
    bare = text.removesuffix("!")
    item = parse_ref(bare[1:-1]) if bare.startswith("[") else None
    return TypeRef(item.name if item else bare, required=text.endswith("!"), item=item)


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a field, or a field of an input object.

    Attributes:
        type: its type; an object is passed as an ID.
        default: its default as a JSON value (an enum member by name), or UNSET.
        object: for an ID: the object type that must be behind it; "" for any.
    """

    type: TypeRef
    default: Any = UNSET
    object: str = ""

    @property
    def omitted(self) -> Any:
        """What a resolver sees when the argument is not given: the default, or null."""
        return None if self.default is UNSET else self.default


@dataclass(frozen=True)
class Field:
    """A field of an object or interface."""

    type: TypeRef
    args: dict[str, Argument] = field(default_factory=dict)

    @cached_property
    def defaults(self) -> dict[str, Any]:
        """Every argument's value when it is not given."""
        return {name: argument.omitted for name, argument in self.args.items()}


@dataclass(frozen=True, slots=True)
class Composite:
    """An object type, or (abstract) an interface."""

    name: str
    fields: dict[str, Field]
    interfaces: tuple[str, ...] = ()
    abstract: bool = False


@dataclass(frozen=True, slots=True)
class Enum:
    """An enumeration: each member's name, and the name it stands for (itself, unless it is an alias)."""

    name: str
    members: dict[str, str]


@dataclass(frozen=True, slots=True)
class Input:
    """An input object."""

    name: str
    fields: dict[str, Argument]


@dataclass(frozen=True, slots=True)
class Scalar:
    """A type whose values have no fields: `String`, `Platform`, `ContainerID`."""

    name: str


Type = Composite | Enum | Input | Scalar


@dataclass(frozen=True)
class Schema:
    """All types by name.

    Attributes:
        version: the SDK release the schema was read from, which is what the engine says its version is.
        types: every type by name.
    """

    version: str
    types: dict[str, Type]

    def composite(self, name: str) -> Composite | None:
        """The object type or interface called `name`, if it is one."""
        found = self.types.get(name)
        return found if isinstance(found, Composite) else None

    @cached_property
    def possible(self) -> dict[str, frozenset[str]]:
        """For each interface and object type, the object types a value of it may have."""
        found: dict[str, set[str]] = {}
        for type_ in self.types.values():
            if isinstance(type_, Composite) and not type_.abstract:
                for name in (type_.name, *type_.interfaces):
                    found.setdefault(name, set()).add(type_.name)
        return {name: frozenset(names) for name, names in found.items()}

    def is_possible(self, abstract: str, name: str) -> bool:
        """Whether an object of type `name` is an `abstract`."""
        return name in self.possible.get(abstract, ())

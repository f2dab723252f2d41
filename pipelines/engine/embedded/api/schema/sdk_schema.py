"""The schema, read from the installed SDK's generated client: what the client can say is what is served.

Only the syntax tree is read; the SDK is not imported (that takes a second). What the generated code does not tell, GraphQL's and the API's
conventions do: an object passed as an argument is an ID, `id` and every field that reloads its object (`sync`, `start`) answer an ID, an
object type implements each interface whose fields it has, and each object type has a `load…FromID`. Whether a field of object type may be
null cannot be read; it is taken as never null.
"""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.api.schema.types import (
    BUILTIN_SCALARS,
    ROOT,
    UNSET,
    Argument,
    Composite,
    Enum,
    Field,
    Input,
    Scalar,
    Schema,
    TypeRef,
)
from pipelines.engine.embedded.errors import EmbeddedUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipelines.engine.embedded.api.schema.types import Type

PYTHON_SCALARS = {"str": "String", "int": "Int", "float": "Float", "bool": "Boolean"}
NODE = "Node"
CLIENT_OF_INTERFACE = re.compile(r"_(\w+)Client")


def read_schema(client: Path, version: str) -> Schema:
    """The schema behind the generated client module at `client` (`dagger/client/gen.py`) of SDK release `version`.

    Raises:
        EmbeddedUnavailable: the module cannot be read as one.
    """
    try:
        types = _Reader(ast.parse(client.read_bytes())).types()
    except (OSError, SyntaxError, KeyError, TypeError, ValueError, StopIteration) as error:
        raise EmbeddedUnavailable(f"cannot read the Dagger SDK's client at {client}: {error!r}; reinstall dagger-io") from error
    return Schema(version, dict(sorted((_implement(_complete(types))).items())))


class _Reader:
    """Turns the classes of the module into types."""

    def __init__(self, module: ast.Module) -> None:
        self.classes = {node.name: node for node in module.body if isinstance(node, ast.ClassDef)}
        self.bases = {name: {ast.unparse(base) for base in node.bases} for name, node in self.classes.items()}
        self.enums = {name: _members(node) for name, node in self.classes.items() if "Enum" in self.bases[name]}
        self.scalars = {name for name, bases in self.bases.items() if "Scalar" in bases}

    def types(self) -> dict[str, Type]:
        """All types by name, as far as the module tells them."""
        found: dict[str, Type] = {name: Scalar(name) for name in (*BUILTIN_SCALARS, *self.scalars)}
        found |= {name: Enum(name, members) for name, members in self.enums.items()}
        for name, node in self.classes.items():
            if "Input" in self.bases[name]:
                found[name] = Input(name, dict(self._input_fields(node)))
            elif self.bases[name] & {"Type", "Root"}:
                interface = CLIENT_OF_INTERFACE.fullmatch(name)
                own = interface[1] if interface else name
                found[own] = Composite(own, dict(self._fields(own, node)), abstract=interface is not None)
        return found

    def _fields(self, own: str, node: ast.ClassDef) -> Iterator[tuple[str, Field]]:
        for method in node.body:
            if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef) and (name := _selected(method)):
                yield name, Field(self._result(own, name, method), dict(self._arguments(own, method)))

    def _result(self, own: str, name: str, method: ast.FunctionDef | ast.AsyncFunctionDef) -> TypeRef:
        result = self._ref(own, method.returns)
        reloads = isinstance(method, ast.AsyncFunctionDef) and not result.item and self._is_object(result.name)
        if reloads or name == "id":
            return TypeRef("ID", required=True)
        return result

    def _arguments(self, own: str, method: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[tuple[str, Argument]]:
        parameters = {one.arg: one.annotation for one in (*method.args.args, *method.args.kwonlyargs)}
        for call in _arg_calls(method):
            name, value, *default = call.args
            type_ = self._ref(own, parameters[next(one.id for one in ast.walk(value) if isinstance(one, ast.Name))])
            yield ast.literal_eval(name), self._argument(type_, default[0] if default else None)

    def _argument(self, type_: TypeRef, default: ast.expr | None) -> Argument:
        value = UNSET if default is None else self._value(default)
        value = UNSET if value is None else value
        if self._is_object(type_.name):
            return Argument(_renamed(type_, "ID"), value, type_.name)
        if type_.name.endswith("ID") and self._is_object(type_.name.removesuffix("ID")):
            return Argument(type_, value, type_.name.removesuffix("ID"))
        return Argument(type_, value)

    def _input_fields(self, node: ast.ClassDef) -> Iterator[tuple[str, Argument]]:
        for item in node.body:
            if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
                yield _camel(item.target.id), self._argument(self._ref(node.name, item.annotation), item.value)

    def _ref(self, own: str, annotation: ast.AST | None) -> TypeRef:
        match annotation:
            case ast.Constant(value=str(text)):
                return self._ref(own, ast.parse(text, mode="eval").body)
            case ast.BinOp(left=left, op=ast.BitOr()):
                return replace(self._ref(own, left), required=False)
            case ast.Subscript(value=ast.Name(id="list"), slice=element):
                item = self._ref(own, element)
                return TypeRef(item.name, required=True, item=item)
            case ast.Name(id=name):
                return TypeRef(own if name == "Self" else PYTHON_SCALARS.get(name, name), required=True)
            case _:
                raise ValueError(f"unknown annotation {ast.dump(annotation) if annotation else annotation}")

    def _value(self, node: ast.expr) -> Any:
        """A default: a literal, or an enum member, which is sent by its name."""
        if isinstance(node, ast.Attribute):
            return self.enums[ast.unparse(node.value)][node.attr]
        return ast.literal_eval(node)

    def _is_object(self, name: str) -> bool:
        return bool(self.bases.get(name, set()) & {"Type", "Root"}) or f"_{name}Client" in self.classes


def _selected(method: ast.FunctionDef | ast.AsyncFunctionDef) -> str | None:
    """The field a method asks for: the first argument of its `self._select(…)`, or of `execute_sync(self, …)`."""
    for node in ast.walk(method):
        match node:
            case ast.Call(func=ast.Attribute(attr="_select"), args=[ast.Constant(value=str(name)), *_]):
                return name
            case ast.Call(func=ast.Attribute(attr="execute_sync"), args=[_, ast.Constant(value=str(name)), *_]):
                return name
            case _:
                continue
    return None


def _arg_calls(method: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.Call]:
    for statement in method.body:
        value = statement.value if isinstance(statement, ast.Assign | ast.AnnAssign) else None
        if isinstance(value, ast.List):
            yield from (one for one in value.elts if isinstance(one, ast.Call))


def _members(node: ast.ClassDef) -> dict[str, str]:
    """Members by name. Two with one value are one for the client: it sends the name that came first."""
    first: dict[Any, str] = {}
    members: dict[str, str] = {}
    for item in node.body:
        if isinstance(item, ast.Assign) and isinstance(item.targets[0], ast.Name):
            name = item.targets[0].id
            members[name] = first.setdefault(ast.literal_eval(item.value), name)
    return members


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.title() for part in rest)


def _renamed(type_: TypeRef, name: str) -> TypeRef:
    return replace(type_, name=name, item=_renamed(type_.item, name) if type_.item else None)


def _complete(types: dict[str, Type]) -> dict[str, Type]:
    """Add what no client method fully tells: `node`, and `load…FromID` where the SDK has dropped it."""
    scalars: dict[str, Type] = {}
    fields: dict[str, Field] = {}
    for name, type_ in types.items():
        if isinstance(type_, Composite) and name not in {ROOT, NODE}:
            scalars[f"{name}ID"] = Scalar(f"{name}ID")
            fields[f"load{name}FromID"] = _load(name)
    fields |= _composite(types, ROOT).fields | {"node": Field(TypeRef(NODE), {"id": Argument(TypeRef("ID", required=True), object=NODE)})}
    return scalars | types | {ROOT: Composite(ROOT, dict(sorted(fields.items())))}


def _composite(types: dict[str, Type], name: str) -> Composite:
    found = types[name]
    if not isinstance(found, Composite):
        raise TypeError(f"{name} has no fields")
    return found


def _load(name: str) -> Field:
    return Field(TypeRef(name, required=True), {"id": Argument(TypeRef(f"{name}ID", required=True), object=name)})


def _implement(types: dict[str, Type]) -> dict[str, Type]:
    """Say which interfaces each object type, and each interface, implements: those whose fields it has."""
    composites = [one for one in types.values() if isinstance(one, Composite)]
    abstract = [one for one in composites if one.abstract]
    return types | {
        one.name: replace(one, interfaces=tuple(sorted(face.name for face in abstract if face is not one and _fits(one, face))))
        for one in composites
    }


def _fits(type_: Composite, interface: Composite) -> bool:
    """Whether `type_` has all fields of `interface`, by the rules of GraphQL: further arguments must be optional."""
    return all(name in type_.fields and _covers(type_.fields[name], wanted) for name, wanted in interface.fields.items())


def _covers(own: Field, wanted: Field) -> bool:
    extra = own.args.keys() - wanted.args.keys()
    same = own.type == wanted.type and all(own.args.get(name) == argument for name, argument in wanted.args.items())
    return same and not any(own.args[name].type.required and own.args[name].default is UNSET for name in extra)

from __future__ import annotations

import pytest

from pipelines.engine.embedded.api.registry import ResolverRegistry
from pipelines.engine.embedded.errors import Unsupported

DEFAULTS = {"args": None, "expand": False, "stdin": ""}


async def resolve(ctx: object, parent: object, args: dict[str, object]) -> str:
    return "done"


@pytest.fixture
def registry() -> ResolverRegistry:
    registry = ResolverRegistry()
    registry.field("Container.withExec", args=("args", "expand"))(resolve)
    return registry


def test_a_field_without_an_answer_is_unsupported_by_name(registry: ResolverRegistry) -> None:
    with pytest.raises(Unsupported, match=r"Container\.terminal is not supported by the embedded engine: it needs a Dagger engine"):
        registry.spec("Container.terminal", {}, {})


def test_an_unsupported_argument_is_refused_by_name_only_when_it_matters(registry: ResolverRegistry) -> None:
    assert registry.spec("Container.withExec", DEFAULTS | {"args": ["x"], "expand": True}, DEFAULTS).is_async
    with pytest.raises(Unsupported, match=r"Container\.withExec\(stdin:\) is not supported"):
        registry.spec("Container.withExec", DEFAULTS | {"stdin": "text"}, DEFAULTS)


def test_a_field_has_one_answer(registry: ResolverRegistry) -> None:
    with pytest.raises(ValueError, match="two resolvers"):
        registry.field("Container.withExec")(resolve)


def test_fresh_depends_on_the_arguments() -> None:
    registry = ResolverRegistry()
    registry.field("Host.directory", args=("noCache",), fresh=lambda args: bool(args["noCache"]))(resolve)
    spec = registry.spec("Host.directory", {"noCache": True}, {"noCache": False})
    assert spec.is_fresh({"noCache": True})
    assert not spec.is_fresh({"noCache": False})

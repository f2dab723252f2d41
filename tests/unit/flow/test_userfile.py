from __future__ import annotations

import ast
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

from pipelines import Check, Verdict, pipeline
from pipelines.errors import GraphError, UsageError
from pipelines.flow.api import definition_of
from pipelines.flow.userfile import user_steps, uses_others

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pipelines.flow.userfile import UserSteps

    Read = Callable[[str], UserSteps]


@pytest.fixture
def read(tmp_path: Path) -> Iterator[Read]:
    def read(text: str) -> UserSteps:
        (tmp_path / "lockgate.py").write_text(textwrap.dedent(text))
        return user_steps(tmp_path)

    yield read
    if str(tmp_path) in sys.path:
        sys.path.remove(str(tmp_path))


def test_no_file_no_steps(tmp_path: Path) -> None:
    assert user_steps(tmp_path).steps == ()


def test_marked_functions_become_steps_in_the_order_they_are_named(read: Read) -> None:
    smoke, edge = read("""
        from pipelines import Check, BuiltImage, Verdict, pipeline

        @pipeline.step
        async def smoke(image_shop: BuiltImage, retries: int = 3) -> Check:
            '''Ask the service how it is.

            More.
            '''
            return Check(verdict=Verdict.PASS)

        async def helper(): ...

        @pipeline.step(kind="deploy", name="edge", after=("test.unit",), timeout="5m", retries=0)
        async def to_edge(smoke, ctx: "StepContext") -> None: ...

        again = smoke
    """).steps
    assert (smoke.id, smoke.provides, smoke.describe) == ("step.smoke", "pipelines.model.check.Check", "Ask the service how it is.")
    assert [(parameter.name, parameter.annotation) for parameter in smoke.parameters] == [
        ("image_shop", "pipelines.model.image.BuiltImage")
    ]
    assert (edge.id, edge.after, edge.limits.timeout_s, edge.limits.retries) == ("deploy.edge", ("test.unit",), 300.0, 0)
    assert [(parameter.name, parameter.annotation) for parameter in edge.parameters] == [("smoke", None), ("ctx", "StepContext")]


def test_annotations_are_text_and_never_evaluated(read: Read) -> None:
    (step,) = read("""
        from __future__ import annotations
        from typing import TYPE_CHECKING
        from pipelines import pipeline
        if TYPE_CHECKING:
            import dagger
        @pipeline.step
        async def smoke(client: dagger.Client) -> NoSuchType: ...
    """).steps
    assert step.parameters[0].annotation == "dagger.Client"
    assert step.provides == "NoSuchType"


def test_steps_may_live_in_a_module_beside(read: Read, tmp_path: Path) -> None:
    (tmp_path / "beside_7f3a.py").write_text("from pipelines import pipeline\n@pipeline.step\nasync def shared() -> None: ...\n")
    assert [step.id for step in read("from beside_7f3a import shared\n").steps] == ["step.shared"]


def test_a_file_of_the_project_stands_in_for_no_library(read: Read, tmp_path: Path) -> None:
    """The file itself asserts."""
    (tmp_path / "colorsys.py").write_text("MINE = True\n")
    read("import colorsys\nassert not hasattr(colorsys, 'MINE')\n")


def test_the_function_stays_what_it_was() -> None:
    @pipeline.step
    async def smoke() -> Check:
        return Check(verdict=Verdict.PASS)

    assert smoke.__name__ == "smoke"
    definition = definition_of(smoke)
    assert definition is not None
    assert definition.load() is smoke


def test_values_of_the_projects_own_are_dataclasses_as_everywhere(read: Read) -> None:
    """The decorator looks for the module of its class, and fails where that is not known."""
    read("""
        from __future__ import annotations
        from dataclasses import dataclass
        @dataclass(frozen=True)
        class Seed:
            count: int
    """)


def test_dagger_at_the_top_is_hinted_at(read: Read) -> None:
    (note,) = read("import json\nfrom dagger import dag\n").notes
    assert note.startswith("lockgate.py:2 imports dagger for every plan")


def test_dagger_for_the_type_checker_is_not(read: Read) -> None:
    text = "from __future__ import annotations\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import dagger\n"
    assert read(text).notes == ()


def test_an_annotation_that_is_evaluated_gets_the_remedy(read: Read) -> None:
    with pytest.raises(UsageError) as caught:
        read("from pipelines import pipeline\n@pipeline.step\nasync def smoke(client: dagger.Client) -> None: ...\n")
    assert caught.value.next_step is not None
    assert "from __future__ import annotations" in caught.value.next_step


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def x(:\n", r"lockgate\.py:1: invalid syntax"),
        ("x = 1\nimport no_such_module_7f3a\n", r"lockgate\.py:2: ModuleNotFoundError: No module named"),
        ("\n\n1 / 0\n", r"lockgate\.py:3: ZeroDivisionError"),
        ("def f():\n    raise ValueError('deep')\nf()\n", r"lockgate\.py:2: ValueError: deep"),
        ("import sys\nsys.exit(3)\n", r"lockgate\.py:2: SystemExit: 3"),
        ("\0", r"lockgate\.py"),
        ("class Odd(BaseException): ...\nraise Odd('x')\n", r"lockgate\.py:2: Odd: x"),
        ("class Mute(Exception):\n    def __str__(self): 1 / 0\nraise Mute\n", r"lockgate\.py:3: Mute"),
        ("raise ExceptionGroup('many', [ValueError(1)])\n", r"lockgate\.py:1: ExceptionGroup: many"),
        ("import asyncio\nraise asyncio.CancelledError\n", r"lockgate\.py:2: CancelledError"),
        (f"x = {'(' * 5000}{')' * 5000}\n", r"lockgate\.py"),
        ("def f(): f()\nf()\n", r"lockgate\.py:1: RecursionError"),
    ],
)
def test_a_file_that_fails_is_one_message_with_its_line(read: Read, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        read(text)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("@pipeline.step\ndef smoke(): ...", "write `async def smoke"),
        ("@pipeline.step\nasync def smoke(*images): ...", "cannot be met by name"),
        ("@pipeline.step\nasync def smoke(**images): ...", "cannot be met by name"),
        ("@pipeline.step\nasync def smoke(image, /): ...", "cannot be met by name"),
        ("@pipeline.step(name='a b')\nasync def smoke(): ...", "'a b' cannot be a part of an id"),
        ("@pipeline.step(kind='a.b')\nasync def smoke(): ...", "'a.b' cannot be a part of an id"),
        ("@pipeline.step(timeout='soon')\nasync def smoke(): ...", "expected a duration"),
        ("@pipeline.step(retries=-1)\nasync def smoke(): ...", "retries must be 0 or more"),
        ("@pipeline.step(after='test.unit')\nasync def smoke(): ...", "after is a tuple of ids"),
    ],
)
def test_a_step_that_cannot_be_one(read: Read, text: str, message: str) -> None:
    with pytest.raises(GraphError) as caught:
        read("from pipelines import pipeline\n" + text + "\n")
    assert message in "\n".join(caught.value.lines())


def test_an_error_of_ours_is_the_files_failure_too(read: Read) -> None:
    with pytest.raises(UsageError, match="mine") as caught:
        read("from pipelines import StepFailed\nraise StepFailed('mine')\n")
    assert caught.value.exit_code == 2


def test_an_object_that_cannot_be_looked_at_is_no_step(read: Read) -> None:
    proxy = "class Proxy:\n    def __getattr__(self, name): raise RuntimeError(name)\n    __class__ = property(lambda self: 1 / 0)\n"
    assert read(f"{proxy}current = Proxy()\n").steps == ()


def test_the_former_name_of_a_type_is_told_with_the_new_one(read: Read) -> None:
    with pytest.raises(UsageError) as caught:
        read("from pipelines import Image, pipeline")
    assert caught.value.next_step == "Image is now BuiltImage, or PublishedImage for what publish gives"


@pytest.mark.parametrize(
    ("imports", "uses"),
    [
        ("import json, os.path", False),
        ("if TYPE_CHECKING:\n    import dagger", False),
        ("if typing.TYPE_CHECKING:\n    import dagger\nelse:\n    import helpers", True),
        ("def look():\n    from dagger import dag", True),
        ("async def look():\n    if True:\n        import dagger.client", True),
        ("from . import helpers", True),
        ("import helpers", True),
        ("from pipelines.model import Check", False),
    ],
)
def test_a_file_that_may_use_the_engine_by_itself(imports: str, uses: bool) -> None:
    assert uses_others(ast.parse(imports)) is uses

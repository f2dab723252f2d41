from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import GraphError, NothingSelected
from pipelines.flow.graph import FromGiven, FromStep, with_selected
from pipelines.flow.selection import select
from pipelines.flow.wiring import build
from pipelines.steps.definition import Parameter, StepDef

if TYPE_CHECKING:
    from collections.abc import Callable


def step(step_id: str, provides: str | None = "Check", after: tuple[str, ...] = (), **parameters: str | None) -> StepDef:
    kind, _, name = step_id.partition(".")
    wanted = tuple(Parameter(name=name, annotation=annotation) for name, annotation in parameters.items())

    async def nothing() -> None: ...

    return StepDef(id=step_id, kind=kind, name=name, parameters=wanted, provides=provides, load=lambda: nothing, after=after)


IMAGE = step("image.shop", "BuiltImage")


def refused(*steps: StepDef) -> GraphError:
    with pytest.raises(GraphError) as caught:
        build(steps)
    assert caught.value.exit_code == 2
    return caught.value


def test_a_parameter_is_met_by_given_type_by_name_and_by_type() -> None:
    graph = build(
        [
            IMAGE,
            step("test.unit", image_shop="BuiltImage", client="dagger.Client", ctx="StepContext"),
            step("scan.a", image="'pipelines.BuiltImage | None'", project="pipelines.model.Project"),
        ]
    )
    assert graph.nodes["test.unit"].bindings == {
        "image_shop": FromStep("image.shop"),
        "client": FromGiven("dagger.Client"),
        "ctx": FromGiven("StepContext"),
    }
    assert graph.nodes["scan.a"].bindings == {"image": FromStep("image.shop"), "project": FromGiven("Project")}


def test_a_foreign_type_of_the_same_name_is_no_given() -> None:
    error = refused(step("step.a", redis="redis.Client"))
    assert "step.a needs redis: redis.Client, and no step returns it" in error.message


def test_a_class_from_where_it_is_defined_is_the_given() -> None:
    graph = build([step("step.a", client="dagger.client.gen.Client")])
    assert graph.wants("dagger.Client")


def test_dots_and_dashes_are_spelled_with_underscores() -> None:
    graph = build([step("image.my-shop", "BuiltImage"), step("test.unit", image_my_shop=None)])
    assert graph.nodes["test.unit"].needs == ("image.my-shop",)


def test_two_ids_that_are_spelled_alike_are_ambiguous() -> None:
    error = refused(step("image.a-b", "BuiltImage"), step("image.a_b", "BuiltImage"), step("test.unit", image_a_b="BuiltImage"))
    assert "2 steps return it" in error.message


def test_a_user_step_is_known_by_its_function_name() -> None:
    graph = build([step("step.seed", "Seed"), step("step.smoke", seed="Seed"), step("step.more", step_seed="Seed")])
    assert graph.nodes["step.smoke"].needs == graph.nodes["step.more"].needs == ("step.seed",)


def test_a_step_may_take_the_only_other_value_of_the_type_it_gives() -> None:
    graph = build([IMAGE, step("step.signed", "BuiltImage", image="BuiltImage")])
    assert graph.nodes["step.signed"].needs == ("image.shop",)


def test_several_of_a_type_are_candidates() -> None:
    error = refused(IMAGE, step("image.api", "BuiltImage"), step("test.unit", image="BuiltImage"))
    assert error.message == "test.unit needs image: BuiltImage, and 2 steps return it"
    assert error.cause == "candidates: image_shop: BuiltImage, image_api: BuiltImage"


def test_nothing_fits_and_the_near_name_is_suggested() -> None:
    error = refused(IMAGE, step("test.unit", image_shp="Picture"))
    assert "did you mean image_shop?" in error.message
    assert error.cause == "candidates: image_shop: BuiltImage"


def test_a_name_with_the_wrong_type() -> None:
    error = refused(IMAGE, step("test.unit", image_shop="Check"))
    assert error.message == "test.unit takes image_shop: Check, but image.shop gives BuiltImage"


def test_a_cycle_is_a_path() -> None:
    error = refused(step("step.a", c=None), step("step.b", a=None), step("step.c", b=None))
    assert "step.a -> step.c -> step.b -> step.a" in error.message


def test_two_steps_of_one_id() -> None:
    assert refused(IMAGE, IMAGE).message == "two steps have the id image.shop"


def test_after_must_name_a_step() -> None:
    assert "did you mean test.unit?" in refused(step("test.unit"), step("publish.a", after=("test.units",))).message


def test_needs_hold_each_id_once_values_first() -> None:
    graph = build([IMAGE, step("test.unit"), step("publish.a", image_shop="BuiltImage", after=("test.unit", "image.shop"))])
    assert graph.nodes["publish.a"].needs == ("image.shop", "test.unit")


SHOP = (
    IMAGE,
    step("test.unit", image_shop="BuiltImage"),
    step("test.e2e", image_shop="BuiltImage"),
    step("scan.sources"),
    step("step.smoke"),
)


@pytest.mark.parametrize(
    ("words", "selected"),
    [
        ((), {"image.shop", "test.unit", "test.e2e", "scan.sources", "step.smoke"}),
        (("test.unit",), {"image.shop", "test.unit"}),
        (("test",), {"image.shop", "test.unit", "test.e2e"}),
        (("scan", "smoke"), {"scan.sources", "step.smoke"}),
        (("step",), {"step.smoke"}),
    ],
)
def test_words_select_with_what_they_need(words: tuple[str, ...], selected: set[str]) -> None:
    assert select(build(SHOP), words).selected == selected


@pytest.mark.parametrize(
    ("word", "hint"), [("tset", "did you mean test?"), ("test.untl", "did you mean test.unit?"), ("qqqq", "is not a step")]
)
def test_a_word_that_means_nothing(word: str, hint: str) -> None:
    with pytest.raises(NothingSelected) as caught:
        select(build(SHOP), ["image", word])
    assert hint in caught.value.message
    assert caught.value.exit_code == 3


def test_only_working_steps_want_an_engine(make: Callable[..., Any]) -> None:
    async def needs_engine(client: dagger.Client) -> None: ...  # type: ignore[name-defined]  # noqa: F821

    assert build([make(needs_engine)]).wants("dagger.Client")
    assert not build([make(needs_engine, skip="not now")]).wants("dagger.Client")
    both = build([make(needs_engine), IMAGE])
    assert not select(both, ["image.shop"]).wants("dagger.Client")


def test_what_takes_a_value_of_a_step_wants_what_that_step_wants(make: Callable[..., Any]) -> None:
    async def needs_engine(client: dagger.Client) -> None: ...  # type: ignore[name-defined]  # noqa: F821

    first = make(needs_engine)
    graph = build([first, replace(step("step.b", None), parameters=(Parameter(name=first.id.replace(".", "_"), annotation=None),)), IMAGE])
    assert graph.wanting("dagger.Client") == {first.id, "step.b"}
    assert graph.wanting("StepContext") == set()


PUBLISHED = step("publish.shop", "PublishedImage", image_shop="BuiltImage")


def test_published_and_built_images_are_told_apart_by_type() -> None:
    graph = build([IMAGE, PUBLISHED, step("step.a", published="PublishedImage"), step("step.b", built="pipelines.BuiltImage")])
    assert graph.nodes["step.a"].needs == ("publish.shop",)
    assert graph.nodes["step.b"].needs == ("image.shop",)
    assert "no step returns it" in refused(IMAGE, step("step.a", published="PublishedImage")).message


@given(
    steps=st.lists(st.sampled_from(["image", "publish", "test"]), min_size=1, max_size=6),
    name=st.sampled_from(["published", "image", "image_s0", "publish_s0", "image_s1", "publish_s1", "anything"]),
    annotation=st.sampled_from(["PublishedImage", "pipelines.PublishedImage", "PublishedImage | None", "'pipelines.PublishedImage'"]),
)
def test_what_was_not_published_is_never_bound_for_a_published_image(steps: list[str], name: str, annotation: str) -> None:
    provides = {"image": "BuiltImage", "publish": "PublishedImage", "test": "Check"}
    others = [step(f"{kind}.s{number}", provides[kind]) for number, kind in enumerate(steps)]
    try:
        graph = build([*others, replace(step("step.taker"), parameters=(Parameter(name=name, annotation=annotation),))])
    except GraphError:
        return
    assert all(need.startswith("publish.") for need in graph.nodes["step.taker"].needs)


@pytest.mark.parametrize("annotation", ["Image", "pipelines.Image", "Image | None"])
def test_the_former_name_of_a_type_is_told_with_the_new_one(annotation: str) -> None:
    error = refused(IMAGE, step("step.a", picture=annotation))
    assert error.cause == "candidates: image_shop: BuiltImage"
    assert error.next_step == f"{annotation} is now BuiltImage, or PublishedImage for what publish gives"


def test_who_wants_a_type_is_whoever_takes_it_or_a_value_made_of_it() -> None:
    graph = build([step("step.a", client="dagger.Client"), step("step.b", step_a=None), step("step.c", note="Project")])
    assert graph.wanting("dagger.Client") == {"step.a", "step.b"}
    assert graph.wants("dagger.Client")
    assert not with_selected(graph, frozenset({"step.c"})).wants("dagger.Client")


def test_a_step_that_gives_nothing_meets_no_type() -> None:
    with pytest.raises(GraphError, match="no step returns it"):
        build([step("step.a", provides=None), step("step.b", value="Check")])

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipelines.engine.embedded.ops.values import config as pairs
from pipelines.engine.embedded.ops.values.config import Config, ExposedPort

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="="), min_size=1, max_size=8)
WORDS = st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=3).map(tuple)
CONFIGS = st.builds(
    Config,
    env=st.dictionaries(NAMES, st.text(max_size=8), max_size=4).map(lambda found: tuple(found.items())),
    user=st.sampled_from(["", "1000", "app:app"]),
    workdir=st.sampled_from(["", "/srv"]),
    entrypoint=st.none() | WORDS,
    cmd=st.none() | WORDS,
    labels=st.dictionaries(NAMES, st.text(max_size=8), max_size=3).map(lambda found: tuple(found.items())),
    ports=st.sets(st.integers(1, 65535), max_size=3).map(lambda found: tuple(ExposedPort(number) for number in sorted(found))),
    volumes=st.sets(st.sampled_from(["/data", "/var"]), max_size=2).map(tuple),
    stop_signal=st.none() | st.just("SIGTERM"),
    shell=st.none() | WORDS,
    onbuild=st.lists(st.just("RUN true"), max_size=2).map(tuple),
    healthcheck=st.none() | st.just((("Test", ("CMD", "true")), ("Retries", 3))),
)


@given(CONFIGS)
def test_an_image_configuration_survives_the_round_trip(config: Config) -> None:
    assert Config.from_oci(config.to_oci()) == config


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz")), max_size=12))
def test_pairs_keep_the_last_value_in_the_first_place(changes: list[tuple[str, str]]) -> None:
    model: dict[str, str] = {}
    got: pairs.Pairs = ()
    for name, value in changes:
        model[name] = value
        got = pairs.put(got, name, value)
    assert got == tuple(model.items())
    for name in "abc":
        assert pairs.get(got, name) == model.get(name)
        assert dict(pairs.drop(got, name)) == {key: value for key, value in model.items() if key != name}


def test_members_that_are_null_or_missing_are_as_good_as_empty() -> None:
    nulls: dict[str, Any] = {"Env": None, "Cmd": None, "Labels": None, "ExposedPorts": None, "Volumes": None, "User": None}
    assert Config.from_oci(nulls) == Config.from_oci({}) == Config()


def test_an_exposed_port_without_protocol_is_tcp() -> None:
    assert Config.from_oci({"ExposedPorts": {"53/udp": {}, "80": {}}}).ports == (ExposedPort(53, "UDP"), ExposedPort(80, "TCP"))

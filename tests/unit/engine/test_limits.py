"""What `[engine]` says reaches the engine's process as it was said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.engine.embedded.main import main
from pipelines.engine.limits import CPUS, INSECURE, MEMORY, PROCESSES, read, variables
from pipelines.model import EngineSpec, Insecure

SPECS = st.builds(
    EngineSpec,
    insecure=st.sampled_from(Insecure),
    memory=st.none() | st.integers(min_value=1, max_value=2**60),
    cpus=st.none() | st.floats(min_value=0.01, max_value=1e6),
    processes=st.integers(min_value=64, max_value=10**6),
)


@given(SPECS)
def test_what_is_told_is_read(spec: EngineSpec) -> None:
    assert read(variables(spec)) == spec


def test_nothing_said_is_the_default() -> None:
    assert read({}) == EngineSpec() == read(dict.fromkeys((INSECURE, MEMORY, CPUS, PROCESSES), " "))


def test_a_person_may_write_a_size() -> None:
    assert read({MEMORY: "2GiB"}).memory == 2 << 30


@pytest.mark.parametrize(
    ("name", "text"),
    [(INSECURE, "yes"), (MEMORY, "lots"), (MEMORY, "0"), (CPUS, "none"), (CPUS, "0"), (CPUS, "nan"), (PROCESSES, "0"), (PROCESSES, "-1")],
)
def test_a_wrong_value_is_refused_with_its_variable_before_a_session_is_open(
    name: str, text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, text)
    assert main(["session"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"lockgate-engine: {name}={text!r}: expected ")


@given(st.dictionaries(st.sampled_from([INSECURE, MEMORY, CPUS, PROCESSES]), st.text(max_size=30)))
def test_any_value_is_read_or_refused(environ: dict[str, str]) -> None:
    said = ""
    try:
        read(environ)
    except ValueError as error:
        said = str(error)
    assert not said or any(said.startswith(f"{name}=") for name in environ)

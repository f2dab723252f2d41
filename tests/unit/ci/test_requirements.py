"""requirements.lock holds what pyproject.toml asks for, by hash, and names no index."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from pathlib import Path

LOCKS = ("requirements.lock", *(f"examples/shop/requirements{part}.txt" for part in ("", "-test", "-build")))
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;]+)", re.MULTILINE)


def pins(file: Path) -> dict[str, str]:
    return {canonicalize_name(name): version for name, version in PIN.findall(file.read_text())}


def asked(file: Path, *extras: str) -> list[Requirement]:
    project = tomllib.loads(file.read_text())["project"]
    lines = [*project["dependencies"], *(line for extra in extras for line in project["optional-dependencies"][extra])]
    return [Requirement(line) for line in lines]


@pytest.mark.parametrize(
    ("project", "extras", "lock"),
    [
        ("pyproject.toml", ("dev",), "requirements.lock"),
        ("examples/shop/pyproject.toml", (), "examples/shop/requirements.txt"),
        ("examples/shop/pyproject.toml", ("test",), "examples/shop/requirements-test.txt"),
    ],
)
def test_every_requirement_is_pinned_to_a_version_it_allows(checkout: Path, project: str, extras: tuple[str, ...], lock: str) -> None:
    found = pins(checkout / lock)
    for requirement in asked(checkout / project, *extras):
        name = canonicalize_name(requirement.name)
        assert name in found, f"{lock} has no {name}: make it again (CONTRIBUTING.md)"
        assert requirement.specifier.contains(found[name], prereleases=True), f"{lock}: {name} {found[name]} is not {requirement.specifier}"


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_a_hash_and_no_index_is_named(checkout: Path, lock: str) -> None:
    text = (checkout / lock).read_text()
    blocks = re.split(r"\n(?=\S)", text.strip())
    assert all("--hash=sha256:" in block for block in blocks)
    assert not re.search(r"https?:|--index|--find-links|--extra-index", text)


def test_what_ships_is_what_is_tested(checkout: Path) -> None:
    shipped, tested = (pins(checkout / "examples/shop" / name) for name in ("requirements.txt", "requirements-test.txt"))
    assert shipped.items() <= tested.items()

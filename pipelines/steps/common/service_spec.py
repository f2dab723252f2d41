"""What the configuration says of services that steps talk to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSpec:
    """A service bound by name: an image of this project or a foreign reference, its port, and how to know it is up.

    `health` is a path answered with 2xx or 3xx over HTTP; without it, an open port is enough. It must be well within `deadline_s` seconds.
    """

    image: str
    port: int
    target: str | None = None
    command: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    health: str | None = None
    deadline_s: float = 60.0


def service_of(values: Mapping[str, Any]) -> ServiceSpec:
    """The service that a table describes (`pipelines.steps.common.service_table`)."""
    return ServiceSpec(
        image=values["image"],
        port=values["port"],
        target=values.get("target"),
        command=tuple(values["command"]),
        env=values["env"],
        health=values.get("health"),
        deadline_s=values["deadline"],
    )

"""Who may start containers with all capabilities of the machine: `[engine] insecure`, LOCKGATE_ENGINE_INSECURE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.engine.embedded.errors import NotAllowed
from pipelines.model import Insecure

if TYPE_CHECKING:
    from pipelines.model import EngineSpec


def permit_api(limits: EngineSpec, field: str) -> None:
    """Allow a program of the API a container with all capabilities.

    Raises:
        NotAllowed: `[engine] insecure` is "none".
    """
    if limits.insecure is Insecure.NONE:
        raise NotAllowed(f"{field}(insecureRootCapabilities:)", _SETTING.format(word="api"))


def permit_dockerfile(limits: EngineSpec, line: int) -> None:
    """Allow a RUN of a Dockerfile, or of an ONBUILD trigger of its base image, all capabilities.

    Raises:
        NotAllowed: `[engine] insecure` is not "all".
    """
    if limits.insecure is not Insecure.ALL:
        raise NotAllowed(f"RUN --security=insecure (line {line})", _SETTING.format(word="all"))


_SETTING = 'insecure = "{word}" in [engine] of lockgate.toml, or LOCKGATE_ENGINE_INSECURE={word} in the environment of the engine'

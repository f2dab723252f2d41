"""Fields that older SDKs had, and what takes their place: a Dagger engine shows each to clients of the versions that had it (`View`)."""

from __future__ import annotations

FORMER = {
    "Container.build": ("0.19", "Directory.dockerBuild (in Python: context.docker_build())"),
    "Container.pipeline": ("0.13", ""),
    "Directory.pipeline": ("0.13", ""),
    "Query.pipeline": ("0.13", ""),
    "Container.withFocus": ("0.13.4", ""),
    "Container.withoutFocus": ("0.13.4", ""),
    "GitRepository.withAuthToken": ("0.19", "the argument httpAuthToken of Query.git"),
    "GitRepository.withAuthHeader": ("0.19", "the argument httpAuthHeader of Query.git"),
}


def former(type_name: str, field: str) -> str:
    """What is to be added to the error for a field that is not there; "" where no older SDK had it."""
    name = f"{type_name}.{field}"
    if name not in FORMER:
        return ""
    version, instead = FORMER[name]
    return f" SDKs before {version} had it; use {instead} instead." if instead else f" SDKs before {version} had it; leave it out."

"""The answers to the API's fields. Importing this package registers them all."""

from __future__ import annotations

from pipelines.engine.embedded.api.fields import (
    build,
    changeset,
    container_config,
    container_exec,
    container_files,
    container_mounts,
    directory,
    engine,
    env_file,
    failing,
    file,
    health,
    host,
    json_value,
    publish,
    query,
    remote,
    search,
    service,
)

__all__ = [
    "build",
    "changeset",
    "container_config",
    "container_exec",
    "container_files",
    "container_mounts",
    "directory",
    "engine",
    "env_file",
    "failing",
    "file",
    "health",
    "host",
    "json_value",
    "publish",
    "query",
    "remote",
    "search",
    "service",
]

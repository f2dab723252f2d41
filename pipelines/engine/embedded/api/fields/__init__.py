"""The answers to the API's fields. Importing this package registers them all."""

from __future__ import annotations

from pipelines.engine.embedded.api.fields import (
    build,
    container_config,
    container_exec,
    container_files,
    container_mounts,
    directory,
    file,
    host,
    publish,
    query,
    remote,
    service,
)

__all__ = [
    "build",
    "container_config",
    "container_exec",
    "container_files",
    "container_mounts",
    "directory",
    "file",
    "host",
    "publish",
    "query",
    "remote",
    "service",
]

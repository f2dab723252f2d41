"""git on repositories: hooks are off, and settings of the machine do not count."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pipelines.engine.embedded.errors import EmbeddedUnavailable, ToolError
from pipelines.foundation.process import running
from pipelines.foundation.process.result import OutputTooLarge
from pipelines.foundation.redaction import without_passwords

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.engine.embedded.ops.values.repository import GitRepository

LARGEST_OUTPUT = 256 << 20  # bytes of a list of refs
NO_HOOKS = ("-c", f"core.hooksPath={os.devnull}")
# What git sets for its hooks, which may have started us: it means another repository (git rev-parse --local-env-vars).
OF_ONE_REPOSITORY = {
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_QUARANTINE_PATH",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
}
COMPLAINT = 400  # characters of git's last message that an error quotes


async def git(repository: GitRepository, arguments: Sequence[str]) -> str:
    """Run git; returns what it printed.

    Raises:
        ToolError: it failed; the message has the end of what git printed.
        EmbeddedUnavailable: it is not installed.
    """
    inherited = {name: value for name, value in os.environ.items() if name not in OF_ONE_REPOSITORY}
    environment = {
        **inherited,
        **({"GIT_CONFIG_GLOBAL": os.devnull} if repository.source is not None else {}),
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_NOSYSTEM": "1",
        "LC_ALL": "C.UTF-8",
        **repository.environment,
    }
    try:
        done = await running.run(["git", *NO_HOOKS, *arguments], env=environment, stdout_limit=LARGEST_OUTPUT)
    except FileNotFoundError:
        raise EmbeddedUnavailable("git fetches repositories, and it is not installed: install the package git") from None
    except OutputTooLarge as error:
        raise ToolError(f"git: {without_passwords(repository.url)}: {error}") from None
    if done.code:
        raise ToolError(without_passwords(f"git: {repository.url}: {done.complaint[-COMPLAINT:]}"))
    return done.text

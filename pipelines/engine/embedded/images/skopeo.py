"""Skopeo as a process: the one way images come from registries and go to them."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.engine.embedded.errors import EngineError, ImageError, Unavailable
from pipelines.engine.embedded.images.logins import auth_file
from pipelines.engine.embedded.store.guard import full
from pipelines.foundation.process import running
from pipelines.foundation.process.result import OutputTooLarge, ProcessTimeout

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipelines.engine.embedded.images.logins import Login

PROGRAM = "skopeo"
POLICIES = ("/etc/containers/policy.json", ".config/containers/policy.json")
ANSWER = 15.0  # seconds a registry has to answer a small question; skopeo itself would wait for ever
MESSAGE = re.compile(r'msg="((?:[^"\\]|\\.)*)"')
MISSING = re.compile(
    r"manifest unknown|name unknown|repository name not known|name_unknown|manifest_unknown|blob unknown|404 \(not found\)|statuscode: 404",
    re.IGNORECASE,
)
DENIED = re.compile(r"unauthorized|authentication required|access to the resource is denied|denied:|403 \(Forbidden\)|401 \(Unauthorized\)")
NO_ROOM = re.compile(r"(?:write|mkdir|open) (/[^:]*): (?:no space left on device|disk quota exceeded)")
REQUEST = re.compile(r'(?:Get|Head|Post|Put|Patch) "https?://.*', re.DOTALL)


class NotThere(ImageError):  # noqa: N818 - reads as a sentence where it is caught
    """The registry answered, and has no such image."""


async def run(
    arguments: Sequence[str], logins: Mapping[str, Login], *, stdout_limit: int = 16 << 20, timeout_s: float | None = None
) -> bytes:
    """Run skopeo to its end and return what it printed.

    Cancelling ends the process first.

    Args:
        arguments: subcommand and flags; ``--authfile`` and a missing signature policy are cared for here.
        logins: credentials by registry.
        stdout_limit: bytes; a manifest is smaller (registries refuse above 4 MiB).
        timeout_s: seconds until it is ended, for what takes no time unless the registry accepts connections and then says nothing.

    Raises:
        Unavailable: skopeo is not installed.
        NotThere: the registry has not what was asked for.
        ImageError: with skopeo's reason, or that it took too long.
    """
    with auth_file(logins) as file:
        command = [PROGRAM, *_policy(), arguments[0], *([] if file is None else ["--authfile", str(file)]), *arguments[1:]]
        try:
            done = await running.run(command, timeout_s=timeout_s, stdout_limit=stdout_limit)
        except FileNotFoundError:
            raise Unavailable("images are pulled and pushed by skopeo, which is not installed: install the package skopeo") from None
        except ProcessTimeout:
            raise ImageError(f"the registry gave no answer within {timeout_s:g} s") from None
        except OutputTooLarge:
            raise ImageError(f"skopeo {arguments[0]} answered with more than {stdout_limit} bytes: that is not a manifest") from None
    if done.code:
        raise fault(done.complaint, done.code)
    return done.stdout


def _policy() -> list[str]:
    """Skopeo refuses to work without a signature policy; where the machine has none, everything is accepted, as docker does."""
    home = os.environ.get("HOME", "/")
    return [] if any((Path(home) / place).exists() for place in POLICIES) else ["--insecure-policy"]


def fault(stderr: str, code: int) -> EngineError:
    """What went wrong, from skopeo's log lines."""
    messages = MESSAGE.findall(stderr)
    text = messages[-1] if messages else stderr.strip()[-500:]
    text = re.sub(r"\\(.)", r"\1", text) or f"skopeo ended with exit code {code}"
    if room := NO_ROOM.search(text):
        return full(Path(room[1]).parent)
    if MISSING.search(text):
        return NotThere(text)
    if DENIED.search(text):
        return ImageError(f"{text} (log in to the registry, for example with `skopeo login`, or give its credentials to the pipeline)")
    request = REQUEST.search(text)
    return ImageError(f"failed to do request: {request[0]}" if request else text)

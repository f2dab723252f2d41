"""Whether an engine answers at its address: asked before anything waits for it, and again while it works.

An address is what a Dagger CLI takes as a runner host. `unix://PATH` and `tcp://HOST:PORT` can be asked; what the other kinds
(`docker-container://`, `kube-pod://`, ...) mean is known to the CLI alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pipelines.errors import EngineUnavailable

if TYPE_CHECKING:
    from anyio.abc import ByteStream

REACH_S = 5.0
"""An engine that does not accept a connection within this many seconds counts as not there."""
_UNIX, _TCP = "unix://", "tcp://"


def can_be_asked(address: str) -> bool:
    """Whether `reach` can tell anything about the address."""
    return address.startswith((_UNIX, _TCP))


async def reach(address: str, *, within_s: float = REACH_S) -> None:
    """Connect to an engine and hang up.

    Raises:
        EngineUnavailable: nobody accepts a connection at the address, or it is not a valid one; with the address in the message.
    """
    import anyio

    why = None
    try:
        with anyio.fail_after(within_s):
            stream = await _connect(address)
            await stream.aclose()
    except TimeoutError:
        why = f"no connection within {within_s:g} s"
    except ValueError as error:
        why = str(error)
    except OSError as error:
        why = _reason(error)
    if why is not None:
        raise EngineUnavailable(
            f"the engine at {address} does not answer",
            cause=why,
            next_step="start that engine, correct _EXPERIMENTAL_DAGGER_RUNNER_HOST, or unset it",
        )


async def _connect(address: str) -> ByteStream:
    import anyio

    if address.startswith(_UNIX):
        return await anyio.connect_unix(address.removeprefix(_UNIX))
    parts = urlsplit(address)
    if not parts.hostname or parts.port is None:
        raise ValueError("the address has no host and port: tcp://HOST:PORT")
    return await anyio.connect_tcp(parts.hostname, parts.port)


def _reason(error: OSError) -> str:
    if isinstance(error.__cause__, OSError):
        error = error.__cause__
    if isinstance(error, FileNotFoundError):
        return "there is no socket at that path"
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there"
    return error.strerror or str(error)

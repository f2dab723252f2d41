"""Where a secret is: never what it is."""

from __future__ import annotations

import re
from dataclasses import dataclass

_BLANKS = " \t\n"
_PROGRAM = re.compile(r"[ \t\n]*([\w./+~-]*)")
"""The beginning of a command, up to what may be an argument, an assignment (`TOKEN=…`) or more than one command."""


@dataclass(frozen=True, slots=True)
class SecretRef:
    """A reference to a secret, as a URI: `env://NAME`, `file://PATH`, `cmd://COMMAND`, or another scheme that the engine knows.

    Its text (`str`, `repr`) names the place, for logs and messages. Of a command only the program is shown: the
    rest may be a secret itself. Who reads the secret takes `uri`.
    """

    uri: str

    @property
    def scheme(self) -> str:
        """What kind of place it is: `env`, `file`, `cmd` …; empty when the text is not a URI."""
        scheme, separator, _ = self.uri.partition("://")
        return scheme if separator else ""

    @property
    def name(self) -> str:
        """What comes after the scheme: a variable, a path, a command."""
        return self.uri.partition("://")[2]

    def __str__(self) -> str:
        if self.scheme in {"env", "file"}:
            return self.uri
        if self.scheme == "cmd":
            program = "".join(_PROGRAM.findall(self.name)[:1])
            return f"cmd://{program}{' …' if self.name.strip(_BLANKS) != program else ''}"
        return f"{self.scheme}://…" if self.scheme else "…"

    def __repr__(self) -> str:
        return f"SecretRef({self})"

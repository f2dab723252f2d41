"""The installed Dagger SDK: where it is, which release, and what has been worked out from it before."""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.engine.embedded.errors import EmbeddedUnavailable
from pipelines.foundation.files import replace_bytes

if TYPE_CHECKING:
    from pipelines.engine.embedded.api.schema.types import Schema

VERSION = re.compile(r'^CLI_VERSION = "([^"]+)"', re.MULTILINE)
DERIVATION = ("schema/types.py", "schema/json_format.py", "schema/sdk_schema.py", "schema/introspection.py", "query/introspection_query.py")
MAX_ANSWERS = 16  # remembered for one schema: each SDK release sends two


@dataclass(frozen=True, slots=True)
class Sdk:
    """An installed `dagger-io`.

    Attributes:
        package: its `dagger` folder.
        version: the engine release it was made for.
    """

    package: Path
    version: str

    @property
    def client(self) -> Path:
        """The generated client module."""
        return self.package / "client" / "gen.py"

    def fingerprint(self) -> str:
        """Changes with the SDK's client, and with how we read it."""
        own = Path(__file__).parents[1]
        digest = sha256(self.version.encode())
        for path in (self.client, *(own / name for name in DERIVATION)):
            digest.update(sha256(path.read_bytes()).digest())
        return digest.hexdigest()[:16]


def find_sdk() -> Sdk:
    """The SDK of this Python environment, found without importing it.

    Raises:
        EmbeddedUnavailable: there is none, or not one with a generated client.
    """
    spec = find_spec("dagger")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        package = Path(folder)
        with contextlib.suppress(OSError):
            found = VERSION.search((package / "_engine" / "_version.py").read_text(encoding="utf-8"))
            if found and (package / "client" / "gen.py").is_file():
                return Sdk(package, found[1])
    raise EmbeddedUnavailable("the Dagger SDK is not installed beside the engine; run: pip install dagger-io")


class Derived:
    """What is derived from the SDK, remembered in a folder. Losing it costs 0.1 s, so a problem with the folder is not an error."""

    def __init__(self, sdk: Sdk, folder: Path) -> None:
        self._sdk = sdk
        self._folder = folder / "schema" / f"{sdk.version}-{sdk.fingerprint()}"
        self._schema: Schema | None = None

    def schema(self) -> Schema:
        """The schema, read once.

        Raises:
            EmbeddedUnavailable: the SDK's client cannot be read.
        """
        if self._schema is None:
            self._schema = self._read_schema()
        return self._schema

    def _read_schema(self) -> Schema:
        from pipelines.engine.embedded.api.schema import json_format

        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            return json_format.from_json(json.loads((self._folder / "schema.json").read_bytes()))
        from pipelines.engine.embedded.api.schema.sdk_schema import read_schema

        schema = read_schema(self._sdk.client, f"v{self._sdk.version}")
        self._write("schema.json", json.dumps(json_format.to_json(schema), separators=(",", ":")).encode())
        return schema

    def answer(self, request: bytes) -> bytes | None:
        """The response that `keep` was given for this very request."""
        try:
            return (self._folder / _name(request)).read_bytes()
        except OSError:
            return None

    def keep(self, request: bytes, response: bytes) -> None:
        """Remember the response to a request that asks for nothing but the schema."""
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            if len(list(self._folder.iterdir())) <= MAX_ANSWERS:
                self._write(_name(request), response)

    def _write(self, name: str, content: bytes) -> None:
        """Appear at once and whole, whoever else writes the same."""
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            replace_bytes(self._folder / name, content)


def _name(request: bytes) -> str:
    return f"answer-{sha256(request).hexdigest()[:32]}.json"

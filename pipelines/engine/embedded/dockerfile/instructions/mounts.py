"""``RUN --mount=…``."""

from __future__ import annotations

import csv
import posixpath
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipelines.engine.embedded.dockerfile.errors import Fault
from pipelines.engine.embedded.dockerfile.instructions.origins import BuildContext, Origin
from pipelines.engine.embedded.dockerfile.syntax.numbers import DIGITS, whole_number
from pipelines.engine.embedded.dockerfile.syntax.suggest import hint
from pipelines.engine.embedded.errors import Unsupported

if TYPE_CHECKING:
    from collections.abc import Callable

TYPES = ("bind", "cache", "tmpfs", "secret", "ssh")
SHARING = ("shared", "private", "locked")
OWNED = frozenset({"secret", "ssh", "cache"})  # types that take uid, gid and mode
ALIASES = {"src": "source", "dst": "target", "destination": "target", "ro": "readonly", "rw": "readwrite"}
SWITCHES = frozenset({"readonly", "readwrite", "required"})
KEYS = (*ALIASES, "source", "target", *sorted(SWITCHES), "type", "from", "id", "sharing", "size", "mode", "uid", "gid", "env")
TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})
OCTAL = 8
HIGHEST = 0xFFFFFFFF  # of a mode or an id
SIZE = re.compile(r"(\d+(?:\.\d+)?) ?([kmgtp]?)i?b?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RunMount:
    """One mount, expanded and checked.

    Attributes:
        type: bind, cache, tmpfs or secret.
        origin: what a bind shows, or a cache starts from (Scratch unless ``from`` is given).
        source: path inside the origin.
        target: mount point, relative ones (and the empty one, but for a secret) taken from the working directory.
        id: of a cache volume or secret.
        sharing: of a cache volume: shared, private or locked.
        size: of a tmpfs in bytes, 0 for no limit.
        required: a missing secret is an error.
        env: the variable that holds a secret; None where it is a file.
        mode, uid, gid: of a secret file or of the folder a cache volume begins as; None where not given.
    """

    type: str
    origin: Origin
    source: str = ""
    target: str = ""
    readonly: bool = False
    id: str = ""
    sharing: str = "shared"
    size: int = 0
    required: bool = False
    env: str | None = None
    mode: int | None = None
    uid: int | None = None
    gid: int | None = None

    @property
    def owned(self) -> bool:
        """Whether ``mode``, ``uid`` or ``gid`` say how a cache volume begins; they count only without a ``source``."""
        return posixpath.join("/", self.source) == "/" and not self.mode is self.uid is self.gid is None

    @property
    def cache_id(self) -> str:
        """Names the cache volume: ``id``, by default the target."""
        return self.id or posixpath.normpath(self.target)

    @property
    def secret_id(self) -> str:
        """Names the secret: ``source``, ``id``, or the target's last part."""
        return self.source or self.id or posixpath.basename(self.target)

    @property
    def secret_target(self) -> str:
        """Where the secret's file is, by default in ``/run/secrets``; empty where it is only a variable."""
        if self.env is not None:
            return self.target
        return self.target or f"/run/secrets/{posixpath.basename(self.secret_id)}"


@dataclass(frozen=True, slots=True)
class MountFlag:
    """The flag as written.

    Attributes:
        text: ``type=cache,target=/c``.
        origin: what its ``from`` names; None where it has none.
    """

    text: str
    origin: Origin | None

    def resolve(self, word: Callable[[str], str]) -> RunMount:
        """Expand with ``word``, and check.

        Raises:
            Fault: for an option that does not exist or does not fit the type.
            Unsupported: for ssh.
        """
        options: dict[str, str] = {}
        for text in fields(self.text):
            name, value = option(text)
            options[name] = word(value)
        return _Options(options, self.origin).mount()


def fields(text: str) -> list[str]:
    """The comma-separated options; one with a comma inside is quoted (CSV)."""
    try:
        return next(csv.reader([text], strict=True), [])
    except csv.Error as error:
        raise Fault(f"failed to parse csv mounts: {error}") from None


def option(text: str) -> tuple[str, str]:
    """Name (aliases resolved) and value of one option."""
    key, equals, value = text.partition("=")
    name = ALIASES.get(key.lower(), key.lower())
    if not equals and name not in SWITCHES:
        raise Fault(f"invalid field '{text}' must be a key=value pair")
    if name not in KEYS:
        raise Fault(f"unexpected key '{key.lower()}' in '{text}'" + hint(key.lower(), KEYS))
    return name, value if equals else "true"


@dataclass(slots=True)
class _Options:
    """Checks options against each other."""

    values: dict[str, str]
    origin: Origin | None
    type: str = field(init=False)

    def __post_init__(self) -> None:
        self.type = self.values.get("type", "bind").lower()
        if self.type not in TYPES:
            raise Fault(f'unsupported mount type "{self.values["type"]}"' + hint(self.type, TYPES))
        if self.type == "ssh":
            raise Unsupported("RUN --mount=type=ssh")

    def mount(self) -> RunMount:
        self._fits()
        get = self.values.get
        return RunMount(
            type=self.type,
            origin=self.origin or BuildContext(),
            source=get("source", ""),
            target=get("target", ""),
            readonly=self._readonly(),
            id=get("id", ""),
            sharing=self._sharing(),
            size=_bytes(get("size", "0")),
            required=self._switch("required"),
            env=get("env"),
            mode=self._number("mode", OCTAL),
            uid=self._number("uid", 10),
            gid=self._number("gid", 10),
        )

    def _fits(self) -> None:
        for name in ("mode", "uid", "gid"):
            if name in self.values and self.type not in OWNED:
                raise Fault(f'{name} not allowed for "{self.type}" type mounts')
        for name, mount_type in (("required", "secret"), ("size", "tmpfs")):
            if name in self.values and self.type != mount_type:
                raise Fault(f"unexpected key '{name}' for mount type '{self.type}'")
        if "sharing" in self.values and self.type != "cache":
            raise Fault(f"invalid cache sharing set for {self.type} mount")
        if self.type == "secret":
            self._secret_fits()

    def _secret_fits(self) -> None:
        if "from" in self.values:
            raise Fault("secret mount should not have a from")
        if not any(self.values.get(name) for name in ("source", "target", "id")):
            raise Fault("invalid secret mount. one of source, target required")
        if self.values.get("source") and self.values.get("id"):
            raise Fault("both source and id can't be set")

    def _readonly(self) -> bool:
        if "readwrite" in self.values:
            return not self._switch("readwrite")
        if "readonly" in self.values:
            return self._switch("readonly")
        return self.type not in {"cache", "tmpfs"}

    def _switch(self, name: str) -> bool:
        value = self.values.get(name, "false")
        if value not in TRUE | FALSE:
            raise Fault(f"invalid value for {name}: {value}")
        return value in TRUE

    def _sharing(self) -> str:
        value = self.values.get("sharing", "shared").lower()
        if value not in SHARING:
            raise Fault(f'unsupported sharing value "{value}"' + hint(value, SHARING))
        return value

    def _number(self, name: str, base: int) -> int | None:
        value = self.values.get(name)
        if value is None:
            return None
        number = whole_number(value, HIGHEST, base=base)
        if number is None:
            raise Fault(f"invalid value {value} for {name}")
        return number


def _bytes(text: str) -> int:
    found = SIZE.fullmatch(text)
    if not found or len(found[1]) > DIGITS:
        raise Fault(f"invalid value for size: {text}")
    return int(float(found[1]) * 1024 ** " kmgtp".index(found[2].lower() or " "))

"""Parser directives: `# escape=`, `# syntax=` and `# check=` before anything else in the file.

Rule: BuildKit's `DirectiveParser`, and its `ParseLintOptions` for the words of `check`.
"""

from __future__ import annotations

import re

from pipelines.engine.embedded.dockerfile.errors import DockerfileError

DIRECTIVE = re.compile(r"#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(\S.*)")
NAMES = frozenset({"syntax", "escape", "check"})
FRONTEND = re.compile(r"(((index\.)?docker\.io/)?(docker|moby)/)dockerfile(-upstream)?([:@].*)?", re.IGNORECASE)
SWITCH = frozenset(["1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"])


def directives(text: str) -> dict[str, str]:
    """The directives of a file, by name in lower case; they end at the first line that is not a directive."""
    found: dict[str, str] = {}
    for line in text.removeprefix("\ufeff").split("\n"):
        directive = DIRECTIVE.fullmatch(line.strip())
        if not directive or directive[1].lower() not in NAMES:
            break
        found.setdefault(directive[1].lower(), directive[2])
    return found


def check(found: dict[str, str], file: str) -> None:
    """Refuse another frontend than the official one, and unknown options of `check`.

    Raises:
        DockerfileError: the frontend or the option is not supported. (A frontend is an image that translates the file.)
    """
    frontend = found.get("syntax", "").split(" ")[0]
    if frontend and not FRONTEND.fullmatch(frontend):
        raise DockerfileError(f"the frontend {frontend} (# syntax=) is not supported, only docker/dockerfile", file=file)
    for option in found["check"].split(";", 2) if "check" in found else ():
        name, equals, value = option.partition("=")
        if not equals or name.strip() not in {"skip", "experimental", "error"}:
            wrong = name.strip() if equals else option
            raise DockerfileError(f'failed to parse check options: invalid check option "{wrong}"', file=file)
        if name.strip() == "error" and value.strip() not in SWITCH:
            raise DockerfileError(f'failed to parse check options: failed to parse check option "{option}"', file=file)

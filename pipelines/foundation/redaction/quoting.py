"""How shells write a word, as `set -x`, `printf %q`, `declare -p` and `shlex.quote` show it; without the quotes around the whole."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_SPECIAL = re.compile(r"[^\w@%+=:,./-]")
_SPECIAL_OF_BASH = re.compile(r"[^\w@%+=:./-]")
_SPECIAL_OF_PRINTF = re.compile(r"""[\s'"\\|&;()<>!{}*\[?\]^$`,]|^[#~]|(?<=[:=])~""")
_IN_DOUBLE_QUOTES = re.compile(r'["$`\\]')
_ANSI_SPECIAL = re.compile(r"[\x00-\x1f\x7f'\\]")
_ANSI_SPECIAL_IN_C = re.compile(r"[\x00-\x1f'\\]|[^\x00-\x7e]")
_ANSI = {"\\": "\\\\", "'": "\\'", "\a": "\\a", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\v": "\\v", "\f": "\\f", "\r": "\\r", "\x1b": "\\E"}


def shell_quoted(text: str) -> Iterator[str]:
    r"""Every way a shell may write the text.

    POSIX, "Shell Command Language" 2.2; the Bash manual, 3.1.2.4 "ANSI-C Quoting". A single quote leaves single quotes in four ways:
    `'\''` (bash), `'"'"'` (dash, busybox, Python), `\'` within `$'…'` (bash, zsh, ksh), and with a backslash outside all quotes.
    """
    yield text.replace("'", "'\\''")
    yield text.replace("'", "'\"'\"'")
    yield _ansi(text)
    yield _ansi(text, octal=True)
    yield _IN_DOUBLE_QUOTES.sub(r"\\\g<0>", text)
    yield _SPECIAL.sub(r"\\\g<0>", text)
    yield _SPECIAL_OF_BASH.sub(r"\\\g<0>", text)
    yield _SPECIAL_OF_PRINTF.sub(r"\\\g<0>", text)


def _ansi(text: str, *, octal: bool = False) -> str:
    """Within `$'…'`. `octal`: bytes above 127 as numbers, as in a locale without them."""
    return (_ANSI_SPECIAL_IN_C if octal else _ANSI_SPECIAL).sub(_ansi_character, text)


def _ansi_character(found: re.Match[str]) -> str:
    return _ANSI.get(found[0]) or "".join(f"\\{byte:03o}" for byte in found[0].encode("utf-8", "surrogatepass"))

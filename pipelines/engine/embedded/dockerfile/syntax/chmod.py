"""Modes of ``--chmod``: octal (``0644``) or symbolic (``u=rw,go-w``).

Rule: POSIX chmod, without a umask: an omitted ``who`` means everybody.
"""

from __future__ import annotations

import re

from pipelines.engine.embedded.dockerfile.errors import Fault

HIGHEST = 0o7777
CLAUSE = re.compile(r"([ugoa]*)((?:[-+=](?:[ugo]|[rwxXst]*))+)")
ACTION = re.compile(r"([-+=])([ugo]|[rwxXst]*)")
SHIFT = {"u": 6, "g": 3, "o": 0}
BITS = {"r": 4, "w": 2, "x": 1}
SPECIAL = {"u": 0o4000, "g": 0o2000, "o": 0o1000}
SPECIAL_LETTER = {"u": "s", "g": "s", "o": "t"}


def check(text: str) -> None:
    """Refuse a text that is not a mode; the empty text is accepted."""
    if text.isdecimal():
        if not re.fullmatch("[0-7]+", text) or int(text, 8) > HIGHEST:
            raise Fault(f"invalid chmod parameter: '{text}'. it should be octal string and between 0 and 07777")
    elif text and not all(CLAUSE.fullmatch(clause) for clause in text.split(",")):
        raise Fault(f"invalid chmod parameter: '{text}'. it should be an octal number or like u=rw,go-w")


def apply(text: str, mode: int, *, directory: bool) -> int:
    """The permission bits a file of ``mode`` gets; ``text`` was checked."""
    if not text:
        return mode & HIGHEST
    if text.isdecimal():
        return int(text, 8)
    result = mode & HIGHEST
    for who, actions in (_clause(clause) for clause in text.split(",")):
        for operator, letters in ACTION.findall(actions):
            result = _act(result, who, operator, letters, directory=directory)
    return result


def _clause(text: str) -> tuple[str, str]:
    found = CLAUSE.fullmatch(text)
    if not found:
        raise Fault(f"invalid chmod parameter: '{text}'. it should be an octal number or like u=rw,go-w")
    return (found[1].replace("a", "ugo") or "ugo"), found[2]


def _act(mode: int, who: str, operator: str, letters: str, *, directory: bool) -> int:
    bits = 0
    mask = 0
    for person in set(who):
        bits |= _bits(mode, person, letters, directory=directory)
        mask |= 0o7 << SHIFT[person] | SPECIAL[person]
    if operator == "+":
        return mode | bits
    return mode & ~bits if operator == "-" else mode & ~mask | bits


def _bits(mode: int, person: str, letters: str, *, directory: bool) -> int:
    if letters and letters in SHIFT:
        return (mode >> SHIFT[letters] & 0o7) << SHIFT[person]
    bits = sum(BITS[letter] for letter in set(letters) & set(BITS))
    if "X" in letters and (directory or mode & 0o111):
        bits |= 1
    special = SPECIAL[person] if SPECIAL_LETTER[person] in letters else 0
    return bits << SHIFT[person] | special

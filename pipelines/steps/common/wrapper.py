"""The shell script a test command runs under, and how to read what it leaves behind.

It waits for services, limits the command's time, puts both output streams of the command into one (standard output), in their order, and
turns exits by signal (which an engine treats as a broken container, without output) into an ordinary code. It talks back in *marks*: lines
on its own standard error that start with ASCII record separator (0x1e), which no log shows. An engine masks secrets in them as in all
output, also very short ones (`0`, `a`); so whatever of a mark must be understood is written in sixteen control characters, which no secret
has.
"""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

STAMP_VARIABLE = "LOCKGATE_STAMP"
UNTIL_VARIABLE = "LOCKGATE_UNTIL"
"""When the command is stopped, in seconds since 1970: a moment and not a span, so that a build before it takes from the same time."""
SHELL = "/bin/sh"
PLACE = "/lockgate/run"
"""Where the script lies in the container; it is read by the shell, so it needs no permission to run."""
UNHEALTHY = 121
"""Exit code when a service did not become healthy; the command was not started."""
SIGNALLED = 125
"""Exit code when the command was ended by a signal or ran into its limit; the marks say which."""
SIGNALS = range(128, 192)
"""Exit codes of a command that a signal ended (128 and its number): engines give an error for them, whatever was expected."""

_RESERVE = 0.1
_LONGEST_RESERVE_S = 10.0

_DIGITS = "".join(map(chr, (*range(1, 9), *range(14, 22))))
"""A control character for each hexadecimal digit, none of them one that shells, terminals or engines treat as special."""
_KINDS = dict(zip(_DIGITS, ("stamp", "timeout", "signal", "unhealthy", "exit"), strict=False))
_MARK = re.compile(f"\x1e([{_DIGITS[: len(_KINDS)]}])([^\n]*)\n?")

SCRIPT = r"""
mark() { { printf '\036%b' "$1"; shift; printf '%s\n' "$*"; } >&2; }
digits() {
  rest=$1
  while [ -n "$rest" ]; do
    tail=${rest#?}; digit=${rest%"$tail"}; rest=$tail
    case $digit in [0-6]) printf '%b' "\\000$(( digit + 1 ))";; 7) printf '\010';; 8) printf '\016';; 9) printf '\017';; esac
  done
}
ask() {
  if command -v curl >/dev/null 2>&1; then curl -fsS -o /dev/null --max-time 2 "$1"
  elif command -v python3 >/dev/null 2>&1; then python3 -c 'import sys, urllib.request as u; u.urlopen(sys.argv[1], timeout=2)' "$1"
  elif command -v wget >/dev/null 2>&1; then wget -q -T 2 -O /dev/null "$1"
  elif command -v node >/dev/null 2>&1; then
    node -e 'const f = m => { console.error(m); process.exit(1) };
      require("http").get(process.argv[1], r => r.statusCode < 400 ? process.exit(0) : f("status " + r.statusCode))
        .on("error", e => f(e.message)).setTimeout(2000, () => f("no answer"))' "$1"
  else echo 'none of curl, python3, wget, node is in the image to ask with'; return 127
  fi
}
await() {
  patience=$(( $(date +%s) + $3 ))
  while :; do
    said=$(ask "$2" 2>&1); code=$?
    [ $code -eq 0 ] && return 0
    if [ $code -eq 127 ] || [ "$(date +%s)" -gt "$patience" ]; then
      mark '\0004' "$1 $3 $(printf '%s' "$said" | tail -n 1)"
      exit 121
    fi
    sleep 0.2 2>/dev/null || sleep 1
  done
}
mark '\0001' "$LOCKGATE_STAMP"
until=$LOCKGATE_UNTIL
unset LOCKGATE_STAMP LOCKGATE_UNTIL LOCKGATE_ATTEMPT
while [ "$1" = --health ]; do await "$2" "$3" "$4"; shift 4; done
shift
began=$(date +%s)
if [ -n "$until" ] && command -v timeout >/dev/null 2>&1; then
  limit=$(( until > began ? until - began : 1 ))
  timeout -k 5 "$limit" "$@" 2>&1; code=$?
  [ $code -ge 124 ] && [ $(( $(date +%s) - began )) -ge "$limit" ] && { mark '\0002' "$(digits "$limit")"; code=125; }
else
  "$@" 2>&1; code=$?
fi
case $code in 12[89]|1[3-8][0-9]|19[01]) mark '\0003' "$(digits $(( code - 128 )))"; code=125;; esac
mark '\0005' "$(digits $code)"
exit $code
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """A service to wait for before the command starts: `url` must answer below 400 within `deadline_s` seconds."""

    alias: str
    url: str
    deadline_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WrapperReport:
    """What the script says of a command.

    Attributes:
        exit_code: None when the script did not run to its end (no shell in the image).
        marks: by kind: `stamp`, `timeout`, `signal`, `unhealthy`.
        text: what else was on its standard error: a message of the shell itself.
    """

    exit_code: int | None = None
    marks: Mapping[str, str] = field(default_factory=dict)
    text: str = ""


def wrapped(command: Sequence[str], health: Iterable[Health] = ()) -> list[str]:
    """The arguments that run a command under the script, which must lie at `PLACE`."""
    waits = [word for service in health for word in ("--health", service.alias, service.url, str(max(1, round(service.deadline_s))))]
    return [SHELL, PLACE, *waits, "--", *command]


def read(stderr: str) -> WrapperReport:
    """Take the marks out of the standard error of the script."""
    found = [_understood(_KINDS[mark.group(1)], mark.group(2)) for mark in _MARK.finditer(stderr)]
    marks = dict(found) | dict(found[:1])  # the last word counts, but the stamp is the script's first mark and nobody else's
    code = marks.pop("exit", "")
    return WrapperReport(exit_code=int(code) if code.isdecimal() else _implied(marks), marks=marks, text=_MARK.sub("", stderr))


def signal_name(number: int) -> str:
    """The signal that ended a command, in words: `SIGKILL (out of memory, perhaps)`, `SIGSEGV`, `signal 63`."""
    try:
        name = signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
    return name + (" (out of memory, perhaps)" if number == signal.SIGKILL else "")


def reserve_s(timeout_s: float) -> float:
    """What is kept of a step's time to fetch its command's output before the step itself is stopped, in seconds."""
    return min(timeout_s * _RESERVE, _LONGEST_RESERVE_S)


def spelled(text: str) -> str:
    """An ASCII text as it is given to the script to be put into a mark."""
    return text.encode("ascii").hex().translate({ord(digit): _DIGITS[int(digit, 16)] for digit in "0123456789abcdef"})


def _understood(kind: str, text: str) -> tuple[str, str]:
    if kind == "unhealthy":
        return kind, text.strip()
    digits = "".join(f"{_DIGITS.index(digit):x}" for digit in text if digit in _DIGITS)
    if kind != "stamp":
        return kind, digits
    try:
        return kind, bytes.fromhex(digits).decode("ascii")
    except ValueError:
        return kind, ""


def _implied(marks: Mapping[str, str]) -> int | None:
    return UNHEALTHY if "unhealthy" in marks else None

from __future__ import annotations

import io

import pytest

from pipelines.cli.terminal import Progress, Terminal, When, inspect


class Stream(io.TextIOWrapper):
    """A stream that is a terminal or not."""

    def __init__(self, *, tty: bool, encoding: str = "utf-8") -> None:
        super().__init__(io.BytesIO(), encoding=encoding)
        self.tty = tty

    def isatty(self) -> bool:
        return self.tty


@pytest.mark.parametrize(
    ("tty", "environ", "flag", "color"),
    [
        (True, {}, When.AUTO, True),
        (False, {}, When.AUTO, False),
        (True, {"TERM": "dumb"}, When.AUTO, False),
        (True, {"NO_COLOR": "0"}, When.AUTO, False),
        (True, {"NO_COLOR": ""}, When.AUTO, True),
        (False, {"FORCE_COLOR": "1"}, When.AUTO, True),
        (False, {"FORCE_COLOR": ""}, When.AUTO, False),
        (False, {"FORCE_COLOR": "1", "TERM": "dumb"}, When.AUTO, True),
        (True, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, When.AUTO, False),
        (False, {"NO_COLOR": "1", "TERM": "dumb"}, When.ALWAYS, True),
        (True, {"FORCE_COLOR": "1"}, When.NEVER, False),
    ],
)
def test_colour(tty: bool, environ: dict[str, str], flag: When, color: bool) -> None:
    assert inspect(Stream(tty=tty), environ, color=flag).color is color


@pytest.mark.parametrize(
    ("tty", "environ", "flag", "live"),
    [
        (True, {}, Progress.AUTO, True),
        (True, {"NO_COLOR": "1"}, Progress.AUTO, True),
        (False, {}, Progress.AUTO, False),
        (False, {"FORCE_COLOR": "1"}, Progress.AUTO, False),
        (True, {"TERM": "dumb"}, Progress.AUTO, False),
        (True, {"CI": "true"}, Progress.AUTO, False),
        (True, {"GITLAB_CI": "true"}, Progress.AUTO, False),
        (True, {"CI": "false", "GITLAB_CI": "true"}, Progress.AUTO, True),
        (True, {"DAGGER_SESSION_PORT": "1"}, Progress.AUTO, False),
        (True, {"DAGGER_SESSION_PORT": "1", "LOCKGATE_SESSION": "embedded"}, Progress.AUTO, True),
        (False, {"CI": "true"}, Progress.LIVE, True),
        (True, {}, Progress.PLAIN, False),
    ],
)
def test_redrawing(tty: bool, environ: dict[str, str], flag: Progress, live: bool) -> None:
    assert inspect(Stream(tty=tty), environ, progress=flag).live is live


@pytest.mark.parametrize(("columns", "width"), [("120", 120), ("5", 20), ("-1", None), ("x", None), ("", None), ("²", None)])
def test_width(columns: str, width: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "77")
    assert inspect(Stream(tty=True), {"COLUMNS": columns}).width == (width or 77)


@pytest.mark.parametrize(("encoding", "unicode"), [("utf-8", True), ("UTF8", True), ("ascii", False), ("latin-1", False)])
def test_characters(encoding: str, unicode: bool) -> None:
    assert inspect(Stream(tty=True, encoding=encoding), {}).unicode is unicode


def test_paint() -> None:
    def painted(color: bool) -> str:
        return Terminal(stream=io.StringIO(), color=color, live=False, unicode=True, width=80).paint("x", fg="red", bold=True)

    assert painted(True) == "\x1b[1;31mx\x1b[0m"
    assert painted(False) == "x"


def test_a_line_fits_any_encoding() -> None:
    stream = Stream(tty=False, encoding="ascii")
    inspect(stream, {}).line("✔ done")
    stream.seek(0)
    assert stream.read() == "? done\n"


def test_a_reader_who_left_is_no_error() -> None:
    """The error of the broken pipe would be raised here."""

    class Gone(io.StringIO):
        def flush(self) -> None:
            raise BrokenPipeError

    inspect(Gone(), {}).line("x")

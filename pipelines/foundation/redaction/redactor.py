"""Secrets are masked here: in text for people, and in the bytes that a program prints.

What is masked is the union of all occurrences of all forms of all registered values; occurrences that overlap become one mask. An
occurrence may be split by control characters and sequences of a terminal (colours, NUL), and, where it is encoded, by the line breaks of a
wrapped encoding (`pipelines.foundation.redaction.readings`) or by the rows of a hex dump (`pipelines.foundation.redaction.hex_dumps`).
A stream gives the same text however its input was cut into writes.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from pipelines.foundation.redaction.hex_dumps import begun_row, dumps_of
from pipelines.foundation.redaction.patterns import Patterns, Span
from pipelines.foundation.redaction.readings import CONTEXT, open_control_sequence, readings_of, unfinished_readings_of
from pipelines.foundation.redaction.written_forms import as_bytes, written_forms

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipelines.foundation.redaction.hex_dumps import HexDump
    from pipelines.foundation.redaction.readings import Reading

MASK = "***"
_MASK = MASK.encode()
_MOST_HELD = 1 << 20
"""Bytes that a stream holds back before it gives up on a secret that is torn apart by so many others."""
_DECIDED = 3
"""Characters of a line from which on it is held back when it may become a row of a hex dump: no secret is known by fewer."""
_TEXT = "surrogatepass"
"""How text and bytes are told from one another in both directions, whatever lone surrogates there are."""


class Redactor:
    """Knows secret values and masks them in text."""

    def __init__(self, values: Iterable[str | bytes] = ()) -> None:
        self._values: set[str] = set()
        self._forms: set[str] = set()
        self._compiled: dict[bool, Patterns] = {}
        for value in values:
            self.register(value)

    def register(self, value: str | bytes) -> bool:
        """Mask a value from now on; False when it is too short to be masked without hiding everything else."""
        text = value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value
        if text in self._values:
            return True
        forms = written_forms(text)
        if forms:
            self._values.add(text)
            self._forms |= forms
            self._compiled = {}
        return bool(forms)

    @property
    def value_count(self) -> int:
        """How many values are masked; it only grows."""
        return len(self._values)

    def __bool__(self) -> bool:
        return bool(self._forms)

    def __repr__(self) -> str:
        return f"Redactor({len(self._forms)} forms)"

    def text(self, text: str) -> str:
        """The text with every secret masked."""
        if not self._forms:
            return text
        data = text.encode("utf-8", _TEXT)
        spans = merged(_spans(self.patterns(text=True), data, whole=True))
        return b"".join(_masked(data, spans)).decode("utf-8", _TEXT) if spans else text

    def stream(self) -> Stream:
        """A masker for text that comes in pieces; values registered later count from then on."""
        return Stream(self)

    def byte_stream(self) -> ByteStream:
        """As `stream`, for bytes in any encoding that extends ASCII."""
        return ByteStream(self, text=False)

    def patterns(self, *, text: bool) -> Patterns:
        """All forms, as bytes of text or as a program writes them: they differ in values that are not UTF-8."""
        compiled = self._compiled.get(text)
        if compiled is None:
            # A value may be registered meanwhile, on another thread: these are then patterns without it, and not kept.
            compiling, forms = self._compiled, tuple(self._forms)
            compiled = _patterns(frozenset(form.encode("utf-8", _TEXT) if text else as_bytes(form) for form in forms))
            compiling[text] = compiled
        return compiled


@lru_cache(maxsize=16)
def _patterns(texts: frozenset[bytes]) -> Patterns:
    return Patterns(texts)


@lru_cache(maxsize=64)
def redactor_of(values: frozenset[bytes]) -> Redactor:
    """A redactor for exactly these values, made once: it is asked for with every command that gets secrets. Register none with it."""
    return Redactor(values)


class ByteStream:
    """Masks bytes that come in pieces, holding back only what may turn out to be the beginning of a secret."""

    def __init__(self, redactor: Redactor, *, text: bool) -> None:
        self._redactor = redactor
        self._text = text
        self._context = b""  # the last bytes given out: what comes after them is read in their light
        self._held = b""
        self._covered = 0  # bytes at the beginning of what is held that an occurrence already masked reaches into
        self._in_mask = False  # whether the last thing given out was a mask that reaches into what is held

    def feed(self, data: bytes) -> bytes:
        """What can be given out now that these came."""
        if not self._redactor:
            return data
        self._held += data
        return self._give(self._ready(), whole=False) if self._held else b""

    def close(self) -> bytes:
        """The rest."""
        return self._give(len(self._held), whole=True) if self._held else b""

    def _ready(self) -> int:
        """The place in what is held that no unfinished secret begins before."""
        patterns = self._redactor.patterns(text=self._text)
        data, known = self._context + self._held, len(self._context)
        until = open_control_sequence(data)
        for reading in unfinished_readings_of(data):
            at = patterns.unfinished(reading.data)
            if at < len(reading.data):
                until = min(until, reading.place(at))
        until = min(until, _unfinished_dump(patterns, data))
        if len(data) - until > _MOST_HELD + patterns.longest:
            until = len(data) - patterns.longest
        return max(0, until - known)

    def _give(self, until: int, *, whole: bool) -> bytes:
        """Give out what is held up to a place; an occurrence may still reach beyond it."""
        held, known = self._held, len(self._context)
        patterns = self._redactor.patterns(text=self._text)
        found = (Span(start - known, end - known) for start, end in _spans(patterns, self._context + held, whole=whole))
        open_mask = [Span(0, self._covered)] if self._in_mask else []
        spans = merged([*open_mask, *(span for span in found if 0 <= span.start < until)])
        if not spans:
            return self._pass(until, 0, in_mask=self._in_mask and until == 0, output=held[:until])
        pieces = _masked(held[:until], [Span(span.start, min(span.end, until)) for span in spans])
        # The open mask comes first: nothing stands before it, and its sign was given out when it was opened.
        output = b"".join(islice(pieces, 2 if open_mask else 0, None))
        reach = max(span.end for span in spans)
        return self._pass(until, max(0, reach - until), in_mask=reach > until if until > 0 else self._in_mask, output=output)

    def _pass(self, until: int, covered: int, *, in_mask: bool, output: bytes) -> bytes:
        self._context = (self._context + self._held[max(0, until - CONTEXT) : until])[-CONTEXT:]
        self._covered, self._in_mask = covered, in_mask
        self._held = self._held[until:]
        return output


class Stream:
    """Masks text that comes in pieces, as `ByteStream` does bytes."""

    def __init__(self, redactor: Redactor) -> None:
        self._bytes = ByteStream(redactor, text=True)

    def feed(self, text: str) -> str:
        """What can be given out now that this piece came."""
        return self._bytes.feed(text.encode("utf-8", _TEXT)).decode("utf-8", _TEXT)

    def close(self) -> str:
        """The rest."""
        return self._bytes.close().decode("utf-8", _TEXT)


def merged(spans: Iterable[Span]) -> list[Span]:
    """Spans in order, those that overlap as one; two secrets side by side are two masks, as a Dagger engine shows them."""
    result: list[Span] = []
    for span in sorted(spans):
        if result and span.start < result[-1].end:
            result[-1] = Span(result[-1].start, max(result[-1].end, span.end))
        else:
            result.append(span)
    return result


def _unfinished_dump(patterns: Patterns, data: bytes) -> int:
    """Where a row of a hex dump begins that may hold the beginning of a secret, or may become a row."""
    begun = begun_row(data)
    if begun is None:
        return len(data)
    until = begun if len(data) - begun >= _DECIDED else len(data)
    for dump in dumps_of(data, whole=False):
        at = patterns.unfinished(dump.data)
        if at < len(dump.data) and dump.end(len(dump.data)) + len(b"\r\n") >= begun:
            until = min(until, dump.row(at))
    return until


def _spans(patterns: Patterns, data: bytes, *, whole: bool) -> Iterator[Span]:
    """Every occurrence in every reading of the data, in no order. `whole`: the data ends here."""
    readings: list[Reading | HexDump] = [*readings_of(data), *dumps_of(data, whole=whole)]
    for reading in readings:
        for start, end in patterns.find(reading.data):
            yield Span(reading.place(start), reading.end(end))


def _masked(data: bytes, spans: Iterable[Span]) -> Iterator[bytes]:
    """Pieces of the data: what stands before each span, then a mask for it, and so on."""
    position = 0
    for span in spans:
        yield data[position : span.start]
        yield _MASK
        position = span.end
    yield data[position:]

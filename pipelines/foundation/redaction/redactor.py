"""Secrets are masked here, at the border where text leaves a step: logs, the live board, reports.

What is masked is the union of all occurrences of all forms of all registered values; occurrences that overlap or touch become one mask. A
stream gives the same text however its input was cut into writes.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from pipelines.foundation.redaction.forms import forms_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MASK = "***"


class Span(NamedTuple):
    """A stretch of text from `start` up to, not including, `end`."""

    start: int
    end: int


class Redactor:
    """Knows the secret values of a run and masks them in text."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._values: set[str] = set()
        self._forms: dict[str, None] = {}
        for value in values:
            self.register(value)

    def register(self, value: str) -> bool:
        """Mask a value from now on; False when it is too short to be masked without hiding everything else."""
        if value in self._values:
            return True
        forms = forms_of(value)
        if forms:
            self._values.add(value)
        self._forms.update(dict.fromkeys(sorted(forms)))
        return bool(forms)

    def __bool__(self) -> bool:
        return bool(self._forms)

    def __repr__(self) -> str:
        return f"Redactor({len(self._forms)} forms)"

    def text(self, text: str) -> str:
        """The text with every secret masked."""
        if not self._forms:
            return text
        return "".join(_masked(text, merged(self.spans(text))))

    def stream(self) -> Stream:
        """A masker for text that comes in pieces; values registered later count from then on."""
        return Stream(self)

    def spans(self, text: str) -> Iterator[Span]:
        """Every occurrence of every form, in no order."""
        for form in self._forms:
            start = text.find(form)
            while start >= 0:
                yield Span(start, start + len(form))
                start = text.find(form, start + 1)

    def unfinished(self, text: str) -> int:
        """Where the earliest tail begins that could be the beginning of a form; the length of the text when none does."""
        earliest = len(text)
        for form in self._forms:
            start = text.find(form[0], max(0, len(text) - len(form) + 1))
            while 0 <= start < earliest:
                if form.startswith(text[start:]):
                    earliest = start
                    break
                start = text.find(form[0], start + 1)
        return earliest


class Stream:
    """Masks text that comes in pieces, holding back only what may turn out to be the beginning of a secret."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._held = ""
        self._covered = 0  # characters at the beginning of what is held that an occurrence already masked reaches into
        self._in_mask = False  # whether the last thing given out was a mask that what follows may touch

    def feed(self, text: str) -> str:
        """What can be given out now that this piece came."""
        held = self._held + text
        return self._give(held, self._redactor.unfinished(held)) if held else ""

    def close(self) -> str:
        """The rest."""
        return self._give(self._held, len(self._held))

    def _give(self, held: str, until: int) -> str:
        """Give out what is held up to a place no unfinished secret reaches before; an occurrence may still reach beyond it."""
        open_mask = [Span(0, self._covered)] if self._in_mask else []
        spans = merged([*open_mask, *(span for span in self._redactor.spans(held) if span.start < until)])
        pieces = _masked(held[:until], [Span(span.start, min(span.end, until)) for span in spans])
        # The open mask comes first: nothing stands before it, and its sign was given out when it was opened.
        given = "".join(islice(pieces, 2 if open_mask else 0, None))
        reach = max((span.end for span in spans), default=0)
        if until > 0:
            self._in_mask = reach >= until
        self._covered = max(0, reach - until)
        self._held = held[until:]
        return given


def merged(spans: Iterable[Span]) -> list[Span]:
    """Spans in order, those that overlap or touch as one."""
    result: list[Span] = []
    for span in sorted(spans):
        if result and span.start <= result[-1].end:
            result[-1] = Span(result[-1].start, max(result[-1].end, span.end))
        else:
            result.append(span)
    return result


def _masked(text: str, spans: Iterable[Span]) -> Iterator[str]:
    """Pieces of the text: what stands before each span, then a mask for it, and so on."""
    position = 0
    for span in spans:
        yield text[position : span.start]
        yield MASK
        position = span.end
    yield text[position:]

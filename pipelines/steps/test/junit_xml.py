"""From the bytes of a report to its elements, whatever wrote them: declared encodings, byte order marks, characters that XML has not."""

from __future__ import annotations

import codecs
import re
from xml.etree import ElementTree as ET
from xml.parsers import expat

_DECLARED = re.compile(r"""\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_COLOUR = re.compile("\x1b\\[[0-9;:?]{0,64}[A-Za-z]")
"""ECMA-48, 5.4: what begins with CSI, as far as it can hold nothing of XML's markup."""
_REFERENCE = re.compile(r"&#(x[0-9A-Fa-f]{1,8}|[0-9]{1,8});")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_ENDS_EARLY = frozenset(
    expat.errors.codes[message]
    for message in (
        expat.errors.XML_ERROR_NO_ELEMENTS,
        expat.errors.XML_ERROR_UNCLOSED_TOKEN,
        expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION,
        expat.errors.XML_ERROR_PARTIAL_CHAR,
    )
)


class NotJUnit(ValueError):  # noqa: N818 - names what the text is not
    """The text is not a JUnit report; the message says why."""


def read(data: bytes | str) -> ET.Element:
    """The outermost element.

    A byte that is wrong in its encoding, and a character that XML does not allow, becomes U+FFFD; colours of a terminal are left out.

    Raises:
        NotJUnit: not XML, cut off, or it declares a document type: no writer does, and entities could fill the memory.
    """
    text = decode(data) if isinstance(data, bytes) else data
    if not text.strip():
        raise NotJUnit("it is empty")
    try:
        return _parse(text)
    except expat.ExpatError as first:
        try:
            return _parse(_NOT_XML.sub(_REPLACEMENT, _COLOUR.sub("", _REFERENCE.sub(_allowed, text))))
        except expat.ExpatError:
            early = "; it ends too early: perhaps the program that wrote it was stopped" if first.code in _ENDS_EARLY else ""
            raise NotJUnit(f"it is not XML: {first}{early}") from None


def decode(data: bytes) -> str:
    """The text, by byte order mark, else by its XML declaration, else UTF-8."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    if data[:2] == b"<\0":
        return data.decode("utf-16-le", "replace")
    if data[:2] == b"\0<":
        return data.decode("utf-16-be", "replace")
    declared = _DECLARED.match(data[:300].decode("latin-1"))
    return data.decode(_known(declared[1]) if declared else "utf-8", "replace")


def _known(encoding: str) -> str:
    """The encoding, where Python knows it and it reads ASCII as it is; else UTF-8."""
    try:
        name = codecs.lookup(encoding).name
        return name if b"<?xml".decode(name) == "<?xml" else "utf-8"
    except (LookupError, UnicodeError):  # also for codecs that are not text encodings, such as base64
        return "utf-8"


def _parse(text: str) -> ET.Element:
    builder = ET.TreeBuilder()
    parser = expat.ParserCreate("utf-8", "}")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.Parse(text.lstrip("\ufeff \t\r\n").encode("utf-8", "replace"), True)
    return builder.close()


def _refuse(*_: object) -> None:
    raise NotJUnit("it declares a document type")


def _allowed(reference: re.Match[str]) -> str:
    digits = reference[1]
    number = int(digits[1:], 16) if digits.startswith("x") else int(digits)
    if number > 0x10FFFF:  # noqa: PLR2004 - Unicode's last
        return _REPLACEMENT
    return chr(number) if _NOT_XML.match(chr(number)) else reference[0]

"""Bytes of a dropped file as text, and the words for bytes that are none.

Put encodings here. What the text means is the work of each reader.
"""

from __future__ import annotations

import codecs

from bcns_pipeline.clients.files.models import BadFile

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def text_of(content: bytes, *, fallback: str | None = None) -> str:
    """UTF-8, or UTF-16 with its mark; `fallback` is what an old format uses besides.

    Raises BadFile EMPTY or ENCODING. Nothing is replaced: one wrong letter in a reference would break a link.
    """
    if not content.strip():
        raise BadFile("EMPTY", "the file is empty")
    encoding = "utf-8"
    for mark, named in _MARKS:
        if content.startswith(mark):
            content, encoding = content[len(mark) :], named
            break
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        if fallback is not None and encoding == "utf-8":
            return text_of(content.decode(fallback).encode())
        row = content.count(b"\n", 0, error.start) + 1
        why = f"it is not {encoding.upper()} text; export it again as UTF-8, and do not save it with another program"
        raise BadFile("ENCODING", why, row=row) from None
    if "\x00" in text:
        row = text.count("\n", 0, text.index("\x00")) + 1
        raise BadFile("ENCODING", "it holds binary data where text is expected", row=row)
    if not text.strip():
        raise BadFile("EMPTY", "the file is empty")
    return text

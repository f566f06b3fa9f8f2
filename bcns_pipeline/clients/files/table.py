"""Delimited text as rows that are read by column name, each with its place in the file and the hash of its bytes.

Put here what CSV and TSV files have in common: quoting, a header somewhere, rows as wide as the header. Columns are
never read by position, because providers add and reorder them. Every fault is a BadFile with its row.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bcns_pipeline.clients.files.models import BadFile

_MOST_COLUMNS = 500


@dataclass(frozen=True, slots=True)
class Fields:
    """One row before it has names: its fields, its place, and the hash of its bytes without the line end."""

    number: int
    fields: list[str]
    sha256: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row. `number` is the line of the file on which it ends (1 is the first)."""

    number: int
    sha256: str
    values: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        """The field, without blanks around it; "" where the file has no such column."""
        return self.values.get(column, "").strip()

    def need(self, column: str) -> str:
        """The field; BadFile SHAPE where it is blank."""
        value = self[column]
        if not value:
            raise BadFile("SHAPE", f"{column} is blank", row=self.number)
        return value


def fields_of(text: str, delimiter: str = ",") -> Iterator[Fields]:
    """Every row that is not blank. Raises BadFile QUOTING or TRUNCATED."""
    lines = _Lines(text)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "unexpected end" in str(error):
                raise BadFile(
                    "TRUNCATED", "a quoted field has no end; the file is cut off", row=lines.at
                ) from None
            raise BadFile("QUOTING", f"quotation marks do not match ({error})", row=lines.at) from None
        raw = lines.taken()
        if fields and any(field.strip() for field in fields):
            yield Fields(lines.at, fields, hashlib.sha256(raw.rstrip("\r\n").encode()).hexdigest())


class _Lines:
    """Lines for the csv module, which remember what was taken since the last row ended."""

    def __init__(self, text: str) -> None:
        self._lines = re.finditer(r"[^\n]*\n|[^\n]+$", text)
        self._raw: list[str] = []
        self.at = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = next(self._lines)[0]
        self.at += 1
        self._raw.append(line)
        return line

    def taken(self) -> str:
        raw, self._raw = "".join(self._raw), []
        return raw


def named(header: Fields, needed: Sequence[str], *, skip: int = 0) -> list[str]:
    """The column names of a header row, the first `skip` left out. BadFile COLUMNS where some are missing or double."""
    names = [name.strip() for name in header.fields[skip:]]
    if len(header.fields) == 1 and any(mark in header.fields[0] for mark in (",", ";", "\t")):
        raise BadFile(
            "QUOTING", "every row is quoted as a whole; take the file as it was exported", row=header.number
        )
    if len(names) > _MOST_COLUMNS:
        raise BadFile("COLUMNS", f"{len(names)} columns are more than any report has", row=header.number)
    missing = [name for name in needed if name not in names]
    if missing:
        word = "column" if len(missing) == 1 else "columns"
        raise BadFile("COLUMNS", f"{word} {', '.join(missing)} missing", row=header.number)
    double = sorted({name for name in names if name and names.count(name) > 1})
    if double:
        raise BadFile("COLUMNS", f"column {double[0]} is there twice", row=header.number)
    return names


def row_of(names: Sequence[str], row: Fields, *, skip: int = 0) -> Row:
    """The row with its names. BadFile TRUNCATED where it is narrower than the header, SHAPE where it is wider."""
    fields = row.fields[skip:]
    if len(fields) < len(names):
        text = f"{len(fields)} fields where the header has {len(names)}; the file is cut off or was changed"
        raise BadFile("TRUNCATED", text, row=row.number)
    if any(field.strip() for field in fields[len(names) :]):
        text = f"{len(fields)} fields where the header has {len(names)}; a delimiter in a text is not quoted"
        raise BadFile("SHAPE", text, row=row.number)
    return Row(row.number, row.sha256, dict(zip(names, fields, strict=False)))


def table(
    text: str, needed: Sequence[str], *, delimiter: str = ",", may_be_empty: bool = False
) -> Iterator[Row]:
    """Rows below a header in the first row. BadFile EMPTY where there is nothing but the header, unless it may be."""
    rows = fields_of(text, delimiter)
    header = next(rows, None)
    if header is None:
        raise BadFile("EMPTY", "the file is empty")
    names = named(header, needed)
    count = 0
    for fields in rows:
        count += 1
        yield row_of(names, fields)
    if not count and not may_be_empty:
        raise BadFile("EMPTY", "the file has a header and no rows", row=header.number)

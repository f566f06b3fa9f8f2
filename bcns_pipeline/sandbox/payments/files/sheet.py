"""A settlement file before it is written: rows of text, what stands around them, and what may be wrong with it.

Put the form of files and planted faults here. Do not put a provider's columns here. A fault is planted by hand,
and the sender notices nothing: the file appears under its name like any other.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, field

Row = list[str]


@dataclass(slots=True)
class Sheet:
    """Columns and rows.

    `before` and `after` are lines of other kinds around them (`lead` stands before each row of the body, as its
    kind), `note` is a column of free text, `money` one of amounts and `currency` one of currencies. `total` says
    in which line of `after`, `rows` or `before`, and at which place, stands what all of it comes to.
    """

    name: str
    columns: Row
    rows: list[Row]
    note: int
    money: int
    currency: int
    lead: tuple[str, str] | None = None
    before: list[Row] = field(default_factory=list)
    after: list[Row] = field(default_factory=list)
    total: tuple[str, int, int] | None = None
    delimiter: str = ","
    newline: str = "\r\n"

    def lines(self) -> list[Row]:
        """All lines of the file."""
        header = self.columns if self.lead is None else [self.lead[0], *self.columns]
        body = self.rows if self.lead is None else [[self.lead[1], *row] for row in self.rows]
        return [*self.before, header, *body, *self.after]

    def text(self) -> str:
        """The file's text."""
        out = io.StringIO()
        csv.writer(out, delimiter=self.delimiter, lineterminator=self.newline).writerows(self.lines())
        return out.getvalue()


def _plain(sheet: Sheet) -> list[bytes]:
    return [sheet.text().encode()]


def _truncated(sheet: Sheet) -> list[bytes]:
    """Ends in the middle of a row."""
    whole = sheet.text().encode()
    cut = whole[: len(whole) * 3 // 5]
    return [cut[:-1] if cut.endswith(b"\n") else cut]


def _doubled(sheet: Sheet) -> list[bytes]:
    """The same file comes twice, under two names."""
    return _plain(sheet) * 2


def _repeated(sheet: Sheet) -> list[bytes]:
    """One row stands in it twice."""
    sheet.rows.insert(1, list(sheet.rows[0]))
    return _plain(sheet)


def _encoding(sheet: Sheet) -> list[bytes]:
    """Saved by somebody's spreadsheet in Windows' own characters."""
    sheet.rows[0][sheet.note] = "Café Zoë " + sheet.rows[0][sheet.note]
    return [sheet.text().encode("cp1252")]


def _utf16(sheet: Sheet) -> list[bytes]:
    return [sheet.text().encode("utf-16")]


def _quoted(sheet: Sheet) -> list[bytes]:
    """Each row as a whole is quoted once more."""
    lines = sheet.text().split(sheet.newline)
    return [
        sheet.newline.join(
            f'"{line.replace(chr(34), chr(34) * 2)}"' if line else "" for line in lines
        ).encode()
    ]


def _reordered(sheet: Sheet) -> list[bytes]:
    """The columns come in another order."""
    sheet.columns.reverse()
    for row in sheet.rows:
        row.reverse()
    return _plain(sheet)


def _currency(sheet: Sheet) -> list[bytes]:
    """One row says another currency."""
    now = sheet.rows[0][sheet.currency]
    other = "GBP" if now.upper() != "GBP" else "CAD"
    sheet.rows[0][sheet.currency] = other if now.isupper() else other.lower()
    return _plain(sheet)


def _cent(sheet: Sheet) -> list[bytes]:
    """An amount of one row is a unit too high."""
    row = sheet.rows[-1] if sheet.rows[-1][sheet.money].strip() else sheet.rows[0]
    row[sheet.money] = _one_more(row[sheet.money])
    return _plain(sheet)


def _footer(sheet: Sheet) -> list[bytes]:
    """What all of it comes to, as the file says, is a unit too high."""
    if sheet.total is None:
        raise ValueError(f"{sheet.name} says nowhere what all of it comes to.")
    part, line, place = sheet.total
    rows: list[Row] = getattr(sheet, part)
    rows[line][place] = _one_more(rows[line][place])
    return _plain(sheet)


def _one_more(amount: str) -> str:
    """The last digit goes up, whatever the decimal point is."""
    digits = [place for place, one in enumerate(amount) if one.isdigit()]
    bare = "".join(amount[place] for place in digits)
    more = str(int(bare) + 1).zfill(len(bare))
    if len(more) > len(bare):
        return amount[: digits[0]] + more
    text = list(amount)
    for place, digit in zip(digits, more, strict=True):
        text[place] = digit
    return "".join(text)


FAULTS: dict[str, Callable[[Sheet], list[bytes]]] = {
    "": _plain,
    "truncated": _truncated,
    "doubled": _doubled,
    "repeated_row": _repeated,
    "encoding": _encoding,
    "utf16": _utf16,
    "quoted": _quoted,
    "reordered": _reordered,
    "currency": _currency,
    "cent": _cent,
    "footer": _footer,
}


def written(sheet: Sheet, fault: str = "") -> list[tuple[str, bytes]]:
    """Names and contents of the files; `ValueError` for a fault that does not exist or does not fit."""
    if fault not in FAULTS:
        raise ValueError(f"A file has no fault {fault!r}; there are {', '.join(filter(None, FAULTS))}.")
    stem, dot, ending = sheet.name.rpartition(".")
    contents = FAULTS[fault](sheet)
    names = [sheet.name, *(f"{stem}-{number}{dot}{ending}" for number in range(2, len(contents) + 1))]
    return list(zip(names, contents, strict=True))

"""A report as CSV, as a workbook and as a page to print; the same report gives the same bytes.

Put one writer per format here, and what a file is called. Do not put reads or sums here: a report brings its own
control totals. Where a file goes is whoever asks for it's matter (clients/files/written.py).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from html import escape
from typing import Any

import xlsxwriter  # type: ignore[import-untyped]

from bcns_pipeline.rules.close.reports import SPECS
from bcns_pipeline.rules.close.table import Cell, Report, text

# A cell that begins so would be run as a formula by a spreadsheet.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
# A word longer than this may be broken anywhere on a page, or ids and hashes push the table over its edge.
_LONGEST_WORD = 16


def as_csv(report: Report) -> bytes:
    """Lines that begin with # say where it comes from; then the header and the rows. UTF-8, CRLF."""
    out = io.StringIO(newline="")
    for name, value in report.provenance:
        out.write(f"# {name}: {' '.join(value.split())}\r\n")
    writer = csv.writer(out)
    writer.writerow(report.columns)
    writer.writerows([_safe(cell) for cell in row] for row in report.rows)
    return out.getvalue().encode()


def as_xlsx(report: Report) -> bytes:
    """Two sheets: the table, and where it comes from. Its date of creation is that of the extraction."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(
        out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    ) as book:
        book.set_properties(
            {"title": report.title, "author": "bcns", "created": report.extracted_at.replace(tzinfo=None)}
        )
        bold = book.add_format({"bold": True, "bg_color": "#DDE6F0", "border": 1})
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        amounts: dict[int, Any] = {}
        sheet = book.add_worksheet(report.name[:31])
        sheet.write_row(0, 0, [one.replace("_", " ") for one in report.columns], bold)
        for line, row in enumerate(report.rows, start=1):
            for place, cell in enumerate(row):
                if isinstance(cell, bool) or cell is None or isinstance(cell, (str, datetime)):
                    sheet.write_string(line, place, text(cell))
                elif isinstance(cell, date):
                    sheet.write_datetime(line, place, cell, day)
                else:
                    # Shown with the digits of its currency: 0 for yen, 3 for dinars.
                    digits = -int(cell.as_tuple().exponent) if isinstance(cell, Decimal) else 0
                    if digits not in amounts:
                        amounts[digits] = book.add_format(
                            {"num_format": f"#,##0.{'0' * digits}" if digits else "0"}
                        )
                    sheet.write_number(line, place, cell, amounts[digits])
        sheet.freeze_panes(1, 0)
        if report.rows:
            sheet.autofilter(0, 0, len(report.rows), len(report.columns) - 1)
        sheet.set_column(0, max(0, len(report.columns) - 1), 16)
        about = book.add_worksheet("provenance")
        for line, (name, value) in enumerate(report.provenance):
            about.write_string(line, 0, name, bold)
            about.write_string(line, 1, value)
        about.set_column(0, 0, 28)
        about.set_column(1, 1, 90)
    return out.getvalue()


def as_html(report: Report) -> bytes:
    """One page that needs nothing else, in a print layout."""
    numbers = {place for row in report.rows for place, cell in enumerate(row) if _is_number(cell)}
    head = "".join(
        f"<th{' class=n' if place in numbers else ''}>{escape(one.replace('_', ' '))}</th>"
        for place, one in enumerate(report.columns)
    )
    body = "\n".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in report.rows)
    about = "\n".join(
        f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in report.provenance[1:]
    )
    totals = "".join(
        f"<li>{escape(name.replace('_', ' '))}: <b>{text(total)} {escape(unit)}</b></li>"
        for name, unit, total in report.controls
    )
    return _page(
        report.title,
        f"<h1>{escape(report.number)} {escape(report.title)}</h1>\n<ul>{totals}</ul>\n"
        f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table>\n"
        f"<h2>Where this comes from</h2><dl>{about}</dl>",
    )


def as_index(
    made: Mapping[str, Report],
    left: Mapping[str, Mapping[str, Decimal]],
    others: Sequence[str],
    since: date,
    until: date,
) -> bytes:
    """A page over the reports of these days, whose files lie beside it, with what each leaves; `others` are files."""

    def link(name: str, format_: str, text: str) -> str:
        return f'<a href="{escape(file_name(name, since, until, format_))}">{escape(text)}</a>'

    rows = "\n".join(
        f"<tr><td>{escape(one.number)}</td><td>{link(name, 'html', one.title)}</td>"
        f"<td class=n>{len(one.rows):,}</td><td class=n>{escape(_left(left.get(name, {}), SPECS[name].ties))}</td><td>"
        + " ".join(link(name, format_, format_) for format_ in WRITERS if format_ != "html")
        + f"</td><td class=h>{one.sha256[:16]}</td></tr>"
        for name, one in made.items()
    )
    links = "".join(f'<li><a href="{escape(one)}">{escape(one)}</a></li>' for one in others)
    return _page(
        "Reports",
        f"<h1>Reports from {since} to {until - timedelta(days=1)}</h1>\n<table><thead><tr><th>number</th>"
        "<th>report</th><th class=n>rows</th><th class=n>unexplained</th><th>also as</th><th>sha256</th>"
        "</tr></thead><tbody>\n"
        f"{rows}\n</tbody></table>\n"
        f"<h2>Also here</h2><ul>{links}</ul>",
    )


def file_name(name: str, since: date, until: date, format_: str) -> str:
    """As `clearing-2026-11.csv`, or with the day where `until` is the day after."""
    days = f"{since:%Y-%m}" if (until - since).days > 1 else str(since)
    return f"{name}-{days}.{format_}"


WRITERS: dict[str, Callable[[Report], bytes]] = {"csv": as_csv, "xlsx": as_xlsx, "html": as_html}

_STYLE = (
    "@page{size:A4 landscape;margin:12mm}body{font:11px/1.4 system-ui,sans-serif;color:#111}h1{font-size:18px}"
    "table{border-collapse:collapse;width:100%}th,td{border:1px solid #bbb;padding:2px 6px;text-align:left}"
    "thead{display:table-header-group}th{background:#dde6f0}tr{break-inside:avoid}"
    "tbody tr:nth-child(even){background:#f6f8fb}th.n,td.n{text-align:right}td.n{font-variant-numeric:tabular-nums}"
    "td.n,td.d{white-space:nowrap}td.w{overflow-wrap:anywhere}@media print{body{font-size:8px}th,td{padding:1px 3px}}"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 12px}dt{font-weight:600}"
    "dd{margin:0;overflow-wrap:anywhere}"
)


def _page(title: str, body: str) -> bytes:
    """A page of its own, with the style that all share."""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>\n'
        f"<style>{_STYLE}</style></head><body>\n{body}</body></html>\n"
    ).encode()


def _left(amounts: Mapping[str, Decimal], ties: Sequence[str]) -> str:
    """What a report leaves, by currency; nothing where it has no column that must be 0."""
    if not ties:
        return ""
    return ", ".join(f"{amount:f} {unit}".strip() for unit, amount in sorted(amounts.items())) or "0"


def _safe(cell: Cell) -> str:
    written = text(cell)
    return f"'{written}" if isinstance(cell, str) and written.startswith(_FORMULA) else written


def _cell(cell: Cell) -> str:
    return f"<td{_class(cell)}>{escape(text(cell))}</td>"


def _class(cell: Cell) -> str:
    """Numbers and dates are never broken, long words are."""
    if _is_number(cell):
        return " class=n"
    if isinstance(cell, date):
        return " class=d"
    return " class=w" if any(len(word) > _LONGEST_WORD for word in text(cell).split()) else ""


def _is_number(cell: Cell) -> bool:
    return isinstance(cell, (int, Decimal)) and not isinstance(cell, bool)

"""`bcns report NAME`: one report of a month or a day, on the screen or as a file; `bcns report all`: all of them.

Put options and the way out here. Do not put sums or rows here (defs/close/reports.py). Days are the store's own.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from bcns_pipeline.cli.connect import remembered
from bcns_pipeline.cli.console import say, show_table
from bcns_pipeline.clients.files.written import write
from bcns_pipeline.config import load_or_default
from bcns_pipeline.defs.close import reports
from bcns_pipeline.defs.close.pack import pack
from bcns_pipeline.rules.close.files import WRITERS, as_index, file_name
from bcns_pipeline.rules.close.reports import SPECS, remainder
from bcns_pipeline.rules.close.table import text
from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.settings import load_settings

# Beyond this many rows a screen is no place to read them.
SHOWN = 200


def write_report(name: str, month: str | None, day: str | None, format_: str | None, out: Path | None) -> int:
    """Print or write it. 0 where it ties, 1 where something is left over. Raises BadInput."""
    since, until = span(month, day)
    settings = load_settings()
    mapping, _faults = load_or_default(Path(settings.config))
    special = {"beancount": "journals", "json": "close-pack"}
    if name not in (*SPECS, "close-pack"):
        raise BadInput([f"There is no report {name!r}; there are: {', '.join([*SPECS, 'close-pack'])}."])
    if name == "close-pack" and format_ is None:
        format_ = "json"
    if format_ is not None and format_ not in WRITERS and special.get(format_) != name:
        allowed = ", ".join([*WRITERS, *(f"{one} (for {of})" for one, of in special.items())])
        raise BadInput([f"--format {format_!r} is not one of {allowed}, or does not go with {name}."])
    if name == "close-pack" and format_ != "json":
        raise BadInput(["The close pack is JSON: leave --format out."])
    with remembered(settings) as state:
        about = reports.about(state, since, until, mapping)
        if format_ == "beancount":
            return _write(reports.ledger(state, about).encode(), name, format_, since, until, out)
        if format_ == "json":
            return _write(pack(state, about).content, name, format_, since, until, out)
        found = reports.make(state, name, about)
    left = remainder(SPECS[name], found)
    if format_ is None:
        rows = [[text(cell) for cell in row] for row in found.rows[:SHOWN]]
        show_table(found.columns, rows, unbroken=True)
        if len(found.rows) > SHOWN:
            say(f"{len(found.rows) - SHOWN:,} more rows: --format csv")
        for title, value in found.provenance:
            say(f"{title}: {value}")
    else:
        _write(WRITERS[format_](found), name, format_, since, until, out)
    for currency, amount in sorted(left.items()):
        say(f"Unexplained: {amount:f} {currency}")
    return 1 if left else 0


def write_all(month: str | None, day: str | None, folder: Path) -> dict[str, dict[str, Decimal]]:
    """Every report in each format, the close pack, the journals as a ledger, and `index.html`, into `folder`.

    {report: {currency: what it leaves unexplained}}, of those that leave anything. Raises BadInput.
    """
    since, until = span(month, day)
    settings = load_settings()
    mapping, _faults = load_or_default(Path(settings.config))
    with remembered(settings) as state:
        about = reports.about(state, since, until, mapping)
        made = {name: reports.make(state, name, about) for name in SPECS}
        files = {
            file_name("close-pack", since, until, "json"): pack(state, about).content,
            file_name("journals", since, until, "beancount"): reports.ledger(state, about).encode(),
        }
    left = {name: remainder(SPECS[name], one) for name, one in made.items()}
    index = as_index(made, left, list(files), since, until)
    for name, one in made.items():
        files |= {
            file_name(name, since, until, format_): as_file(one) for format_, as_file in WRITERS.items()
        }
    try:
        for file, content in {**files, "index.html": index}.items():
            write(folder / file, content)
    except OSError as error:
        raise BadInput([f"{error.filename} can't be written: {error.strerror}."]) from None
    say(f"{folder}: {len(files) + 1} files; open {(folder / 'index.html').absolute()}")
    return {name: one for name, one in left.items() if one}


def report_all(month: str | None, day: str | None, out: Path | None) -> int:
    """`write_all`, and say what is left over. 0 where all tie, else 1. Raises BadInput."""
    left = write_all(month, day, out or Path(f"reports-{month or day}"))
    for name, amounts in left.items():
        for currency, amount in sorted(amounts.items()):
            say(f"{name}: unexplained {amount:f} {currency}".rstrip())
    return 1 if left else 0


def span(month: str | None, day: str | None) -> tuple[date, date]:
    """[since, until) of the month (YYYY-MM) or the day. Raises BadInput without exactly one of them."""
    if (month is None) == (day is None):
        raise BadInput(["Give one of --month (as 2026-11) and --day (as 2026-11-03)."])
    try:
        if day is not None:
            first = date.fromisoformat(day)
            return first, first + timedelta(days=1)
        first = date.fromisoformat(f"{month}-01")
    except ValueError:
        raise BadInput([f"{month or day!r} is no month and no day; write 2026-11 or 2026-11-03."]) from None
    return first, (first + timedelta(days=32)).replace(day=1)


def _write(content: bytes, name: str, format_: str, since: date, until: date, out: Path | None) -> int:
    path = out or Path(file_name(name, since, until, format_))
    try:
        write(path, content)
    except OSError as error:
        raise BadInput([f"{path} can't be written: {error.strerror}."]) from None
    say(f"{path}: {len(content):,} bytes")
    return 0

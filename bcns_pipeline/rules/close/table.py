"""One report as data: columns, rows, control totals, and everything an auditor asks of it (facts/finance.md 2.12).

Put the shape and its hash here. Do not put reads here (state/finance.py), nor a file format (rules/close/files.py).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

Cell = str | int | Decimal | date | datetime | bool | None


@dataclass(frozen=True, slots=True)
class Report:
    """A table with its provenance. `controls` are (column, currency or unit, sum); `notes` are sentences.

    `extracted_at` says when it was made and is no part of `sha256`, so a report made again of the same state has the
    same hash. Amounts are Decimals in the major unit of the currency that stands in their row.
    """

    name: str
    number: str
    title: str
    source: str
    parameters: tuple[tuple[str, str], ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    controls: tuple[tuple[str, str, Decimal], ...]
    extracted_at: datetime
    code_version: str
    config_digest: str
    notes: tuple[str, ...] = ()

    @property
    def sha256(self) -> str:
        """Over name, parameters, versions, columns, rows and controls, as canonical JSON."""
        content = {
            "name": self.name,
            "parameters": self.parameters,
            "code_version": self.code_version,
            "config_digest": self.config_digest,
            "columns": self.columns,
            "rows": [[text(cell) for cell in row] for row in self.rows],
            "controls": [(name, unit, str(total)) for name, unit, total in self.controls],
            "notes": self.notes,
        }
        written = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(written.encode()).hexdigest()

    @property
    def provenance(self) -> tuple[tuple[str, str], ...]:
        """(name, value) of all that stands above or below the table in each format."""
        return (
            ("report", f"{self.number} {self.title}"),
            ("source", self.source),
            *self.parameters,
            ("extracted at", f"{self.extracted_at:%Y-%m-%d %H:%M:%S} UTC"),
            ("rows", str(len(self.rows))),
            *((f"control total {name} {unit}", format(total, "f")) for name, unit, total in self.controls),
            ("code version", self.code_version),
            ("configuration", self.config_digest),
            ("sha256", self.sha256),
            *(("note", one) for one in self.notes),
        )


def text(cell: Cell) -> str:
    """As it stands in CSV, HTML and the hash: no cell has two spellings."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, Decimal):
        return format(cell, "f")
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d %H:%M:%S}"
    return str(cell)

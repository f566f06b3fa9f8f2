"""Which kind of statement a file is, by what is in it, and its reader.

Put here how a file is recognised: by its beginning, never by its name.
"""

from __future__ import annotations

import re
from typing import Final

from bcns_pipeline.clients.bank.bai2 import read_bai2
from bcns_pipeline.clients.bank.camt import read_camt
from bcns_pipeline.clients.bank.models import Statement
from bcns_pipeline.clients.bank.mt940 import read_mt940
from bcns_pipeline.clients.bank.statement_csv import NEEDED, read_bank_csv
from bcns_pipeline.clients.files.models import BadFile, Document
from bcns_pipeline.clients.files.text import text_of

_MT940: Final = re.compile(r"\s*(\{1:|:20:)|.{0,400}^:20:", re.DOTALL | re.MULTILINE)
# Banks write MT940 and BAI2 in the code page of Western Europe as well; references are ASCII in both.
_FALLBACK: Final = "cp1252"
_ENOUGH: Final = 3


def read_statements(document: Document) -> list[Statement]:
    """Every statement of a dropped file. BadFile names the file; either all of it is read, or none."""
    try:
        return _read(document.content)
    except BadFile as bad:
        raise bad.of(document.name) from None


def _read(content: bytes) -> list[Statement]:
    if content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return read_camt(content.lstrip(b" \t\r\n"))
    text = text_of(content, fallback=_FALLBACK)
    if _MT940.match(text):
        return read_mt940(text)
    if text.lstrip().startswith("01,"):
        return read_bai2(text)
    names = {name.strip().strip('"') for name in re.split(r"[,;]", text.lstrip().split("\n", 1)[0])}
    if sum(name in names for name in NEEDED) >= _ENOUGH:
        return read_bank_csv(text_of(content))
    raise BadFile(
        "UNKNOWN_KIND",
        "it is neither CAMT.053, MT940, BAI2 nor the CSV that docs/payout-csv.md describes",
        row=1,
    )

"""What every settlement source and bank source shares: bytes as they came in, and the sentence for bad ones.

Put here what is true of a page of an API and of a dropped file alike. What the bytes say is in
`payments/models.py` and `bank/models.py`. A document is made before anything in it is read, so that evidence is
kept even of what can't be read.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Document:
    """Bytes as they were received. `origin` says from what ("stripe/api", "drop/payouts", "drop/bank"), `name`
    which file or which request it was, `fetched_at` when (UTC).

    Settlement data may name shoppers: whoever stores `content` stores it encrypted.
    """

    origin: str
    name: str
    content: bytes = field(repr=False)
    fetched_at: datetime

    @property
    def sha256(self) -> str:
        """Of the bytes, in lower-case hex: the same file twice has the same one, whatever its name."""
        return hashlib.sha256(self.content).hexdigest()


class BadFile(Exception):
    """A document that can't be taken: which one, at which row, and why. Nothing of it was taken.

    `code` is a word for machines (UNREADABLE, EMPTY, ENCODING, UNKNOWN_KIND, QUOTING, COLUMNS, TRUNCATED, AMOUNT,
    CURRENCY, DATE, TOTALS, DUPLICATE, SHAPE), `row` the line of the file (1 is its first one; 0 where no line is to
    blame).
    """

    def __init__(self, code: str, reason: str, *, file: str = "", row: int = 0) -> None:
        self.code, self.reason, self.file, self.row = code, reason, file, row
        super().__init__(self.sentence)

    @property
    def sentence(self) -> str:
        """One sentence for a person."""
        where = self.file or "the file"
        return f"{where}, row {self.row}: {self.reason}." if self.row else f"{where}: {self.reason}."

    def of(self, file: str) -> BadFile:
        """The same fault, with the file's name."""
        return BadFile(self.code, self.reason, file=file, row=self.row)

"""What is said of a payout and its journal entries: as they were received, where they stand, what the ledger shows.

Put frozen types of `Payouts` here. Do not put SQL here. Amounts are minor units of the named currency, with the
provider's own sign. None of it is personal data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

Status = Literal[
    "new",
    "fetched",
    "balanced",
    "mapped",
    "draft_posted",
    "approved",
    "bank_matched",
    "closed",
    "held",
    "failed",
    "reversed",
]
# Its journal entry is in NetSuite.
POSTED: tuple[Status, ...] = ("draft_posted", "approved", "bank_matched", "closed")
# Nothing is posted yet, and something may be once what it waits for is there.
DUE: tuple[Status, ...] = ("fetched", "balanced", "mapped", "held")
# Somebody or something has still to come.
OPEN: tuple[Status, ...] = ("new", *DUE, "draft_posted", "approved")
# The words of `rules.payouts.entry.EntryKind`.
JournalKind = Literal[
    "payout",
    "failed",
    "reversal",
    "dispute_lost",
    "dispute_won",
    "fx_residual",
    "fx_reversal",
    "accrual",
    "opening",
]


@dataclass(frozen=True, slots=True)
class Received:
    """Bytes that came in. `document_id` names them as stored, `sha256` is of the bytes as received."""

    sha256: str
    document_id: int
    origin: str
    name: str
    fetched_at: datetime
    fate: Literal["kept", "taken", "rejected"] = "kept"
    reason: str | None = None
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Journal:
    """One journal entry, meant or written; `differences` are None until it was read back.

    `entry` is the entry as the rules planned it, lines in order and without their members. `inputs` is what it was
    made from besides the documents: days, links, carrying values.
    """

    natural_key: str
    kind: JournalKind
    currency: str
    total_minor: int
    tran_date: date
    economic_date: date
    entry: Mapping[str, Any] = field(repr=False)
    inputs: Mapping[str, Any] = field(repr=False)
    body_sha256: str
    mapping_digest: str
    code_version: str
    payout: int | None = None
    version: int = 1
    reverses: str | None = None
    id: int | None = None
    operation_id: int | None = None
    netsuite_id: str | None = None
    netsuite_number: str | None = None
    approved: bool | None = None
    differences: Sequence[str] | None = None
    planned_at: datetime | None = None
    sent_at: datetime | None = None
    read_back_at: datetime | None = None
    reversed_by: str | None = None


@dataclass(frozen=True, slots=True)
class PayoutState:
    """Where one payout stands: a row of `payout`. `version` 0 = what it is made of was never read."""

    id: int
    provider: str
    account: str
    payout_id: str
    currency: str
    amount_minor: int
    source_status: str
    arrival_date: date
    created_at: datetime | None
    itemisation: str
    details: Mapping[str, Any]
    version: int
    sources_digest: str | None
    lines_digest: str | None
    rows: int
    lines: int
    status: Status
    code: str | None
    reason: str | None
    retry_at: datetime | None
    journal_key: str | None
    bank_account: str | None
    bank_line: str | None
    seen_at: datetime
    moved_at: datetime

    @property
    def subject(self) -> str:
        """As exceptions and audit rows name it."""
        return f"payout:{self.provider}/{self.account}/{self.payout_id}"

    @property
    def posted(self) -> bool:
        """Whether a journal entry of it is in NetSuite."""
        return self.status in POSTED


@dataclass(frozen=True, slots=True)
class Itemised:
    """What reading the lines of a payout came to. `restated`: the provider says something else than before."""

    version: int
    fresh: bool
    restated: bool


@dataclass(frozen=True, slots=True)
class LineLink:
    """What a line means and which order it is of, by which step of the ladder; `journal_key` of what booked it.

    `carrying` is what NetSuite carries for it, in minor units of the payout's currency and without sign.
    """

    line: int
    cls: str
    order_id: int | None
    transaction_id: int | None
    step: str | None
    journal_key: str | None = None
    carrying: int | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """A payout's next status. `code` and `reason` say what it waits for; both None clear them."""

    id: int
    status: Status
    code: str | None = None
    reason: str | None = None
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class BankRow:
    """One booked movement as remembered. `payout` is the one that it was matched with."""

    account: str
    line_id: str
    currency: str
    amount_minor: int
    booked_on: date
    value_date: date | None
    descriptor: str
    refs: tuple[str, ...]
    returned: bool
    row_sha256: str
    sha256: str
    payout: int | None = None
    matched_by: str | None = None


@dataclass(frozen=True, slots=True)
class OpeningItem:
    """A line that the provider held at the cutover, and that somebody else had booked before it."""

    provider: str
    account: str
    line_id: str
    currency: str
    category: str
    gross: int
    net: int
    occurred_at: datetime | None
    refs: tuple[str, ...]
    row_sha256: str

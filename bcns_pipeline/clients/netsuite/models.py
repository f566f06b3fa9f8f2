"""What the NetSuite client hands out: pages of SuiteQL rows, and stock pages as columns.

Put shapes here and what follows from them alone. Every value of a SuiteQL row is text as NetSuite wrote it,
and a key that is not there is NULL (facts/netsuite.md 2.1). Stock stays text, as the rules read it; records of
orders and customers come typed, and have their shapes in `rows.py`, which flows import from here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from bcns_pipeline.clients.netsuite import journal_rows, money_rows, refund_rows, return_rows, rows

Row = dict[str, str]
SalesRow = rows.SalesRow
SalesMatch = rows.SalesMatch
SalesLine = rows.SalesLine
SalesTotals = rows.SalesTotals
CustomerRow = rows.CustomerRow
AddressRow = rows.AddressRow
ItemRow = rows.ItemRow
FulfilmentRow = rows.FulfilmentRow
FulfilmentLine = rows.FulfilmentLine
DetailLine = rows.DetailLine
Parcel = rows.Parcel
FulfilmentDetail = rows.FulfilmentDetail
AccountCurrency = rows.AccountCurrency
Subsidiary = rows.Subsidiary
AccountFacts = rows.AccountFacts
JournalRow = journal_rows.JournalRow
JournalLine = journal_rows.JournalLine
AccountRow = journal_rows.AccountRow
PeriodRow = journal_rows.PeriodRow
CarryingRow = journal_rows.CarryingRow
BalanceRow = journal_rows.BalanceRow
RecordRow = journal_rows.RecordRow
Touched = journal_rows.Touched
RefundRow = refund_rows.RefundRow
LedgerRow = refund_rows.LedgerRow
MoneyRow = money_rows.MoneyRow
ReturnLine = return_rows.ReturnLine
TERMS: Final = ("available", "on_hand", "committed", "in_transit", "backordered", "on_order")


@dataclass(frozen=True, slots=True)
class Page:
    """One page of SuiteQL rows: `Row`, or the struct that the caller's reader makes.

    Keys are lower-case; `body` is the answer as read. `total` may be unknown.

    `read_seq` is what was drawn before the page was asked for, in walks that draw.
    """

    rows: list[Any]
    has_more: bool
    total: int | None
    body: bytes = b""
    read_seq: int = 0

    def column(self, name: str) -> list[str | None]:
        """One column, None where NULL."""
        return [row.get(name) for row in self.rows]


@dataclass(frozen=True, slots=True)
class LevelsPage:
    """Stock of up to 1000 (item, location) pairs as columns of equal length.

    `read_seq` was drawn before the page was asked for. `location` 0 means that the item has no row in any
    of the asked locations (never stocked there: it sells 0). Terms are NetSuite's text ("12", "3.5"), None
    for NULL or for a term that the source does not have. `changed_at` is in NetSuite's own frame, None if
    unknown. `unreadable` names tables of the fallback source that could not be read; items that only they
    know are then left out, because unknown is not empty. `through`: this page and those before it in its stream have
    every row of the items up to this id.
    """

    read_seq: int
    body: bytes
    source: str
    item_id: list[int]
    sku: list[str]
    item_type: list[str]
    location: list[int]
    terms: Mapping[str, list[str | None]]
    changed_at: list[str | None]
    unreadable: Sequence[str] = ()
    through: int = 0

    def __len__(self) -> int:
        return len(self.item_id)


@dataclass(frozen=True, slots=True)
class MembersPage:
    """Members of kits and groups as columns, one row per (parent, member); `quantity` is NetSuite's text.

    Only members that can carry stock are listed: services and other charges never limit a kit.
    """

    body: bytes
    parent_id: list[int]
    parent_sku: list[str]
    parent_type: list[str]
    item_id: list[int]
    member_type: list[str]
    member_inactive: list[bool]
    quantity: list[str]

    def __len__(self) -> int:
        return len(self.parent_id)


@dataclass(frozen=True, slots=True)
class ChangedItem:
    """An item whose record (not stock) changed: renamed, made inactive, turned into a matrix parent."""

    item_id: int
    sku: str
    item_type: str
    matrix_type: str | None
    inactive: bool
    modified_at: str


@dataclass(frozen=True, slots=True)
class NetSuiteLocation:
    """A NetSuite location; `sells` is its "make inventory available" box, None where the account has none."""

    id: int
    name: str
    inactive: bool
    sells: bool | None


class Kind(StrEnum):
    """Classes of refusal; their values are the `code` of a Refused that answers a write.

    `named` of that Refused are the fields it names, as "item.items[0].item" or "currency".
    """

    DUPLICATE = "DUPLICATE"
    RECORD_CHANGED = "RECORD_CHANGED"
    RECORD_LOCKED = "RECORD_LOCKED"
    PERMISSION = "PERMISSION"
    PERIOD_CLOSED = "PERIOD_CLOSED"
    MISSING_FIELD = "MISSING_FIELD"
    INVALID_REFERENCE = "INVALID_REFERENCE"
    INVALID_FIELD = "INVALID_FIELD"
    CURRENCY = "CURRENCY"
    SUBSIDIARY = "SUBSIDIARY"
    INACTIVE = "INACTIVE"
    NOT_FOUND = "NOT_FOUND"
    OVERLOADED = "OVERLOADED"
    LOGIN = "LOGIN"
    UNKNOWN = "UNKNOWN"

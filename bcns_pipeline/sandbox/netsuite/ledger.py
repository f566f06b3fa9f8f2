"""The transactions of one account: headers, lines, numbers, external ids, and what was made from what.

Put the keeping of transactions here. Do not put the rules of a type here (salesorder.py, fulfilment.py, ...)
nor their SuiteQL rows (rows.py). All types share one sequence of internal ids and one namespace of external
ids (facts/netsuite.md 3.2).
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from bcns_pipeline.sandbox.netsuite.account import TaxCode
from bcns_pipeline.sandbox.netsuite.errors import Refused, duplicate
from bcns_pipeline.sandbox.netsuite.items import Item
from bcns_pipeline.sandbox.netsuite.kinds import FIRST_NUMBER, TransactionType
from bcns_pipeline.sandbox.netsuite.reading import EXTERNAL_ID

FIRST_ID = 5001
# Employees: whom the integration's role belongs to, and who works in the office.
INTEGRATION, OFFICE = 17, 42
ZERO = Decimal(0)


@dataclass(slots=True)
class Line:
    """One line of the item sublist; amounts are in the transaction's currency, as on the form (positive).

    `id` is what REST calls `line`. `values` are further properties by their names in REST. Of an order's line
    `picked`, `packed` and `fulfilled` (shipped) are apart; a quantity is in one of them. A fulfilment's line has
    the order's line in `order_line`, and a kit's member the kit's line in `kit_member_of`.
    """

    id: int
    unique: int
    item: Item | None
    quantity: Decimal | None = None
    rate: Decimal | None = None
    amount: Decimal = ZERO
    price: int = -1
    location: int | None = None
    values: dict[str, Any] = field(default_factory=dict)
    closed: bool = False
    committed: Decimal = ZERO
    backordered: Decimal = ZERO
    picked: Decimal = ZERO
    packed: Decimal = ZERO
    fulfilled: Decimal = ZERO
    billed: Decimal = ZERO
    order_line: int | None = None
    kit_member_of: int | None = None
    group: int | None = None

    @property
    def open(self) -> Decimal:
        """What a warehouse has yet to touch."""
        if self.closed or self.quantity is None or self.item is None or not self.item.fulfilled:
            return ZERO
        return max(self.quantity - self.touched, ZERO)

    @property
    def touched(self) -> Decimal:
        """What is in fulfilments, shipped or not."""
        return self.picked + self.packed + self.fulfilled


@dataclass(frozen=True, slots=True)
class TaxRow:
    """One row of tax details; `reference` is the line's, or one of shipping or handling."""

    reference: str
    code: TaxCode
    basis: Decimal
    rate: Decimal
    amount: Decimal


@dataclass(slots=True)
class Totals:
    """The sums of a transaction in its currency; `base` is the total in the subsidiary's."""

    subtotal: Decimal = ZERO
    discount: Decimal = ZERO
    shipping: Decimal = ZERO
    handling: Decimal = ZERO
    tax: Decimal = ZERO
    total: Decimal = ZERO
    base: Decimal = ZERO


@dataclass(slots=True)
class Entry:
    """One line of a journal, in its currency; one of `debit` and `credit` is zero."""

    id: int
    unique: int
    account: int
    debit: Decimal = ZERO
    credit: Decimal = ZERO
    entity: int | None = None
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def amount(self) -> Decimal:
        """The amount, a debit positive."""
        return self.debit - self.credit


@dataclass(slots=True)
class Posting:
    """What a transaction does to one account: base and transaction currency, a debit positive.

    `line` is the line of the transaction that does it, 0 its main line.
    """

    line: int
    account: int
    base: Decimal
    foreign: Decimal
    entity: int | None = None
    memo: str | None = None


@dataclass(slots=True)
class Package:
    """A parcel of a fulfilment."""

    tracking: str | None
    description: str | None = None
    weight: Decimal | None = None


@dataclass(slots=True)
class Transaction:
    """One transaction. `values` are body properties by their names in REST, as far as no field here has them.

    A journal has `entries` in place of lines. `pending` keeps it out of the ledger until somebody approves it.
    """

    id: int
    kind: TransactionType
    number: str
    created: datetime
    modified: datetime
    day: date
    status: str
    entity: int | None = None
    subsidiary: int = 1
    currency: int = 1
    exchange_rate: Decimal = Decimal(1)
    external: str | None = None
    source: int | None = None
    values: dict[str, Any] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    taxes: list[TaxRow] = field(default_factory=list)
    totals: Totals = field(default_factory=Totals)
    packages: list[Package] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    postings: list[Posting] = field(default_factory=list)
    pending: bool = False
    voided: bool = False
    created_by: int = 0
    modified_by: int = 0
    next_line: int = 1
    # Line ids of the rows that have no line of their own (shipping, handling, discount, tax, what the ledger adds),
    # in the order in which they were first needed.
    extra_lines: dict[str, int] = field(default_factory=dict)

    def line(self, number: int | None) -> Line | None:
        """The line with this id."""
        return next((line for line in self.lines if line.id == number), None)

    def take_line(self) -> int:
        """The next line id; ids are never given twice."""
        number = self.next_line
        self.next_line += 1
        return number

    def extra_line(self, name: str) -> int:
        """The id of a row without a line, which it keeps."""
        if name not in self.extra_lines:
            self.extra_lines[name] = self.take_line()
        return self.extra_lines[name]


Writer = Callable[[Transaction], None]


class Ledger:
    """All transactions. `write` shows one in SuiteQL; `actor` is the employee who saves."""

    def __init__(self, write: Writer) -> None:
        self._write = write
        self.actor = INTEGRATION
        self.clear()

    def clear(self) -> None:
        """No transactions, as after a new seed."""
        self._by_id: dict[int, Transaction] = {}
        self._by_external: dict[str, int] = {}
        self._made_from: dict[int, list[int]] = defaultdict(list)
        self._numbers: dict[str, Iterator[int]] = {}
        self._ids = itertools.count(FIRST_ID)
        self._uniques = itertools.count(70_001)

    def __iter__(self) -> Iterator[Transaction]:
        """All of them, oldest first."""
        return iter(self._by_id.values())

    def get(self, number: int) -> Transaction | None:
        """The transaction with this internal id."""
        return self._by_id.get(number)

    def by_external(self, external: str) -> Transaction | None:
        """The transaction with this external id, of whatever type."""
        found = self._by_external.get(external)
        return None if found is None else self._by_id[found]

    def find(self, record: str, key: str) -> Transaction | None:
        """What `/{record}/{key}` names; `eid:` stands before an external id."""
        if key.startswith("eid:"):
            found = self.by_external(key.removeprefix("eid:"))
        else:
            found = self.get(int(key)) if key.isdigit() else None
        return found if found is not None and found.kind.record == record else None

    def made_from(self, source: int, record: str) -> list[Transaction]:
        """The transactions of a type that were made from another one."""
        made = (self._by_id[number] for number in self._made_from.get(source, ()))
        return [one for one in made if one.kind.record == record]

    def take_id(self) -> int:
        """The next internal id."""
        return next(self._ids)

    def begin(self, kind: TransactionType, source: Transaction, now: datetime) -> Transaction:
        """What a transform begins with: for whom, where and in which money are those of `source`; the rest is empty."""
        return Transaction(
            id=self.take_id(),
            kind=kind,
            number="",
            created=now,
            modified=now,
            day=now.date(),
            status="",
            entity=source.entity,
            subsidiary=source.subsidiary,
            currency=source.currency,
            exchange_rate=source.exchange_rate,
            source=source.id,
        )

    def take_unique(self) -> int:
        """The next unique key of a line."""
        return next(self._uniques)

    def take_number(self, kind: TransactionType) -> str:
        """The next document number of a type, such as SO1001."""
        counter = self._numbers.setdefault(kind.record, itertools.count(FIRST_NUMBER))
        return f"{kind.prefix}{next(counter)}"

    def check_external(self, external: str | None, number: int | None) -> None:
        """Refuse an external id that is ill-formed, or that another transaction has."""
        if external is None:
            return
        if not EXTERNAL_ID.match(external):
            raise Refused("USER_ERROR", f"Invalid external id '{external}'.", "externalId")
        if self._by_external.get(external, number) != number:
            raise duplicate()

    def save(self, transaction: Transaction, now: datetime) -> None:
        """Keep a transaction, new or changed, and show it."""
        before = self._by_id.get(transaction.id)
        if before is None and transaction.source is not None:
            self._made_from[transaction.source].append(transaction.id)
        if before is not None and before.external is not None:
            self._by_external.pop(before.external, None)
        if transaction.external is not None:
            self._by_external[transaction.external] = transaction.id
        transaction.modified, transaction.modified_by = now, self.actor
        transaction.created_by = transaction.created_by or self.actor
        self._by_id[transaction.id] = transaction
        self._write(transaction)

    def show(self, transaction: Transaction) -> None:
        """Write a transaction anew of which something else than itself has changed, as what of it is paid."""
        self._write(transaction)

    def rename(self, transaction: Transaction, external: str | None) -> None:
        """Give a transaction another external id, which was checked."""
        if transaction.external is not None:
            self._by_external.pop(transaction.external, None)
        transaction.external = external

    def remove(self, transaction: Transaction) -> None:
        """Delete a transaction; whoever asks has undone its effects."""
        self._by_id.pop(transaction.id)
        if transaction.external is not None:
            self._by_external.pop(transaction.external, None)
        if transaction.source is not None:
            self._made_from[transaction.source].remove(transaction.id)

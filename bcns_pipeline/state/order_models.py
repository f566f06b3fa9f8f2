"""What is said of an order: as it was read, what was decided, and what came of it.

Put frozen types of `OrderStates` here. Do not put SQL here. Money has the order's own currency; times are
aware; days are those of the store's time zone. None of it is personal data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from bcns_pipeline.rules.money import Money

Disposition = Literal["open", "held", "ignored", "waiting", "planned", "posted", "adopted", "listed"]
# In NetSuite, whatever else is said of the order.
IN_NETSUITE = ("posted", "adopted")


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One line of an order that takes stock. `quantity` is units ordered; None where BigCommerce names no id."""

    line_id: int
    product_id: int | None
    variant_id: int | None
    sku: str
    quantity: int

    def as_json(self) -> dict[str, Any]:
        """As it stands in `order_state.lines`."""
        return {
            "line_id": self.line_id,
            "product_id": self.product_id,
            "variant_id": self.variant_id,
            "sku": self.sku,
            "quantity": self.quantity,
        }


@dataclass(frozen=True, slots=True)
class OrderSeen:
    """One version of an order as read. `content_hash` is `documents.Kept.fingerprint` of its document, `aliases` what
    payment providers and marketplaces call it."""

    order_id: int
    placed_at: datetime
    modified_at: datetime
    day: date
    channel_id: int
    source: str
    status_id: int
    total: Money
    lines: tuple[OrderLine, ...]
    content_hash: str
    document_id: int | None = None
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Noted:
    """Ids of orders seen for the first time, and of known ones with a new version. The rest is unchanged."""

    new: tuple[int, ...]
    changed: tuple[int, ...]

    @property
    def versions(self) -> tuple[int, ...]:
        """All that have to be decided anew."""
        return tuple(sorted((*self.new, *self.changed)))


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided of an order. `code` is of the catalogue; `reason` one sentence without personal data."""

    order_id: int
    disposition: Disposition
    code: str | None = None
    reason: str | None = None
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Posted:
    """An order that we wrote to NetSuite. `applied_hash` is the `content_hash` of the version written.

    `taxes`: its charged tax by name ("" without one) and by what it was posted as ("code:12", "item:934"). `residual`:
    what its rounding line closes, signed.
    """

    order_id: int
    netsuite_id: str
    record_type: str
    applied_hash: str
    expected_total: Money | None
    expected_tax: Money | None
    netsuite_number: str | None = None
    taxes: tuple[tuple[str, str, Money], ...] = ()
    residual: Money | None = None


@dataclass(frozen=True, slots=True)
class Adopted:
    """An order that somebody else wrote to NetSuite. `how` it was found: otherRefNum, external id, a field."""

    order_id: int
    netsuite_id: str
    record_type: str
    how: str
    netsuite_number: str | None = None


@dataclass(frozen=True, slots=True)
class ReadBack:
    """What NetSuite shows of an order now; None where it was not read. `customer` is by NetSuite, `tax_codes`
    its tax by what it is posted as, where the record's own lines tell it."""

    order_id: int
    total: Money | None = None
    tax: Money | None = None
    netsuite_number: str | None = None
    tax_codes: tuple[tuple[str, Money], ...] = ()
    customer: int | None = None


@dataclass(frozen=True, slots=True)
class TaxHeld:
    """An order whose tax NetSuite itself holds, as it was read back; `codes` as NetSuite told them last, if ever."""

    order_id: int
    netsuite_id: str
    tax: Money
    codes: Mapping[str, int] | None


@dataclass(frozen=True, slots=True)
class OrderState:
    """Where one order stands: a row of `order_state` with its amounts as Money."""

    order_id: int
    placed_at: datetime
    modified_at: datetime
    day: date
    channel_id: int
    source: str
    status_id: int
    total: Money
    lines: tuple[OrderLine, ...]
    content_hash: str
    document_id: int | None
    read_at: datetime
    disposition: Disposition
    code: str | None
    reason: str | None
    retry_at: datetime | None
    decided_at: datetime | None
    record_type: str | None
    netsuite_id: str | None
    netsuite_number: str | None
    expected_total: Money | None
    expected_tax: Money | None
    applied_hash: str | None
    posted_at: datetime | None
    read_total: Money | None
    read_tax: Money | None
    read_back_at: datetime | None
    referenced_at: datetime | None

    @property
    def edited(self) -> bool:
        """We wrote it, and BigCommerce has a newer version than the one written."""
        return self.applied_hash is not None and self.applied_hash != self.content_hash


@dataclass(frozen=True, slots=True)
class Step:
    """One step in the life of an order, for its timeline. `disposition`, `code`, `reason` are after the step."""

    order_id: int
    step: str
    disposition: str
    code: str | None
    reason: str | None
    facts: dict[str, Any]
    run_id: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Count:
    """Orders of one disposition, code and currency: how many, their BigCommerce total, and NetSuite's.

    `expected` and `read` sum what we wrote and what NetSuite showed, over those that have it.
    """

    disposition: Disposition
    code: str | None
    orders: int
    total: Money
    expected: Money
    read: Money


@dataclass(frozen=True, slots=True)
class Rounded:
    """What rounding lines close on some days' orders, whichever way, beside what these orders came to."""

    orders: int
    rounded: int
    rounding: Money
    total: Money


@dataclass(frozen=True, slots=True)
class Completeness:
    """Some days' orders by disposition; `unexplained` are those without record in NetSuite and without reason."""

    orders: dict[Disposition, int]
    unexplained: tuple[int, ...]

    @property
    def accounted(self) -> bool:
        """Each order is in NetSuite, on its way, or has a reason why it is not."""
        return not self.unexplained

    @property
    def complete(self) -> bool:
        """As `accounted`, and nothing waits or is on its way any more."""
        return self.accounted and not any(self.orders.get(one) for one in ("open", "waiting", "planned"))

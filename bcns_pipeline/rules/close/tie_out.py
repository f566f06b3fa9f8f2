"""Where every cent of an order is: in the bank, paid out, in clearing, stored value, not booked, or unknown.

Put the reasons here. Do not put reads here (state/finance.py). Per order, captured less refunded = the sum of its
parts, always: each part has exactly one reason, and what none explains is UNKNOWN. Amounts are minor units of the
order's currency.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from bcns_pipeline.rules.money import Money


class Reason(StrEnum):
    """Why a cent is where it is. One each; UNKNOWN must be 0."""

    BANKED = "in the bank"
    BANK_NOT_EVIDENCED = "paid out, bank not evidenced"
    BANK_OPEN = "paid out, no bank line yet"
    AWAITING_APPROVAL = "paid out, journal awaits approval"
    IN_CLEARING = "booked, not paid out yet"
    DISPUTED = "taken by a dispute, open or lost"
    STORED_VALUE = "stored value"
    STORED_VALUE_TO_BILL = "stored value, settled when the order is billed"
    NOT_BOOKED = "captured, not booked: it has a question"
    REFUND_NOT_BOOKED = "refunded, not booked: it has a question"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class OrderTie:
    """One order. `parts` holds what is not 0, and adds up to `net`; a part's reason is its key.

    `unknown` >= 0 is what nothing explains: a cent too much on one side does not hide a cent too little on another.
    """

    order_id: int
    day: date
    currency: str
    captured: int
    refunded: int
    booked: int
    given_back: int
    paid_out: int
    banked: int
    parts: Mapping[Reason, int]
    codes: str
    unknown: int = 0

    @property
    def net(self) -> int:
        """What was captured less what went back."""
        return self.captured - self.refunded


@dataclass(frozen=True, slots=True)
class DayTie:
    """What the orders of a day come to: sums by currency and reason, and the orders that do not tie out.

    `lost` have a cent that nothing explains, the parts of `broken` do not add up.
    """

    day: date
    orders: int
    sums: Mapping[tuple[str, Reason], int]
    lost: tuple[OrderTie, ...]
    broken: tuple[OrderTie, ...]


def of_day(day: date, found: Sequence[OrderTie]) -> DayTie:
    """The day of these orders, which are all of it."""
    sums: Counter[tuple[str, Reason]] = Counter()
    for one in found:
        sums.update({(one.currency, reason): minor for reason, minor in one.parts.items()})
    lost = tuple(one for one in found if one.unknown)
    broken = tuple(one for one in found if sum(one.parts.values()) != one.net)
    return DayTie(day, len(found), sums, lost, broken)


def tie(row: Mapping[str, Any], *, bank: bool) -> OrderTie:
    """The parts of one order. `row` as state/finance.py reads it; `bank`: whether any statement was ever read."""
    amount = {
        name: int(row[name])
        for name in (
            *("captured", "refunded", "booked", "stored", "given_back", "stored_back", "paid_out", "banked"),
            *("unapproved", "disputed", "to_bill"),
        )
    }
    codes = row["codes"] or ""
    # A question with an owner, or an order that is not ours to book: then somebody knows about it.
    asked = bool(codes) or (not row["posted"] and row["disposition"] not in ("posted", "adopted"))
    cash_in, cash_back = amount["booked"] - amount["stored"], amount["given_back"] - amount["stored_back"]
    clearing = cash_in - cash_back - amount["paid_out"]
    # What a dispute took was paid out before, and is in the bank no more.
    unbanked = amount["paid_out"] - amount["disputed"] - amount["banked"]
    parts: dict[Reason, int] = {}
    unknown: list[int] = []

    def add(reason: Reason, minor: int) -> None:
        if reason is Reason.UNKNOWN:
            unknown.append(minor)
        parts[reason] = parts.get(reason, 0) + minor

    add(Reason.BANKED, amount["banked"])
    if amount["unapproved"]:
        add(Reason.AWAITING_APPROVAL, unbanked)
    else:
        add(Reason.BANK_OPEN if bank else Reason.BANK_NOT_EVIDENCED, unbanked)
    add(Reason.DISPUTED, amount["disputed"])
    # Payouts can't settle more of an order than was booked of it, either way: what is beyond is left over.
    within = clearing if codes else max(-cash_back, min(clearing, cash_in))
    add(Reason.IN_CLEARING, within)
    add(Reason.UNKNOWN, clearing - within)
    stored = amount["stored"] - amount["stored_back"]
    # What went back before it was billed never is.
    gone = min(amount["to_bill"], max(-stored, 0))
    add(Reason.STORED_VALUE, stored + gone)
    add(Reason.STORED_VALUE_TO_BILL, amount["to_bill"] - gone)
    add(
        Reason.NOT_BOOKED if asked else Reason.UNKNOWN,
        amount["captured"] - amount["booked"] - amount["to_bill"],
    )
    add(Reason.REFUND_NOT_BOOKED if asked else Reason.UNKNOWN, amount["given_back"] - amount["refunded"])
    return OrderTie(
        order_id=row["order_id"],
        day=row["day"],
        currency=row["currency"],
        captured=amount["captured"],
        refunded=amount["refunded"],
        booked=amount["booked"],
        given_back=amount["given_back"],
        paid_out=amount["paid_out"],
        banked=amount["banked"],
        parts={reason: minor for reason, minor in parts.items() if minor},
        codes=codes,
        unknown=max(sum(one for one in unknown if one > 0), -sum(one for one in unknown if one < 0)),
    )


COLUMNS = (
    *("order", "day", "currency", "captured_minor", "refunded_minor", "booked_minor", "given_back_minor"),
    *("paid_out_minor", "banked_minor", "unknown_minor", "reasons", "codes"),
)


def shown(one: OrderTie) -> dict[str, Any]:
    """A row of the report."""
    return {
        "order": one.order_id,
        "day": one.day,
        "currency": one.currency,
        "captured_minor": one.captured,
        "refunded_minor": one.refunded,
        "booked_minor": one.booked,
        "given_back_minor": one.given_back,
        "paid_out_minor": one.paid_out,
        "banked_minor": one.banked,
        "unknown_minor": one.unknown,
        "reasons": "; ".join(reason.value for reason in Reason if reason in one.parts),
        "codes": one.codes,
    }


def not_itemised(payouts: Sequence[Mapping[str, Any]], most: int = 20) -> tuple[str, ...]:
    """A sentence on what was paid out up to the last day without a word on what it pays; none where nothing was."""
    if not payouts:
        return ()
    sums: Counter[str] = Counter()
    for row in payouts:
        sums[row["currency"]] += row["amount_minor"]
    named = [
        f"{row['payout_id']} of {row['provider']} {row['account']} {Money(row['amount_minor'], row['currency'])}"
        for row in payouts[-most:]
    ]
    more = f" and {len(payouts) - most:,} before" if len(payouts) > most else ""
    together = ", ".join(str(Money(minor, currency)) for currency, minor in sorted(sums.items()))
    return (
        f"not itemised by the provider: {', '.join(named)}{more}, {together} together; which orders they paid nobody "
        f"can say, so these stand as {Reason.IN_CLEARING.value}",
    )

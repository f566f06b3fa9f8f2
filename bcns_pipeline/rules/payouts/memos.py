"""What the lines of an entry say to whoever reads it in NetSuite.

Put wording here, and nothing that decides. No names or addresses of shoppers: ids only. Texts depend on the payout
alone, so that an entry that is made again says the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bcns_pipeline.rules.payouts.accounts import Role
from bcns_pipeline.rules.payouts.entry import Part
from bcns_pipeline.rules.payouts.model import LineClass, Payout

_FEW: Final = 3
_LONGEST: Final = 300
_WORDS: Final[dict[LineClass, str]] = {
    LineClass.GROSS_SALES: "gross sales settled",
    LineClass.PARTIAL_CAPTURE_REVERSAL: "captures reversed in part",
    LineClass.CHARGE_FAILURE: "charges that failed",
    LineClass.SALES_DISCOUNT: "promotions",
    LineClass.REFUND: "refunds settled",
    LineClass.REFUND_RETURNED: "refunds that came back",
    LineClass.CHARGEBACK: "disputes",
    LineClass.CHARGEBACK_RETURNED: "disputes won",
    LineClass.CHARGEBACK_LOST: "disputes lost",
    LineClass.FEE_STANDALONE: "service fees",
    LineClass.FEE_SELLING: "selling fees",
    LineClass.FEE_FULFILMENT: "fulfilment fees",
    LineClass.FEE_DISPUTE: "dispute fees",
    LineClass.FEE_TAX: "tax on fees",
    LineClass.RESERVE: "reserve",
    LineClass.RESERVE_MINBAL: "kept in the provider's balance",
    LineClass.MARKETPLACE_TAX: "tax that the marketplace remits",
    LineClass.LOAN: "loan",
    LineClass.DONATION: "donations",
    LineClass.ADJUSTMENT: "adjustments",
    LineClass.CONVERSION: "converted between currencies",
    LineClass.TRANSFER_IN: "paid in from the bank",
    LineClass.CONNECT: "transfers between accounts",
    LineClass.PAYOUT_RETURNED: "payouts that came back",
}
_PARTS: Final[dict[Part, str]] = {
    Part.FEE: "fees: ",
    Part.FEE_TAX: "tax on fees: ",
    Part.FX: "exchange rate: ",
    Part.REVENUE: "revenue: ",
    Part.SHIPPING: "shipping: ",
    Part.TAX: "tax: ",
    Part.STORED_VALUE: "stored value: ",
}


def header(payout: Payout) -> str:
    """The entry's own memo: "stripe payout po_1 2026-03-04"."""
    return f"{payout.provider} payout {payout.id} {payout.arrival_date.isoformat()}"[:_LONGEST]


def said(
    payout: Payout,
    role: Role,
    part: Part,
    cls: LineClass | None,
    members: Sequence[tuple[str, str, int]],
    *,
    debit: bool,
) -> str:
    """One line's memo, with how many lines it sums, and which where they are few."""
    if cls is None:
        return _of_the_transfer(payout, role, part)
    words = _WORDS[cls]
    if cls is LineClass.RESERVE:
        words += " held" if debit else " released"
    text = f"{_PARTS.get(part, '')}{words}, {len(members)}"
    if len(members) <= _FEW:
        text += ": " + ", ".join(sorted(identity for identity, _, _ in members))
    return text[:_LONGEST]


def _of_the_transfer(payout: Payout, role: Role, part: Part) -> str:
    trace = f", {payout.bank_reference}" if payout.bank_reference else ""
    if part is Part.TRANSFER:
        return "transferred, not itemised by the provider"
    if part is Part.FEE:
        return "fee of the transfer"
    if part is Part.REMAINDER:
        return "part of a whole unit, kept by the provider"
    if role is Role.RETURNED_PAYOUTS:
        return f"payout that failed{trace}"[:_LONGEST]
    return f"net deposit{trace}"[:_LONGEST]

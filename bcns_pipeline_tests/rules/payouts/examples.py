"""The chart of facts/finance.md 2.1, payouts written down shortly, and example A as it was received.

Put what several tests of payouts are made from here. Account numbers stand for NetSuite's internal ids.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from bcns_pipeline.rules.payouts.accounts import AccountBook, Chart, ProviderAccounts, Role
from bcns_pipeline.rules.payouts.books import Books, Posting
from bcns_pipeline.rules.payouts.entry import Entry
from bcns_pipeline.rules.payouts.model import Payout, PayoutLine, PayoutStatus
from bcns_pipeline.rules.payouts.plan import Evidence, PayoutPlan, plan
from bcns_pipeline.rules.payouts.policy import PayoutPolicy

DATA = Path(__file__).resolve().parents[2] / "data" / "payouts"
ARRIVAL = date(2026, 3, 4)
DAY = Posting(ARRIVAL)
NUMBERS = {
    Role.BANK: 1010,
    Role.CLEARING: 1130,
    Role.DISPUTES: 1140,
    Role.RESERVES: 1150,
    Role.RETURNED_PAYOUTS: 1160,
    Role.CONNECT: 1170,
    Role.FEE_TAX: 1180,
    Role.CONVERSION: 1190,
    Role.STORED_VALUE: 2310,
    Role.SALES_TAX: 2340,
    Role.MARKETPLACE_TAX: 2345,
    Role.ACCRUED_FEES: 2395,
    Role.LOANS: 2500,
    Role.PRE_CUTOVER: 2900,
    Role.REVENUE: 4000,
    Role.SHIPPING_REVENUE: 4010,
    Role.RETURNS: 4050,
    Role.FEES: 6110,
    Role.SERVICE_FEES: 6111,
    Role.DISPUTE_FEES: 6120,
    Role.DISPUTE_LOSSES: 6130,
    Role.SELLING_FEES: 6140,
    Role.FULFILMENT_FEES: 6150,
    Role.DONATIONS: 6800,
    Role.ADJUSTMENTS: 6900,
    Role.FX: 7100,
}


def accounts(provider: str = "stripe", account: str = "acct1", **other: int) -> ProviderAccounts:
    """All roles; a test may give one another number, 0 to leave it out."""
    numbers = {**NUMBERS, **{Role(name): number for name, number in other.items()}}
    chart = Chart(None, {(role, ""): number for role, number in numbers.items() if number})
    return ProviderAccounts(provider, account, (chart,), subsidiary=1)


STRIPE = accounts()
AMAZON = accounts("amazon", "shop", clearing=1135)
POLICY = PayoutPolicy(
    book=AccountBook((STRIPE, AMAZON, accounts("paypal", "shop", clearing=1131), accounts("generic", "shop")))
)


def line(identity: str, category: str, gross: int, fee: int = 0, **more: Any) -> PayoutLine:
    """A line of which net is what it should be."""
    given: dict[str, Any] = {"net": gross - fee, "currency": "USD", "raw_sha256": hashed(identity), **more}
    return PayoutLine(identity, category, gross, fee, **given)


def payout(lines: Iterable[PayoutLine], identity: str = "po_1", **more: Any) -> Payout:
    """A payout of what its lines come to, from Stripe unless the test says otherwise."""
    made = tuple(lines)
    currency = more.get("currency", "USD")
    amount = sum(one.net for one in made if one.currency == currency and one.category != "payout")
    given: dict[str, Any] = {
        "provider": "stripe",
        "account": "acct1",
        "currency": currency,
        "amount": amount,
        "status": PayoutStatus.PAID,
        "arrival_date": ARRIVAL,
        **more,
    }
    return Payout(id=identity, lines=made, **given)


def hashed(text: str) -> str:
    """What stands for the hash of a row."""
    return hashlib.sha256(text.encode()).hexdigest()


def planned(
    made: Payout, books: Books | None = None, policy: PayoutPolicy = POLICY, **more: Any
) -> PayoutPlan:
    """The plan of a payout, without anything outside it unless the test says otherwise."""
    return plan(made, policy, books or Books(), more.pop("posting", DAY), Evidence(**more))


def rows(entry: Entry) -> list[tuple[int, int, int]]:
    """(account, debit, credit) of each line, in order."""
    return [(one.account, one.debit, one.credit) for one in entry.lines]


def example_a() -> Payout:
    """Example A of facts/finance.md 2.4, from the API's own answer."""
    shown = json.loads((DATA / "payout_A.json").read_text(), parse_float=Decimal)
    head, found = shown["payout"], shown["balance_transactions"]["data"]
    return Payout(
        provider="stripe",
        account="acct1",
        id=head["id"],
        currency=head["currency"].upper(),
        amount=head["amount"],
        status=PayoutStatus(head["status"]),
        arrival_date=datetime.fromtimestamp(head["arrival_date"], UTC).date(),
        bank_reference=head["trace_id"]["value"],
        lines=tuple(_api_line(row) for row in found),
    )


def _api_line(row: dict[str, Any]) -> PayoutLine:
    return PayoutLine(
        id=row["id"],
        category=row["reporting_category"],
        gross=row["amount"],
        fee=row["fee"],
        net=row["net"],
        currency=row["currency"].upper(),
        occurred_at=datetime.fromtimestamp(row["created"], UTC),
        references=(row["source"],) if row["source"] else (),
        order_hints=(row["description"],),
        raw_sha256=hashed(json.dumps(row, sort_keys=True)),
    )

"""How a posted refund is taken back when its payment is declined later: one journal, the mirror of what was posted.

Put the journal's lines here. Do not put here whether it is made (`RefundPolicy.on_decline`). Corrections are made by
reversal only: the credit memo and its settlement stay as they are, and the journal takes back the credit's accounts
against the account that the money was to come from (facts/finance.md 2.6, 4.2).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from typing import Any

from bcns_pipeline.rules.money import Money, total
from bcns_pipeline.rules.refunds.bodies import memo_of
from bcns_pipeline.rules.refunds.books import Books
from bcns_pipeline.rules.refunds.model import Refund
from bcns_pipeline.rules.refunds.policy import RefundPolicy


def mirrored(credit: Mapping[int, Money], settled: Mapping[int, Money], declined: Money) -> dict[int, Money]:
    """{account: amount}, debits above 0, which add up to 0: what takes `declined` back of a credit.

    `credit` is what the credit memo posted by account, without A/R (debits above 0); `settled` what was paid from which
    account, of payments that were declined (above 0). A whole credit is mirrored to the cent, a part by its share.
    """
    currency = declined.currency
    whole = total(list(credit.values()), currency)
    if not whole:
        raise ValueError("a credit that posted nothing can't be taken back")
    found = dict(settled)
    left = declined
    # The largest last: it takes what rounding leaves.
    for account, amount in sorted(credit.items(), key=lambda one: (abs(one[1].minor), one[0])):
        share = amount.times(Fraction(declined.minor, whole.minor))
        found[account] = found.get(account, Money.zero(currency)) - share
        left -= share
    if left:
        last = max(credit, key=lambda one: (abs(credit[one].minor), one))
        found[last] -= left
    return {account: amount for account, amount in found.items() if amount}


def reversal_body(
    key: str,
    refund: Refund,
    books: Books,
    lines: Mapping[int, Money],
    on: date,
    policy: RefundPolicy,
) -> dict[str, Any]:
    """The journal entry; approved, because what it takes back is posted."""
    memo = f"{memo_of(refund, policy)}, declined"
    body: dict[str, Any] = {"externalId": key, "tranDate": on.isoformat(), "memo": memo, "approved": True}
    if books.subsidiary is not None:
        body["subsidiary"] = {"id": str(books.subsidiary)}
    if books.currency_id is not None:
        body["currency"] = {"id": str(books.currency_id)}
        if books.rate is not None:
            body["exchangeRate"] = books.rate
    items = [
        {
            "account": {"id": str(account)},
            "debit" if amount.minor > 0 else "credit": abs(amount).amount,
            "memo": memo,
        }
        for account, amount in sorted(lines.items(), key=lambda one: (one[1].minor < 0, one[0]))
    ]
    return {**body, "line": {"items": items}}

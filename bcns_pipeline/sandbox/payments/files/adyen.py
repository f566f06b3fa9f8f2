"""Adyen's settlement details report: one batch with its payout as the last row.

Put its columns here. Do not put what moves money here. Source: facts/finance.md 1.4: debit and credit are columns of
their own in gross and net currency, and a sale can have a net debit where fees exceed it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from bcns_pipeline.sandbox.payments.files.sheet import Row, Sheet
from bcns_pipeline.sandbox.payments.kinds import KINDS
from bcns_pipeline.sandbox.payments.models import Movement, Payout
from bcns_pipeline.sandbox.payments.provider import Provider
from bcns_pipeline.sandbox.payments.units import major, rounded

COLUMNS = (
    "Company Account",
    "Merchant Account",
    "Psp Reference",
    "Merchant Reference",
    "Payment Method",
    "Creation Date",
    "TimeZone",
    "Type",
    "Modification Reference",
    "Gross Currency",
    "Gross Debit (GC)",
    "Gross Credit (GC)",
    "Exchange Rate",
    "Net Currency",
    "Net Debit (NC)",
    "Net Credit (NC)",
    "Commission (NC)",
    "Markup (NC)",
    "Scheme Fees (NC)",
    "Interchange (NC)",
    "Payment Method Variant",
    "Modification Merchant Reference",
    "Batch Number",
    *(f"Reserved{number}" for number in range(4, 11)),
)
COMPANY = "SandboxTrading"
# What the fee of a sale is made of; the acquirer's markup is the rest.
INTERCHANGE, SCHEME = Decimal("0.6"), Decimal("0.1")


def sheet(provider: Provider, payouts: Sequence[Payout]) -> Sheet:
    """The report of one batch; `ValueError` for several."""
    if len(payouts) != 1:
        raise ValueError("An Adyen settlement details report is of one batch; drop one payout at a time.")
    payout = payouts[0]
    rows = [_row(provider, payout, one) for one in payout.lines]
    last = _line(provider, payout, payout.created, "MerchantPayout")
    last["Modification Reference"] = f"TX{payout.trace}XT batch {payout.order}, {provider.contract.account}"
    last["Net Currency"] = payout.currency
    side = "Net Debit (NC)" if payout.amount >= 0 else "Net Credit (NC)"
    last[side] = _amount(abs(payout.amount), payout.currency)
    rows.append(list(last.values()))
    return Sheet(
        f"settlement_detail_report_batch_{payout.order}.csv",
        list(COLUMNS),
        rows,
        note=COLUMNS.index("Modification Merchant Reference"),
        money=COLUMNS.index("Net Credit (NC)"),
        currency=COLUMNS.index("Net Currency"),
        total=("rows", len(rows) - 1, COLUMNS.index(side)),
        newline="\n",
    )


def _line(provider: Provider, payout: Payout, moment: int, kind: str) -> dict[str, str]:
    found = dict.fromkeys(COLUMNS, "")
    found["Company Account"], found["Merchant Account"] = COMPANY, provider.contract.account
    found["Creation Date"] = datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%S")
    found["TimeZone"], found["Type"], found["Batch Number"] = "UTC", kind, str(payout.order)
    return found


def _row(provider: Provider, payout: Payout, one: Movement) -> Row:
    kind = one.word or KINDS[one.kind].adyen
    if not kind:
        raise ValueError(f"Adyen has no type for a {one.kind}.")
    found = _line(provider, payout, one.created, kind)
    found["Net Currency"] = one.currency
    found["Net Debit (NC)" if one.net < 0 else "Net Credit (NC)"] = _amount(abs(one.net), one.currency)
    if not one.reference:
        found["Modification Reference"] = one.description
        return list(found.values())
    found["Psp Reference"], found["Merchant Reference"] = one.reference, one.order_id
    found["Payment Method"], found["Payment Method Variant"] = "visa", "visastandardcredit"
    if one.kind != "charge":
        found["Modification Reference"] = one.source
        found["Modification Merchant Reference"] = one.order_id
    shown, presented = (one.presented_currency, one.presented) if one.presented else (one.currency, one.gross)
    found["Gross Currency"] = shown
    found["Gross Debit (GC)" if presented < 0 else "Gross Credit (GC)"] = _amount(abs(presented), shown)
    found["Exchange Rate"] = str(one.rate or 1)
    if one.fee:
        interchange, scheme = rounded(one.fee * INTERCHANGE), rounded(one.fee * SCHEME)
        found["Interchange (NC)"] = _amount(interchange, one.currency)
        found["Scheme Fees (NC)"] = _amount(scheme, one.currency)
        found["Markup (NC)"] = _amount(one.fee - interchange - scheme, one.currency)
    return list(found.values())


def _amount(value: int, currency: str) -> str:
    return str(major(value, currency))

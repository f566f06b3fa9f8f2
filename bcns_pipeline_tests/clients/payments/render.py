"""Settlements written as the files that providers send: the other direction of every reader.

Put renderers here and what they need to draw examples. They share no code with the readers.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from bcns_pipeline.clients.files.models import Document
from bcns_pipeline.clients.payments.models import Settlement, SourceLine

DIGITS = {"USD": 2, "EUR": 2, "JPY": 0, "BHD": 3, "ISK": 0, "HUF": 2, "MGA": 2}
WHEN = datetime(2026, 3, 5, 6, 7, 8, tzinfo=UTC)


def document(text: str, name: str = "dropped.csv") -> Document:
    return Document("drop/payouts", name, text.encode(), WHEN)


def bare(settlement: Settlement) -> Settlement:
    """Without the hashes of rows, which are checked on their own."""

    def plain(lines: Sequence[SourceLine]) -> tuple[SourceLine, ...]:
        return tuple(replace(line, row_sha256="") for line in lines)

    return replace(settlement, lines=plain(settlement.lines), aside=plain(settlement.aside))


def major(minor: int, currency: str, mark: str = ".") -> str:
    return f"{Decimal(minor).scaleb(-DIGITS[currency]):f}".replace(".", mark)


def table(header: Sequence[str], rows: Sequence[Sequence[object]], delimiter: str = ",") -> str:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()


def stripe_csv(settlements: Sequence[Settlement], columns: Sequence[str] | None = None) -> str:
    rows = [
        {
            "automatic_payout_id": one.payout.id,
            "automatic_payout_effective_at_utc": f"{one.payout.arrival_date} 00:00:00",
            "balance_transaction_id": line.id,
            "created_utc": f"{line.occurred_at:%Y-%m-%d %H:%M:%S}",
            "currency": line.currency.lower(),
            "gross": major(line.gross, line.currency),
            "fee": major(line.fee, line.currency),
            "net": major(line.net, line.currency),
            "reporting_category": line.category,
            "source_id": (*line.references, "")[0],
            "charge_id": (*line.references, "", "")[1],
            "payment_metadata[order_id]": line.order_hints[0] if line.order_hints else "",
            "description": line.description,
            "customer_facing_amount": ""
            if line.presentment_amount is None
            else major(line.presentment_amount, str(line.presentment_currency)),
            "customer_facing_currency": (line.presentment_currency or "").lower(),
            "trace_id": one.payout.bank_reference,
        }
        for one in settlements
        for line in one.lines
    ]
    order = list(columns or rows[0])
    return table(order, [[row[name] for name in order] for row in rows])


def generic_csv(settlements: Sequence[Settlement]) -> str:
    header = (
        *(
            "provider",
            "account",
            "payout_id",
            "payout_date",
            "payout_amount",
            "currency",
            "line_id",
            "category",
        ),
        *("gross", "fee", "net", "occurred_at", "references", "order", "presentment_amount"),
        *("presentment_currency", "exchange_rate", "bank_reference"),
    )
    rows = [
        (
            *(one.payout.provider, one.payout.account, one.payout.id, one.payout.arrival_date),
            *(major(one.payout.amount, one.payout.currency), line.currency, line.id, line.category),
            *(major(amount, line.currency) for amount in (line.gross, line.fee, line.net)),
            line.occurred_at.isoformat() if line.occurred_at else "",
            " | ".join(line.references),
            line.order_hints[0] if line.order_hints else "",
            ""
            if line.presentment_amount is None
            else major(line.presentment_amount, str(line.presentment_currency)),
            line.presentment_currency or "",
            "" if line.rate is None else f"{line.rate:f}",
            one.payout.bank_reference,
        )
        for one in settlements
        for line in one.lines
    ]
    return table(header, rows)


def braintree_csv(settlements: Sequence[Settlement]) -> str:
    header = (
        *(
            "Merchant Account ID",
            "Transaction ID",
            "Transaction Type",
            "Disbursement Date",
            "Settlement Amount",
        ),
        *("Settlement Currency", "Discount", "Per Transaction Fee", "Order ID", "Card Brand"),
    )
    rows = []
    for one in settlements:
        for line in one.lines:
            parts = dict(line.fee_parts)
            rows.append(
                (
                    *(one.payout.account, line.references[0], line.category.upper(), one.payout.arrival_date),
                    *(major(abs(line.gross), line.currency), line.currency),
                    *(
                        major(parts.get(name, 0), line.currency)
                        for name in ("discount", "per_transaction_fee")
                    ),
                    *(line.order_hints[0] if line.order_hints else "", line.method),
                )
            )
    return table(header, rows)


ADYEN = (
    *(
        "Company Account",
        "Merchant Account",
        "Psp Reference",
        "Merchant Reference",
        "Payment Method",
        "Creation Date",
    ),
    *(
        "TimeZone",
        "Type",
        "Modification Reference",
        "Gross Currency",
        "Gross Debit (GC)",
        "Gross Credit (GC)",
    ),
    *("Exchange Rate", "Net Currency", "Net Debit (NC)", "Net Credit (NC)", "Commission (NC)", "Markup (NC)"),
    *("Scheme Fees (NC)", "Interchange (NC)", "Payment Method Variant", "Modification Merchant Reference"),
    *("Batch Number", "Reserved4"),
)


def adyen_csv(settlements: Sequence[Settlement], columns: Sequence[str] = ADYEN) -> str:
    rows = []
    for one in settlements:
        account, batch, currency = one.payout.account, one.payout.id.split("-")[0], one.payout.currency
        for line in one.lines:
            shown, shown_in = line.presentment_amount or 0, line.presentment_currency or ""
            row = dict.fromkeys((*ADYEN, *columns), "")
            row.update(
                {
                    "Merchant Account": account,
                    "Psp Reference": line.references[0],
                    "Merchant Reference": line.order_hints[0] if line.order_hints else "",
                    "Payment Method": line.method,
                    "Creation Date": f"{line.occurred_at:%Y-%m-%d %H:%M:%S}",
                    "TimeZone": "UTC",
                    "Type": line.category,
                    "Modification Reference": line.references[1],
                    "Gross Currency": shown_in,
                    "Gross Debit (GC)": major(-shown, shown_in) if shown_in and shown < 0 else "",
                    "Gross Credit (GC)": major(shown, shown_in) if shown_in and shown >= 0 else "",
                    "Exchange Rate": "" if line.rate is None else f"{line.rate:f}",
                    "Net Currency": currency,
                    "Net Debit (NC)": major(-line.net, currency) if line.net < 0 else "",
                    "Net Credit (NC)": major(line.net, currency) if line.net >= 0 else "",
                    **{
                        f"{name.replace('_', ' ').title()} (NC)": major(amount, currency)
                        for name, amount in line.fee_parts
                    },
                    "Batch Number": batch,
                }
            )
            rows.append([row[name] for name in columns])
        row = dict.fromkeys((*ADYEN, *columns), "")
        side = "Net Debit (NC)" if one.payout.amount >= 0 else "Net Credit (NC)"
        row.update(
            {
                "Merchant Account": account,
                "Creation Date": f"{one.payout.arrival_date} 12:00:00",
                "TimeZone": "PDT",
                "Type": "MerchantPayout",
                "Modification Reference": one.payout.descriptor,
                "Net Currency": currency,
                side: major(abs(one.payout.amount), currency),
                "Batch Number": batch,
            }
        )
        rows.append([row[name] for name in columns])
    return table(columns, rows)


AMAZON = (
    *(
        "settlement-id",
        "settlement-start-date",
        "settlement-end-date",
        "deposit-date",
        "total-amount",
        "currency",
    ),
    *(
        "transaction-type",
        "order-id",
        "merchant-order-id",
        "adjustment-id",
        "shipment-id",
        "marketplace-name",
    ),
    *("amount-type", "amount-description", "amount", "posted-date", "posted-date-time", "sku"),
)


def amazon_tsv(settlements: Sequence[Settlement], mark: str = ".") -> str:
    rows: list[list[object]] = []
    for one in settlements:
        payout = one.payout
        first = dict.fromkeys(AMAZON, "")
        day = f"{payout.arrival_date:%d.%m.%Y}" if mark == "," else f"{payout.arrival_date}"
        first.update(
            {
                "settlement-id": payout.id,
                "deposit-date": f"{day} 10:00:00 UTC",
                "total-amount": major(payout.amount, payout.currency, mark),
                "currency": payout.currency,
            }
        )
        rows.append(list(first.values()))
        for line in one.lines:
            row = dict.fromkeys(AMAZON, "")
            kind, amount_type, what = line.category.split("/")
            row.update(
                {
                    "settlement-id": payout.id,
                    "transaction-type": kind,
                    "order-id": line.references[0],
                    "amount-type": amount_type,
                    "amount-description": what,
                    "amount": major(line.gross, line.currency, mark),
                    "posted-date": f"{line.occurred_at:%d.%m.%Y}"
                    if mark == ","
                    else f"{line.occurred_at:%Y-%m-%d}",
                    "sku": line.sku,
                    "marketplace-name": line.method,
                }
            )
            rows.append(list(row.values()))
    return table(AMAZON, rows, "\t")

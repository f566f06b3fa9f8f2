"""Stripe's itemised payout reconciliation as CSV, as it is downloaded from the dashboard or the reporting API.

Put the reading of `payout_reconciliation.itemized.*` here. Amounts are in major units with the provider's signs. The
report has no row for the payout itself: its amount is the sum of its rows, so only the bank line, or the API, can tell
that rows are missing at its end. Facts: facts/finance.md 1.2.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from typing import Final

from bcns_pipeline.clients.files.models import BadFile
from bcns_pipeline.clients.files.table import Row, table
from bcns_pipeline.clients.files.values import Once, currency_of, date_of, minor_of, moment_of
from bcns_pipeline.clients.payments.minor_units import STRIPE_WHOLE_UNITS
from bcns_pipeline.clients.payments.models import PayoutStatus, Settlement, SourceLine, SourcePayout
from bcns_pipeline.clients.payments.profile import FileProfile
from bcns_pipeline.clients.payments.stripe_ids import ids_in, names_an_order

PROVIDER: Final = "stripe"
SIGNATURE: Final = ("balance_transaction_id", "reporting_category", "automatic_payout_id")
_NEEDED: Final = (*SIGNATURE, "currency", "gross", "fee", "net")
_ID_COLUMNS: Final = ("source_id", "charge_id", "payment_intent_id", "destination_payment_id", "invoice_id")


def read_stripe_report(text: str, profile: FileProfile) -> list[Settlement]:
    """One settlement per automatic payout, in the order of their first rows. BadFile for anything unclear."""
    lines: dict[str, list[SourceLine]] = defaultdict(list)
    heads: dict[str, tuple[str, date, str, int]] = {}
    once = Once("balance_transaction_id")
    for row in table(text, _NEEDED):
        payout = row.need("automatic_payout_id")
        line = _line(row, once, profile)
        head = (line.currency, _arrival(row), row["trace_id"], row.number)
        first = heads.setdefault(payout, head)
        if line.currency != first[0]:
            raise BadFile(
                "CURRENCY", f"{line.currency} in payout {payout}, which is in {first[0]}", row=row.number
            )
        if head[1] != first[1]:
            text_ = f"payout {payout} arrives on {head[1]} here and on {first[1]} in row {first[3]}"
            raise BadFile("DATE", text_, row=row.number)
        lines[payout].append(line)
    return [_settlement(payout, heads[payout], found, profile) for payout, found in lines.items()]


def _settlement(
    payout: str, head: tuple[str, date, str, int], lines: list[SourceLine], profile: FileProfile
) -> Settlement:
    currency, arrival, trace, _ = head
    # A payout's own row is not in this report; some exports of all activity have it.
    own = tuple(line for line in lines if line.category == "payout" and payout in line.references)
    rest = tuple(line for line in lines if line not in own) if own else tuple(lines)
    return Settlement(
        SourcePayout(
            provider=PROVIDER,
            account=profile.account(PROVIDER),
            id=payout,
            currency=currency,
            amount=sum(line.net for line in rest),
            status=PayoutStatus.PAID,
            arrival_date=arrival,
            bank_reference=trace,
            whole_units_only=currency in STRIPE_WHOLE_UNITS,
        ),
        rest,
        own,
        rows=len(lines),
    )


def _arrival(row: Row) -> date:
    column = "automatic_payout_effective_at_utc"
    text = row[column]
    if not text:
        column = "automatic_payout_effective_at"
        text = row.need(column)
    return date_of(text, row.number, column)


def _line(row: Row, once: Once, profile: FileProfile) -> SourceLine:
    currency = currency_of(row["currency"], row.number)
    gross, fee, net = (minor_of(row[name], currency, row.number, name) for name in ("gross", "fee", "net"))
    if gross - fee != net:
        text = f"gross {row['gross']} less fee {row['fee']} is not net {row['net']}"
        raise BadFile("AMOUNT", text, row=row.number)
    shown, shown_currency = row["customer_facing_amount"], row["customer_facing_currency"]
    paid_in = (
        currency_of(shown_currency, row.number, "customer_facing_currency")
        if shown and shown_currency
        else None
    )
    when = row["created_utc"]
    return SourceLine(
        id=once(row["balance_transaction_id"], row.number),
        category=row.need("reporting_category"),
        gross=gross,
        fee=fee,
        net=net,
        currency=currency,
        occurred_at=moment_of(when, row.number, "created_utc")
        if when
        else moment_of(row.need("created"), row.number, "created", zone=profile.stripe_zone),
        row_sha256=row.sha256,
        presentment_amount=minor_of(shown, paid_in, row.number, "customer_facing_amount")
        if paid_in
        else None,
        presentment_currency=paid_in,
        references=tuple(
            dict.fromkeys((*filter(None, (row[name] for name in _ID_COLUMNS)), *ids_in(row["description"])))
        ),
        order_hints=tuple(dict.fromkeys(_hints(row))),
        description=row["description"],
        method=row["card_brand"] or row["payment_method_type"],
        country=row["card_country"],
    )


def _hints(row: Row) -> Iterator[str]:
    for name in row.values:
        if names_an_order(name) and row[name]:
            yield row[name]
    if row["description"]:
        yield row["description"]

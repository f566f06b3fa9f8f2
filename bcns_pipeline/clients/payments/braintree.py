"""Braintree's payment-level fee report: one row per transaction, and no payout anywhere.

Put the reading of the rows here. A disbursement has no id: merchant account, disbursement date and currency are its
key, and its amount is the sum of its rows. Amounts are unsigned, the type says which way they go. Whether the bank line
is gross or net depends on the account: fees are kept from each disbursement, or billed by the month.
Facts: facts/finance.md 1.3.
"""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import UTC, datetime
from typing import Final

from bcns_pipeline.clients.files.models import BadFile
from bcns_pipeline.clients.files.table import Fields, Row, fields_of, named, row_of
from bcns_pipeline.clients.files.values import Once, currency_of, date_of, minor_of, number_of, optional_minor
from bcns_pipeline.clients.payments.models import PayoutStatus, Settlement, SourceLine, SourcePayout
from bcns_pipeline.clients.payments.profile import FileProfile

PROVIDER: Final = "braintree"
SIGNATURE: Final = ("merchant_account", "transaction_id", "disbursement_date")
_NEEDED: Final = (*SIGNATURE, "type", "settlement_amount", "settlement_currency")
_ALIASES: Final = {
    "merchant_account_id": "merchant_account",
    "transaction_type": "type",
    "settlement_currency_iso_code": "settlement_currency",
    "presentment_currency_iso_code": "presentment_currency",
    "issuing_country": "country_of_issuance",
}
_SIGNS: Final = {"sale": 1, "credit": -1}
_FEES: Final = {"discount": 1, "discount_credit": -1, "per_transaction_fee": 1}
_TOTAL_FEE: Final = "braintree_total_amount"


def plain_names(header: Fields) -> Fields:
    """The header with names as we use them: "Merchant Account ID" is merchant_account."""
    plain = [re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_") for name in header.fields]
    return Fields(header.number, [_ALIASES.get(name, name) for name in plain], header.sha256)


def read_braintree(text: str, profile: FileProfile) -> list[Settlement]:
    """One settlement per merchant account, disbursement date and currency. BadFile for anything unclear."""
    rows = fields_of(text)
    header = next(rows, None)
    if header is None:
        raise BadFile("EMPTY", "the file is empty")
    names = named(plain_names(header), _NEEDED)
    found: dict[tuple[str, str, str], list[SourceLine]] = defaultdict(list)
    once = Once("transaction")
    for fields in rows:
        row = row_of(names, fields)
        line = _line(row, once, profile)
        day = date_of(row["disbursement_date"], row.number, "disbursement_date")
        found[row.need("merchant_account"), day.isoformat(), line.currency].append(line)
    if not found:
        raise BadFile("EMPTY", "the file has a header and no rows", row=header.number)
    return [_settlement(*key, lines) for key, lines in found.items()]


def _settlement(account: str, day: str, currency: str, lines: list[SourceLine]) -> Settlement:
    at = datetime.fromisoformat(day)
    payout = SourcePayout(
        provider=PROVIDER,
        account=account,
        # With its currency even where there is no other one that day: another file may have it.
        id=f"{day}-{currency}",
        currency=currency,
        amount=sum(line.net for line in lines),
        status=PayoutStatus.PAID,
        arrival_date=at.date(),
        created_at=at.replace(tzinfo=UTC),
        descriptor="BRAINTREE",
    )
    return Settlement(payout, tuple(lines), rows=len(lines))


def _line(row: Row, once: Once, profile: FileProfile) -> SourceLine:
    kind = row.need("type").lower()
    if kind not in _SIGNS:
        raise BadFile("SHAPE", f"type {row['type']!r} is neither sale nor credit", row=row.number)
    currency = currency_of(row["settlement_currency"], row.number, "settlement_currency")
    gross = _SIGNS[kind] * _unsigned(row, "settlement_amount", currency)
    parts = tuple(
        (name, sign * amount)
        for name, sign in _FEES.items()
        if (amount := optional_minor(row[name], currency, row.number, name))
    )
    fee = sum(amount for _, amount in parts)
    if row[_TOTAL_FEE]:
        fee = minor_of(row[_TOTAL_FEE], currency, row.number, _TOTAL_FEE)
        rest = fee - sum(amount for _, amount in parts)
        parts = (*parts, ("other", rest)) if rest else parts
    netted = profile.braintree_fees == "netted"
    shown = row["presentment_currency"]
    paid_in = currency_of(shown, row.number, "presentment_currency") if shown else None
    presented = (
        _SIGNS[kind] * _unsigned(row, "presentment_amount", paid_in)
        if paid_in and row["presentment_amount"]
        else None
    )
    if paid_in == currency and presented is not None and presented != gross:
        text = f"{row['settlement_amount']} is settled of {row['presentment_amount']} in the same currency"
        raise BadFile("AMOUNT", text, row=row.number)
    rate = row["exchange_rate"]
    return SourceLine(
        id=f"{kind}-{once(row['transaction_id'], row.number)}",
        category=kind,
        gross=gross,
        fee=fee if netted else 0,
        net=gross - fee if netted else gross,
        currency=currency,
        occurred_at=None,
        row_sha256=row.sha256,
        presentment_amount=presented,
        presentment_currency=paid_in if presented is not None else None,
        rate=number_of(rate, row.number, "exchange_rate") if rate else None,
        references=tuple(
            dict.fromkeys(row[name] for name in ("transaction_id", "refunded_transaction_id") if row[name])
        ),
        order_hints=(row["order_id"],) if row["order_id"] else (),
        fee_parts=parts if netted else (),
        fee_billed_later=0 if netted else fee,
        method=row["card_brand"] or row["card_type"],
        country=row["country_of_issuance"],
    )


def _unsigned(row: Row, column: str, currency: str) -> int:
    amount = minor_of(row.need(column), currency, row.number, column)
    if amount < 0:
        raise BadFile(
            "AMOUNT", f"{column} {row[column]} has a sign, its type has one already", row=row.number
        )
    return amount

"""Worked example A (facts/finance.md 2.4), rebuilt from its figures: 42 charges and eight other rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from bcns_pipeline_tests.clients.payments.render import table

# Category: how many, gross, fee, net in cents.
FIGURES = {
    "charge": (42, 631842, 19583, 612259),
    "refund": (3, -21437, 0, -21437),
    "dispute": (1, -8999, 1500, -10499),
    "dispute_reversal": (1, 4500, -1500, 6000),
    "fee": (1, -1260, 0, -1260),
    "risk_reserved_funds-hold": (1, -30000, 0, -30000),
    "risk_reserved_funds": (1, 12000, 0, 12000),
}
ARRIVAL = datetime(2026, 3, 4, tzinfo=UTC)
_OTHERS = (
    ("txn_SYNR1", "refund", "refund", -10065, 0, "re_SYN1", "REFUND FOR CHARGE (Order 1007)"),
    ("txn_SYNR2", "refund", "refund", -6912, 0, "re_SYN2", "REFUND FOR CHARGE (Order 1013)"),
    ("txn_SYNR3", "refund", "refund", -4460, 0, "re_SYN3", "REFUND FOR CHARGE (Order 0950)"),
    ("txn_SYND1", "adjustment", "dispute", -8999, 1500, "du_SYN1", "Chargeback withdrawal for ch_SYN0871"),
    (
        "txn_SYND2",
        "adjustment",
        "dispute_reversal",
        4500,
        -1500,
        "du_SYN0",
        "Chargeback reversal for ch_SYN0802",
    ),
    ("txn_SYNF1", "stripe_fee", "fee", -1260, 0, None, "Radar (2026-02-28): Standard"),
    ("txn_SYNH1", "reserve_hold", "risk_reserved_funds", -30000, 0, "rsh_SYN1", "Reserve hold"),
    ("txn_SYNH2", "reserve_release", "risk_reserved_funds", 12000, 0, "rsr_SYN1", "Reserve release"),
)


def _rows() -> Iterator[dict[str, Any]]:
    count, gross, fee, _ = FIGURES["charge"]
    for number in range(count):
        # Shares that are all different and add up to the total.
        last = number == count - 1
        amount = gross - sum(10_000 + 100 * n for n in range(count - 1)) if last else 10_000 + 100 * number
        cost = fee - 450 * (count - 1) if last else 450
        yield _row(
            f"txn_SYN{1001 + number}",
            ("charge", "charge"),
            (amount, cost),
            f"ch_SYN{1001 + number}",
            f"Order {1001 + number}",
            datetime(2026, 2, 28, tzinfo=UTC) + timedelta(hours=number),
        )
    for name, kind, category, amount, cost, source, text in _OTHERS:
        yield _row(
            name, (kind, category), (amount, cost), source, text, datetime(2026, 3, 2, 7, 33, 20, tzinfo=UTC)
        )


def _row(
    name: str, kinds: tuple[str, str], money: tuple[int, int], source: str | None, text: str, at: datetime
) -> dict[str, Any]:
    return {
        "id": name,
        "object": "balance_transaction",
        "amount": money[0],
        "fee": money[1],
        "net": money[0] - money[1],
        "currency": "usd",
        "type": kinds[0],
        "reporting_category": kinds[1],
        "source": source,
        "exchange_rate": None,
        "created": int(at.timestamp()),
        "available_on": int(ARRIVAL.timestamp()),
        "status": "available",
        "balance_type": "payments",
        "description": text,
        "fee_details": [{"amount": money[1], "currency": "usd", "type": "stripe_fee"}] if money[1] else [],
    }


def payout() -> dict[str, Any]:
    """The payout as the API tells it."""
    return {
        "id": "po_SYN0304",
        "object": "payout",
        "amount": 567063,
        "currency": "usd",
        "arrival_date": int(ARRIVAL.timestamp()),
        "created": int(ARRIVAL.timestamp()) - 86400,
        "automatic": True,
        "reconciliation_status": "completed",
        "status": "paid",
        "method": "standard",
        "type": "bank_account",
        "failure_code": None,
        "original_payout": None,
        "reversed_by": None,
        "statement_descriptor": None,
        "trace_id": {"status": "supported", "value": "021000021234567"},
        "description": "STRIPE PAYOUT",
        "metadata": {},
        "livemode": False,
    }


def transactions() -> list[dict[str, Any]]:
    """The list of its balance transactions, itself among them."""
    at = datetime(2026, 3, 3, tzinfo=UTC)
    own = _row("txn_SYNPO", ("payout", "payout"), (-567063, 0), "po_SYN0304", "STRIPE PAYOUT", at)
    return [*_rows(), own]


def api_pages(size: int = 30) -> list[dict[str, Any]]:
    """The list of payouts, then the pages of the payout's list."""
    rows = transactions()
    parts = [rows[at : at + size] for at in range(0, len(rows), size)]
    return [
        {"object": "list", "has_more": False, "data": [payout()]},
        *(
            {"object": "list", "has_more": number < len(parts), "data": part}
            for number, part in enumerate(parts, 1)
        ),
    ]


def report() -> str:
    """The same as the itemised report."""
    header = (
        *("automatic_payout_id", "automatic_payout_effective_at", "balance_transaction_id", "created_utc"),
        *(
            "currency",
            "gross",
            "fee",
            "net",
            "reporting_category",
            "source_id",
            "charge_id",
            "payment_intent_id",
        ),
        *("description", "customer_facing_amount", "customer_facing_currency", "payment_metadata[order_id]"),
    )
    rows = []
    for row in _rows():
        charge = row["type"] == "charge"
        number = row["id"].removeprefix("txn_SYN")
        rows.append(
            (
                *("po_SYN0304", "2026-03-04 00:00:00", row["id"]),
                f"{datetime.fromtimestamp(row['created'], UTC):%Y-%m-%d %H:%M:%S}",
                "usd",
                *(f"{row[name] / 100:.2f}" for name in ("amount", "fee", "net")),
                *(row["reporting_category"], row["source"] or ""),
                *((f"ch_SYN{number}", f"pi_SYN{number}") if charge else ("", "")),
                row["description"],
                *((f"{row['amount'] / 100:.2f}", "usd", number) if charge else ("", "", "")),
            )
        )
    return table(header, rows)

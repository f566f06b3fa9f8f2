"""Payouts as the plain table that anybody can export: the provider has no report of its own that is read.

Put its columns here. Do not put what moves money here. The form is the one that docs/payout-csv.md asks merchants for.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from bcns_pipeline.sandbox.payments.files.sheet import Row, Sheet
from bcns_pipeline.sandbox.payments.models import Movement, Payout
from bcns_pipeline.sandbox.payments.provider import Provider
from bcns_pipeline.sandbox.payments.units import major

COLUMNS = (
    "provider",
    "account",
    "payout_id",
    "payout_date",
    "payout_amount",
    "bank_reference",
    "currency",
    "line_id",
    "category",
    "gross",
    "fee",
    "net",
    "occurred_at",
    "references",
    "order",
    "description",
)


def sheet(provider: Provider, payouts: Sequence[Payout]) -> Sheet:
    """The rows of some payouts."""
    rows = [_row(provider, payout, one) for payout in payouts for one in payout.lines]
    return Sheet(
        f"{provider.contract.name}-payouts-{payouts[0].id}.csv",
        list(COLUMNS),
        rows,
        note=COLUMNS.index("description"),
        money=COLUMNS.index("net"),
        currency=COLUMNS.index("currency"),
        newline="\n",
    )


def _row(provider: Provider, payout: Payout, one: Movement) -> Row:
    day = datetime.fromtimestamp(payout.arrival, UTC)
    return [
        provider.contract.name,
        provider.contract.account,
        payout.id,
        f"{day:%Y-%m-%d}",
        str(major(payout.amount, payout.currency)),
        payout.trace,
        payout.currency,
        one.id,
        one.word or one.kind,
        str(major(one.gross, one.currency)),
        str(major(one.fee, one.currency)),
        str(major(one.net, one.currency)),
        datetime.fromtimestamp(one.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "|".join(dict.fromkeys(filter(None, (one.source, one.reference)))),
        one.order_id,
        one.description,
    ]

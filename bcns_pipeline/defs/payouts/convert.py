"""A provider's payout and lines as the canonical ones of finance.md 1.8.

Put the conversion here, a pure function of what was read, so that a payout made again from its stored bytes is the
same. Do not put classes or accounts here (rules/payouts). What may name a shopper is left behind in the sealed
documents: free texts, and whatever else does not look like an id or an order's number.
"""

import re
from collections.abc import Sequence
from datetime import date
from typing import Final

from bcns_pipeline.clients.payments import models as source
from bcns_pipeline.clients.payments.models import Settlement, SourceLine, SourcePayout
from bcns_pipeline.rules.payouts.model import Itemisation, Payout, PayoutLine, PayoutStatus
from bcns_pipeline.state.payout_models import PayoutState

# Words of fee parts that are tax on the fee.
_TAX: Final = frozenset({"tax", "vat", "gst"})
_ID: Final = re.compile(r"[A-Za-z0-9_.:|/-]{1,100}")


def payout_of(found: SourcePayout, failed_on: date | None = None) -> Payout:
    """The payout without its lines. `failed_on` is the day on which we learnt that it failed."""
    failed = found.status in ("failed", "canceled")
    return Payout(
        provider=found.provider,
        account=found.account,
        id=found.id,
        currency=found.currency,
        amount=found.amount,
        status=PayoutStatus(found.status.value),
        arrival_date=found.arrival_date,
        itemisation=Itemisation(found.itemisation.value),
        created_at=found.created_at,
        automatic=found.automatic,
        instant=found.instant,
        failed_on=failed_on if failed else None,
        bank_reference=found.bank_reference,
        descriptor=found.descriptor,
        related=found.related,
        whole_units_only=found.whole_units_only,
        fee=found.fee,
    )


def source_of(state: PayoutState) -> SourcePayout:
    """The payout as its source told it, from what is remembered: by it the documents of its lines are read again."""
    return SourcePayout(
        provider=state.provider,
        account=state.account,
        id=state.payout_id,
        currency=state.currency,
        amount=state.amount_minor,
        status=source.PayoutStatus(state.source_status),
        arrival_date=state.arrival_date,
        created_at=state.created_at,
        itemisation=source.Itemisation(state.itemisation),
        automatic=bool(state.details.get("automatic", True)),
        instant=bool(state.details.get("instant", False)),
        whole_units_only=bool(state.details.get("whole_units_only", False)),
        fee=int(state.details.get("fee", 0)),
    )


def lines_of(settlement: Settlement, hints: Sequence[str]) -> tuple[PayoutLine, ...]:
    """The lines of a payout; `hints` are the merchant's patterns of an order's number."""
    patterns = [re.compile(one) for one in hints]
    return tuple(_line(one, patterns) for one in settlement.lines)


def _line(one: SourceLine, patterns: Sequence[re.Pattern[str]]) -> PayoutLine:
    return PayoutLine(
        id=one.id,
        category=one.category,
        kind=one.kind,
        gross=one.gross,
        fee=one.fee,
        net=one.net,
        currency=one.currency,
        fee_later=one.fee_billed_later,
        fee_tax=sum(part for word, part in one.fee_parts if word.casefold() in _TAX),
        presentment_amount=one.presentment_amount,
        presentment_currency=one.presentment_currency,
        rate=one.rate,
        occurred_at=one.occurred_at,
        references=tuple(dict.fromkeys(ref for ref in one.references if _ID.fullmatch(ref))),
        order_hints=tuple(
            dict.fromkeys(
                hint.strip()
                for hint in one.order_hints
                if any(pattern.search(hint.strip()) for pattern in patterns)
            )
        ),
        method=one.method,
        country=one.country,
        raw_sha256=one.row_sha256,
    )

"""The register of disputes: of each its stage, and what was taken, came back, was lost and is open.

Put the columns and the stages here. Do not put reads here. How lines become a dispute is rules/payouts/disputes.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from bcns_pipeline.rules.payouts.disputes import Disputed, DisputeLine, register
from bcns_pipeline.rules.payouts.model import LineClass, PayoutLine

Row = Mapping[str, Any]
# (provider, account, the provider's id of it)
Name = tuple[str, str, str]
COLUMNS = (
    "provider", "account", "dispute", "order", "opened", "age", "stage", "currency", "amount_minor", "fee_minor",
    "returned_minor", "lost_minor", "open_minor", "provider_says", "answer_by", "ended", "journal",
)  # fmt: skip


def disputed(lines: Sequence[Row]) -> list[Disputed]:
    """Disputes of rows as the database has them."""
    return register(
        DisputeLine(row["provider"], row["account"], row["payout"], _line(row), row["day"]) for row in lines
    )


def shown(
    found: Sequence[Disputed],
    losses: Mapping[Name, Row],
    said: Mapping[Name, Mapping[str, str | None]],
    since: date,
    last: date,
) -> list[dict[str, Any]]:
    """One row for each that was open at some time from `since` to `last`. `said`: the provider's word and due date."""
    rows = []
    for one in found:
        name = (one.provider, one.account, one.id)
        loss = losses.get(name)
        lost = 0 if loss is None else loss["lost"]
        left = one.open - lost
        ended = one.closed if loss is None else loss["tran_date"]
        if left == 0 and ended is not None and ended < since:
            continue
        told = said.get(name, {})
        rows.append(
            {
                "provider": one.provider,
                "account": one.account,
                "dispute": one.id,
                "order": one.order_id,
                "opened": one.opened,
                "age": (last - one.opened).days if left else None,
                "stage": _stage(one, loss, told.get("status") or ""),
                "currency": one.currency,
                "amount_minor": one.taken,
                "fee_minor": one.fees,
                "returned_minor": one.returned,
                "lost_minor": lost,
                "open_minor": left,
                "provider_says": told.get("word") or "",
                "answer_by": told.get("due_by") or "",
                "ended": ended if not left else None,
                "journal": "" if loss is None else loss["natural_key"],
            }
        )
    return rows


def _stage(one: Disputed, loss: Row | None, told: str) -> str:
    if loss is not None:
        return "lost" if loss["approved"] else "lost, its entry awaits approval"
    if one.open <= 0:
        return "won"
    if one.lost_on is not None or told == "lost":
        return "lost, not booked yet"
    return "open" if not one.returned else "won in part"


def _line(row: Row) -> PayoutLine:
    return PayoutLine(
        id=row["line_id"],
        category=row["category"],
        gross=row["gross"],
        fee=row["fee"],
        net=row["net"],
        currency=row["currency"],
        cls=LineClass(row["cls"]),
        references=tuple(row["refs"].split("\n")) if row["refs"] else (),
        order_id=row["order_id"],
    )

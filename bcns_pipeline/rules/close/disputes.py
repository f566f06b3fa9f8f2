"""The register of disputes: of each its stage, and what was taken, came back, was lost and is open.

Put the columns and the stages here. Do not put reads here. How lines become a dispute is rules/payouts/disputes.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from bcns_pipeline.rules.payouts.disputes import Disputed, DisputeLine, Losses, register
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
    booked: Mapping[Name, Sequence[Row]],
    said: Mapping[Name, Mapping[str, str | None]],
    since: date,
    last: date,
) -> list[dict[str, Any]]:
    """One row for each that was open at some time from `since` to `last`. `booked`: the entries of its losses, and of
    what was taken back of them. `said`: the provider's word and due date.
    """
    rows = []
    for one in found:
        name = (one.provider, one.account, one.id)
        mine = booked.get(name, ())
        one.losses = Losses(
            sum(row["amount"] for row in mine if row["kind"] == "dispute_lost"),
            sum(row["amount"] for row in mine if row["kind"] == "dispute_won"),
        )
        left = one.open
        days = [row["tran_date"] for row in mine] + ([] if one.closed is None else [one.closed])
        ended = max(days, default=None)
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
                "stage": _stage(one, mine, told.get("status") or ""),
                "currency": one.currency,
                "amount_minor": one.taken,
                "fee_minor": one.fees,
                "returned_minor": one.returned,
                "lost_minor": one.losses.net,
                "open_minor": left,
                "provider_says": told.get("word") or "",
                "answer_by": told.get("due_by") or "",
                "ended": ended if not left else None,
                "journal": " ".join(row["natural_key"] for row in mine),
            }
        )
    return rows


def _stage(one: Disputed, mine: Sequence[Row], told: str) -> str:
    losses = one.losses
    if one.won_back:
        return "won after its loss, not booked yet"
    if one.open > 0:
        if one.lost_on is not None or told == "lost":
            return "lost, not booked yet"
        return "won in part" if one.returned else "open"
    if not losses.lost:
        return "won"
    stage = (
        "lost" if not losses.won else "won after its loss" if not losses.net else "won in part after its loss"
    )
    return stage if all(row["approved"] for row in mine) else f"{stage}, its entry awaits approval"


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

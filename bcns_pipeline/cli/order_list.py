"""Orders by where they stand: what is held because of its status, what waits, what is in NetSuite at which total.

Put the list here. Do not put one order's story here (`explain_order.py`), nor the counts (`status.py`). No personal
data: an order is named by its id.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import get_args

from bcns_pipeline.cli.connect import remembered
from bcns_pipeline.cli.console import say, show_table, stamp
from bcns_pipeline.cli.money import summed
from bcns_pipeline.cli.status import zone_of
from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.rules.orders.status import label
from bcns_pipeline.settings import load_settings
from bcns_pipeline.state.order_models import Disposition

NOT_IN_NETSUITE: tuple[Disposition, ...] = ("open", "waiting", "held", "listed")
SHOWN = 500


def show_orders(states: Sequence[str], code: str | None, day: str | None) -> None:
    """The orders in these states, by default all of ours that are not in NetSuite. Raises BadInput."""
    known = get_args(Disposition)
    faults = [f"There is no state {one!r}: {', '.join(known)} are." for one in states if one not in known]
    placed: date | None = None
    try:
        placed = None if day is None else date.fromisoformat(day)
    except ValueError:
        faults.append(f"--day {day!r} is no day; write it as 2026-11-20.")
    if faults:
        raise BadInput(faults)
    wanted: list[Disposition] = [one for one in known if one in (states or NOT_IN_NETSUITE)]
    settings = load_settings()
    with remembered(settings) as state:
        found = state.orders.find(disposition=wanted, code=code, day=placed, limit=SHOWN + 1)
        zone = zone_of(settings)
    rows = [
        (
            str(one.order_id),
            stamp(one.placed_at, zone),
            label(one.status_id),
            one.channel_id,
            one.disposition,
            one.code,
            one.total,
            one.read_total,
            one.netsuite_number or one.netsuite_id,
            one.reason,
        )
        for one in found[:SHOWN]
    ]
    if not rows:
        say("No order stands so.")
        return
    names = (
        "order",
        "placed",
        "status",
        "channel",
        "stands",
        "code",
        "charged",
        "in NetSuite",
        "number",
        "why",
    )
    show_table(names, rows)
    more = f", of more than {SHOWN:,}" if len(found) > SHOWN else ""
    charged = ", ".join(map(str, summed(one.total for one in found[:SHOWN])))
    say(f"{len(rows):,} orders{more}; charged: {charged}.")

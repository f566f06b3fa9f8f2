"""What a person sees of the close on its pages in Dagster.

Put metadata here, built from what the steps hand over. Do not put a decision here.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Any

from bcns_pipeline.defs.close.asking import Asked
from bcns_pipeline.defs.close.goods import Looked
from bcns_pipeline.defs.close.pack import Pack
from bcns_pipeline.defs.close.run import FLOW
from bcns_pipeline.defs.close.taxes import Told
from bcns_pipeline.defs.tables import SHOWN, calls_of, table
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.close.goods import GOODS
from bcns_pipeline.rules.close.reports import NO_BANK
from bcns_pipeline.rules.close.table import Report, text
from bcns_pipeline.rules.close.tie_out import DayTie, Reason
from bcns_pipeline.rules.money import Money


def of_tie_out(days: Sequence[DayTie], *, bank: bool) -> dict[str, Any]:
    """Sums by reason and currency, the days one by one, and the orders in which something is unknown."""
    sums: Counter[tuple[str, Reason]] = Counter()
    for one in days:
        sums.update(one.sums)
    lost = [order for one in days for order in one.lost]
    orders = sum(one.orders for one in days)
    return {
        "summary": f"{_days(days[0].day, days[-1].day)}: {orders:,} orders, "
        f"{len(lost):,} of them with something unknown",
        "dagster/row_count": orders,
        "days": table(
            ("day", "orders", "unknown"), [(str(one.day), one.orders, len(one.lost)) for one in days]
        ),
        "where_it_is": table(
            ("currency", "reason", "amount"),
            [
                (unit, reason.value, str(Money(minor, unit).amount))
                for (unit, reason), minor in sorted(sums.items())
            ],
        ),
        "unknown": table(
            ("order", "unknown"),
            [(one.order_id, str(Money(one.unknown, one.currency))) for one in lost[:SHOWN]],
        ),
        "bank": "evidenced" if bank else NO_BANK,
    }


def of_report(found: Report) -> dict[str, Any]:
    """A report's first rows, its sums, and the hash of all of it."""
    return {
        "summary": f"{found.number} {found.title}: {len(found.rows):,} rows",
        "dagster/row_count": len(found.rows),
        "table": table(found.columns, [[text(cell) for cell in row] for row in found.rows[:SHOWN]]),
        "control_totals": table(
            ("column", "unit", "sum"), [(*one[:2], text(one[2])) for one in found.controls]
        ),
        "notes": "\n".join(found.notes) or "none",
        "sha256": found.sha256,
    }


def of_evidence(
    connections: Connections,
    asked: Sequence[Asked],
    found: Report,
    told: Sequence[str],
    taxes: Told,
    goods: Looked,
) -> dict[str, Any]:
    """The roll-forward of the last day with what was said outside, and what is left over; the answers of every day."""
    last = asked[-1]
    answers = [(str(one.as_of), *answer) for one in asked for answer in sorted(one.hashes.items())]
    answers += [(str(day), GOODS, sha256) for day, sha256 in goods.hashes.items()]
    return {
        **of_report(found),
        "summary": f"end of {_days(asked[0].as_of, last.as_of)}: {len(last.hashes):,} sources asked, "
        f"{len(told):,} questions",
        "questions": "\n".join(told) or "none",
        "not_evidenced": ", ".join(last.silent) or "none",
        "answers": table(("day", "source", "sha256"), answers),
        **({"tax": taxes.sentence} if taxes.orders else {}),
        **({"goods": goods.sentence} if goods.hashes else {}),
        **calls_of(connections, FLOW, taxes.calls + goods.calls + sum(2 for one in asked if one.hashes)),
    }


def _days(first: date, last: date) -> str:
    return str(first) if first == last else f"{first} to {last}"


def of_pack(made: Pack, month: date) -> dict[str, Any]:
    """The checklist and the hash; the document itself is `bcns report close-pack --month ...`."""
    return {
        "summary": f"{month:%Y-%m}: {'green' if made.green else 'not to be closed yet'}",
        "green": made.green,
        "sha256": made.sha256,
        "bytes": len(made.content),
        "orders": made.orders,
        "checklist": table(
            ("what", "holds", "numbers"),
            [(what, "yes" if holds else "no", said) for what, (holds, said) in made.checks.items()],
        ),
        "made_again_by": f"bcns report close-pack --month {month:%Y-%m}",
    }

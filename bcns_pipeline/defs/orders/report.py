"""What a person sees of a run of the order flow: orders by outcome, totals on both sides, calls, what waits and why.

Put metadata here, built from what the steps hand over. Do not put a decision here, and no personal data: an order
is named by its id.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import dagster as dg

from bcns_pipeline.defs.orders.apply import Applied
from bcns_pipeline.defs.orders.fates import Fate, table_row
from bcns_pipeline.defs.orders.planning import Planned
from bcns_pipeline.defs.orders.references import Referenced
from bcns_pipeline.defs.orders.run import FLOW, REFERENCE_FLOW
from bcns_pipeline.defs.orders.take import Taken
from bcns_pipeline.defs.tables import SHOWN, calls_of, table
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.money import Money, total
from bcns_pipeline.rules.orders.status import label
from bcns_pipeline.state.order_models import OrderState

_COLUMNS = ("order", "outcome", "total", "currency", "tax", "code", "why")
_PAGE = 250
_BATCH = 500


def of_orders(connections: Connections, taken: Taken) -> dict[str, Any]:
    """What was read, by status and currency."""
    totals: Counter[str] = Counter(order.currency for order in taken.orders)
    return {
        "summary": taken.sentence,
        "dagster/row_count": len(taken.orders),
        "new": taken.new,
        "changed": taken.changed,
        "gone": len(taken.gone),
        "unreadable": table(("order", "why"), sorted(taken.unreadable.items())[:SHOWN]),
        "by_status": table(
            ("status", "orders"), [(label(one), count) for one, count in sorted(taken.by_status.items())]
        ),
        "by_currency": table(("currency", "orders"), sorted(totals.items())),
        **calls_of(connections, FLOW, 2 + -(-taken.asked // _PAGE)),
    }


def of_plan(planned: Planned) -> dict[str, Any]:
    """The plan: what would be written and why, and what became of every order that was looked at."""
    return {
        "summary": planned.sentence,
        "plan": planned.plan.id,
        "plan_digest": planned.plan.digest,
        "config_digest": planned.plan.config_digest,
        "looked_at": len(planned.fates),
        "outcomes": table(("outcome", "orders"), sorted(planned.counts.items())),
        "money_impact": table(
            ("currency", "amount"), sorted(planned.plan.summary.get("amounts", {}).items())
        ),
        "orders": _orders(planned.fates),
        "waiting": _orders([one for one in planned.fates if one.outcome == "waiting"]),
        "held": _orders([one for one in planned.fates if one.outcome in ("held", "listed", "ignored")]),
    }


def of_sales_orders(connections: Connections, applied: Applied) -> dict[str, Any]:
    """What was written and read back, totals on both sides with their difference, and what it cost."""
    states = connections.state.orders.many([*applied.orders, *applied.edits])
    found = [states[one] for one in sorted(states)]
    writes = len(applied.orders) + applied.customers + len(applied.edits)
    # Who is who, items, what is there already, and the read-back: headers and lines.
    batches = max(1, -(-max(writes, len(found)) // _BATCH))
    return {
        "summary": applied.sentence,
        "orders_written": len(applied.orders),
        "customers_written": applied.customers,
        "edits_written": len(applied.edits),
        "linked": applied.linked,
        "held_for_approval": applied.held,
        "refused": table(("order", "code"), sorted(applied.refused.items())[:SHOWN]),
        "equal_to_the_cent": applied.read_back.equal,
        "drifted": table(("order", "what"), sorted(applied.read_back.drifted.items())[:SHOWN]),
        "totals": _totals(found),
        "orders": dg.MetadataValue.md(_links(connections, found[:SHOWN])),
        **calls_of(connections, FLOW, writes + 7 * batches, connections.mapping.orders.call_budget),
        "audit_head": connections.state.head_hash(),
    }


def of_references(connections: Connections, referenced: Referenced) -> dict[str, Any]:
    """What was written back, and that no money moved by it."""
    count = len(referenced.orders)
    return {
        "summary": referenced.sentence,
        "referenced": count,
        "metafields": referenced.metafields,
        "money_compared": referenced.compared,
        "money_moved": table(("order",), [(one,) for one in referenced.moved[:SHOWN]]),
        "refused": table(("order", "bigcommerce_said"), sorted(referenced.refused.items())[:SHOWN]),
        **calls_of(connections, REFERENCE_FLOW, count + (3 if count else 0)),
    }


def _orders(fates: Sequence[Fate]) -> dg.TableMetadataValue:
    rows = [table_row(one) for one in fates[:SHOWN]]
    return table(_COLUMNS, [[row[name] for name in _COLUMNS] for row in rows])


def _totals(states: Sequence[OrderState]) -> dg.TableMetadataValue:
    """By currency: what the shoppers were charged, what NetSuite shows, and the difference, which should be 0."""
    rows = []
    for currency in sorted({one.total.currency for one in states}):
        of_currency = [one for one in states if one.total.currency == currency]
        charged = total([one.total for one in of_currency], currency)
        shown = total([one.read_total or Money.zero(currency) for one in of_currency], currency)
        rows.append((currency, len(of_currency), charged.amount, shown.amount, (shown - charged).amount))
    return table(("currency", "orders", "bigcommerce", "netsuite", "difference"), rows)


def _links(connections: Connections, states: Sequence[OrderState]) -> str:
    """Each order with links to both systems."""
    store = connections.settings.require("bigcommerce").store_hash
    account = connections.settings.require("netsuite").account_id.lower().replace("_", "-")
    shop = f"https://store-{store}.mybigcommerce.com/manage/orders/"
    books = f"https://{account}.app.netsuite.com/app/accounting/transactions/salesord.nl?id="
    rows = [
        f"| [{one.order_id}]({shop}{one.order_id}) | [{one.netsuite_number or one.netsuite_id}]"
        f"({books}{one.netsuite_id}) | {one.total} | {one.read_total or 'not read'} |"
        for one in states
    ]
    return "\n".join(["| BigCommerce | NetSuite | charged | in NetSuite |", "|---|---|--:|--:|", *rows])

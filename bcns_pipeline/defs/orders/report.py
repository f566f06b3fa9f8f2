"""What a person sees of a run of the order flow: orders by outcome, totals on both sides, calls, what waits and why.

Put metadata here, built from what the steps hand over. Do not put a decision here, and no personal data: an order
is named by its id.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from bcns_pipeline.defs.orders.apply import Applied
from bcns_pipeline.defs.orders.fates import Fate, table_row
from bcns_pipeline.defs.orders.planning import Planned
from bcns_pipeline.defs.orders.references import Referenced
from bcns_pipeline.defs.orders.run import FLOW, REFERENCE_FLOW
from bcns_pipeline.defs.orders.take import Taken
from bcns_pipeline.defs.tables import SHOWN, calls_of, spread_of, table
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.money import Money, total
from bcns_pipeline.rules.orders.status import label
from bcns_pipeline.state.order_models import OrderState
from bcns_pipeline.state.plans import Plan

_COLUMNS = ("order", "outcome", "total", "currency", "tax", "code", "why")
_PAGE = 250
_BATCH = 500
# In the order in which people look: what went wrong first.
OUTCOMES = (
    *("refused", "waiting", "held for approval", "not sent yet", "written", "edited", "linked"),
    *("held", "listed", "ignored", "unchanged"),
)
IN_NETSUITE = frozenset({"written", "edited", "linked", "unchanged"})
# NetSuite's page of a record; any other is found through the page of all transactions.
_PAGES = {"salesOrder": "salesord", "cashSale": "cashsale", "invoice": "custinvc"}


def of_orders(connections: Connections, taken: Taken) -> dict[str, Any]:
    """What was read, by status and currency."""
    return {
        "summary": taken.sentence,
        "dagster/row_count": taken.read,
        "new": taken.new,
        "changed": taken.changed,
        "gone": len(taken.gone),
        "unreadable": table(("order", "why"), sorted(taken.unreadable.items())[:SHOWN]),
        "by_status": table(
            ("status", "orders"), [(label(one), count) for one, count in sorted(taken.by_status.items())]
        ),
        "by_currency": table(("currency", "orders"), sorted(taken.by_currency.items())),
        **calls_of(connections, FLOW, 2 + -(-taken.asked // _PAGE)),
    }


def of_plan(connections: Connections, planned: Planned) -> dict[str, Any]:
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
        "waits_for_approval": table(("what", "amount", "why"), _too_large(connections, planned)[:SHOWN]),
        "orders": _orders(planned.fates),
        "waiting": _orders([one for one in planned.fates if one.outcome == "waiting"]),
        "held": _orders([one for one in planned.fates if one.outcome in ("held", "listed", "ignored")]),
    }


def of_sales_orders(connections: Connections, applied: Applied, plan: Plan | None) -> dict[str, Any]:
    """Every order of the run by outcome, totals on both sides with their difference, and what it cost."""
    outcomes = outcomes_of(applied, plan)
    states = connections.state.orders.many(outcomes)
    found = [states[one] for one in sorted(states)]
    there = [one for one in found if outcomes[one.order_id] in IN_NETSUITE]
    off = [one for one in there if one.read_total is not None and one.read_total != one.total]
    writes = len(applied.orders) + applied.customers + len(applied.edits)
    # Who is who, items, what is there already, and the read-back: headers and lines.
    batches = max(1, -(-max(writes, len(there)) // _BATCH))
    shown = sorted(found, key=lambda one: (list(OUTCOMES).index(outcomes[one.order_id]), one.order_id))
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
        "outcomes": table(("outcome", "orders"), sorted(Counter(outcomes.values()).items())),
        "totals": _totals(there),
        **spread_of("checkout_to_sales_order", _waits(states, applied)),
        # Also those within a tolerance: a cent that nobody sees is how books come apart.
        "differences": table(
            ("order", "charged", "in_netsuite"), [(one.order_id, one.total, one.read_total) for one in off]
        ),
        "orders": dg.MetadataValue.md(_links(connections, shown[:SHOWN], outcomes)),
        **calls_of(connections, FLOW, writes + 7 * batches, connections.mapping.orders.call_budget),
    }


def outcomes_of(applied: Applied, plan: Plan | None) -> dict[int, str]:
    """{order: what became of it in this run}, by the words of `OUTCOMES`."""
    planned: dict[str, list[int]] = plan.summary.get("orders", {}) if plan is not None else {}
    found = {one: name for name, ids in planned.items() for one in ids}
    for one, name in found.items():
        if name in ("planned", "edited"):
            found[one] = "not sent yet"
    for one in applied.held_orders:
        found[one] = "held for approval"
    for ids, name in ((applied.edits, "edited"), (applied.orders, "written"), (applied.refused, "refused")):
        for one in ids:
            found[one] = name
    return found


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


def _too_large(connections: Connections, planned: Planned) -> list[tuple[str, Money, str]]:
    """Writes above `orders.materiality`: applied, they are held until a second person approves."""
    found = []
    for line in planned.lines:
        why = connections.order_policy.too_large(line.amount) if line.amount is not None else None
        if line.amount is not None and why is not None:
            found.append((line.label, line.amount, why))
    return found


def _orders(fates: Sequence[Fate]) -> dg.TableMetadataValue:
    rows = [table_row(one) for one in fates[:SHOWN]]
    return table(_COLUMNS, [[row[name] for name in _COLUMNS] for row in rows])


def _totals(states: Sequence[OrderState]) -> dg.TableMetadataValue:
    """By currency, of orders that were read back: what the shoppers were charged, what NetSuite shows, and the
    difference, which should be 0."""
    rows = []
    for currency in sorted({one.total.currency for one in states}):
        of_currency = [one for one in states if one.total.currency == currency]
        both = [(one.total, one.read_total) for one in of_currency if one.read_total is not None]
        charged = total([one for one, _ in both], currency)
        shown = total([one for _, one in both], currency)
        row = (currency, len(both), charged.amount, shown.amount, (shown - charged).amount)
        rows.append((*row, len(of_currency) - len(both)))
    return table(("currency", "orders", "bigcommerce", "netsuite", "difference", "not_read_back"), rows)


def _waits(states: Mapping[int, OrderState], applied: Applied) -> list[float]:
    """Seconds from the checkout to the moment at which NetSuite had the order, of those written in this run."""
    written = [states[one] for one in applied.orders if one in states]
    return [
        max((one.posted_at - one.placed_at).total_seconds(), 0.0)
        for one in written
        if one.posted_at is not None
    ]


def _links(connections: Connections, states: Sequence[OrderState], outcomes: Mapping[int, str]) -> str:
    """Each order with its outcome, links to both systems, and both totals."""
    store = connections.settings.require("bigcommerce").store_hash
    account = connections.settings.require("netsuite").account_id.lower().replace("_", "-")
    shop = f"https://store-{store}.mybigcommerce.com/manage/orders/"
    books = f"https://{account}.app.netsuite.com/app/accounting/transactions/"
    rows = []
    for one in states:
        number = "" if one.netsuite_id is None else one.netsuite_number or one.netsuite_id
        page = _PAGES.get(one.record_type or "", "transaction")
        record = f"[{number}]({books}{page}.nl?id={one.netsuite_id})" if number else ""
        off = "" if one.read_total is None else (one.read_total - one.total).amount
        why = one.code or ("" if one.netsuite_id else one.reason) or ""
        rows.append(
            f"| {outcomes[one.order_id]} | [{one.order_id}]({shop}{one.order_id}) | {record} | {one.total} "
            f"| {one.read_total or ''} | {off} | {why.replace('|', '/')} |"
        )
    head = "| outcome | BigCommerce | NetSuite | charged | in NetSuite | difference | why |"
    return "\n".join([head, "|---|---|---|--:|--:|--:|---|", *rows])

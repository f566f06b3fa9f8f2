"""Verify: the cents by which a tax of NetSuite's own differs, closed by a rounding line where the merchant wants it so.

Put here how the line becomes an operation. How much it may close is the rules' (rules/orders/compare.py). Where tax is
posted as charged nothing is ever closed afterwards: a difference there was made by somebody, and is a question.
"""

from dataclasses import replace

from bcns_pipeline.defs.orders.run import EDIT
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.natural_keys import edit_key
from bcns_pipeline.rules.orders.compare import closing_line, drift
from bcns_pipeline.rules.orders.draft import Expected, ExpectedLine
from bcns_pipeline.rules.orders.facts import Shown
from bcns_pipeline.rules.orders.policy import SALES_ORDER
from bcns_pipeline.rules.orders.tax import tax_mode
from bcns_pipeline.state.operations import Intent
from bcns_pipeline.state.order_models import OrderState

# NetSuite has no name for a line without our field; the read-back then finds it by its item.
LINE = "rounding"


def closing_key(store: str, one: OrderState) -> str:
    """Key of the operation that closes the cents of the version written last; there is one for each version."""
    return edit_key(store, one.order_id, f"cents{one.applied_hash}")


def closing(connections: Connections, one: OrderState, expected: Expected, record: Shown) -> Intent | None:
    """The operation that brings the record to the charged total. None where that is not wanted, or too much."""
    policy = connections.order_policy
    channel = policy.channel(one.channel_id)
    if channel is None or tax_mode(policy, channel) != "ns_recalc" or one.record_type != SALES_ORDER:
        return None
    body = closing_line(expected, record, policy)
    if body is None or policy.rounding_item is None:
        return None
    rest = -drift(expected, record)
    line = ExpectedLine(LINE, policy.rounding_item, 1, rest.amount)
    # The tax is NetSuite's, by the merchant's own word; from now on it has to stay what it is.
    after = replace(expected, tax=record.tax, residual=rest.amount, lines=(*expected.lines, line))
    payload = {
        "record": one.record_type,
        "method": "patch",
        "id": one.netsuite_id,
        "body": body,
        "order_id": one.order_id,
        "version": one.applied_hash,
        "expected": after.document(),
        "closes": False,
    }
    return Intent(
        EDIT,
        closing_key(connections.state.store, one),
        payload,
        group_key=f"order:{one.order_id}",
        amount_minor=rest.minor,
        currency=rest.currency,
    )

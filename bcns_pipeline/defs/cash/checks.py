"""What must be true after each step of the cash flow; a person reads these as promises.

Put the comparison and its severity here. Do not put the computation of either side here: what a run planned and did
is in the state.
"""

import dagster as dg

from bcns_pipeline.defs.accounting import accounted_for
from bcns_pipeline.defs.cash.assets import application_plan, cash_records, transactions
from bcns_pipeline.defs.cash.planning import ACCOUNTED
from bcns_pipeline.defs.cash.run import FLOW
from bcns_pipeline.defs.promises import WARN, none_asked, none_open, promise, within_budget
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.kinds.cash import KINDS

# The books and the store do not have the same money.
NOT_EQUAL = ("CASH_DRIFT", "INVOICE_TOTAL_DRIFT", "CASH_SALE_ACCOUNT", "MONEY_NOT_EQUAL")


@promise(asset=transactions, description="Every order's payments can be read and understood.")
def every_payment_is_read(connections: Connections) -> dg.AssetCheckResult:
    """An order whose payments can't be read is booked as soon as they can."""
    return none_asked(connections, FLOW, ("TRANSACTIONS_UNREADABLE",), WARN)


@promise(
    asset=application_plan,
    blocking=True,
    description="Looked at = planned + settled + waiting + skipped.",
)
def no_money_is_lost(context: dg.AssetCheckExecutionContext, connections: Connections) -> dg.AssetCheckResult:
    """Every order that was looked at is accounted for; otherwise nothing is sent."""
    return accounted_for(context, connections, FLOW, ACCOUNTED)


@promise(asset=application_plan, description="No capture waits for something that a person has to mend.")
def no_capture_waits(connections: Connections) -> dg.AssetCheckResult:
    """What merely waits for its parcel is no question."""
    return none_asked(connections, FLOW, [kind.code for kind in KINDS if kind.code not in NOT_EQUAL], WARN)


@promise(
    asset=cash_records,
    description="Open deposits + applied = captured, to the cent, in the right accounts.",
)
def booked_is_captured(connections: Connections) -> dg.AssetCheckResult:
    """What was read back from NetSuite is what was taken in BigCommerce."""
    return none_asked(connections, FLOW, NOT_EQUAL)


@promise(asset=cash_records, description="No capture has two receipts, and no receipt two captures.")
def each_capture_is_booked_once(connections: Connections) -> dg.AssetCheckResult:
    """One NetSuite record per capture or invoice."""
    return none_open(connections.state.cash.doubled())


CHECKS = [
    every_payment_is_read,
    no_money_is_lost,
    no_capture_waits,
    booked_is_captured,
    each_capture_is_booked_once,
    within_budget(cash_records, "cash.call_budget", FLOW),
]

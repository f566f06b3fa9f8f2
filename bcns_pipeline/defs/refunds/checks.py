"""What must be true after each step of the refund flow; a person reads these as promises.

Put the comparison and its severity here. Do not put the computation of either side here.
"""

from datetime import UTC, datetime, timedelta

import dagster as dg

from bcns_pipeline.defs.accounting import accounted_for
from bcns_pipeline.defs.promises import WARN, none_asked, none_open, promise, within_budget
from bcns_pipeline.defs.refunds.assets import credit_plan, refund_records, refunds
from bcns_pipeline.defs.refunds.run import FLOW
from bcns_pipeline.resources.connections import Connections

ACCOUNTED = ("planned", "linked", "waiting", "declined", "ignored", "reversing")
SINCE = timedelta(days=35)


@promise(asset=refunds, description="Every order that is marked as refunded has a refund.")
def every_refunded_order_has_a_refund(connections: Connections) -> dg.AssetCheckResult:
    """A status alone gives nobody their money, and credits nothing (F14)."""
    return none_asked(connections, FLOW, ("REFUND_WITHOUT_RECORD",), WARN)


@promise(
    asset=credit_plan,
    blocking=True,
    description="Looked at = planned + linked + waiting + declined + ignored + reversing.",
)
def no_refund_is_lost(
    context: dg.AssetCheckExecutionContext, connections: Connections
) -> dg.AssetCheckResult:
    """Every refund that was looked at is accounted for; otherwise nothing is sent."""
    return accounted_for(context, connections, FLOW, ACCOUNTED)


@promise(asset=credit_plan, description="No refund waits for something that a person has to mend.")
def no_refund_waits(connections: Connections) -> dg.AssetCheckResult:
    """A refund that waits goes by itself once its cause is gone; someone should look meanwhile."""
    waiting = connections.state.refunds.find(disposition=("waiting", "declined"))
    return none_open([f"refund:{one.refund_id} ({one.code or 'no code'})" for one in waiting], WARN)


@promise(asset=refund_records, description="Refunds are equal to the cent in NetSuite, nothing unapplied.")
def refunds_are_settled(connections: Connections) -> dg.AssetCheckResult:
    """The total that went back is the credit, and its settlements leave 0.00 of it open."""
    return none_asked(connections, FLOW, ("REFUND_DRIFT",))


@promise(asset=refund_records, description="Each day's refunds: BigCommerce's sum is NetSuite's sum.")
def sums_are_equal(connections: Connections) -> dg.AssetCheckResult:
    """Of refunds that are posted and read back, by day and currency; the others are counted beside them."""
    since = (datetime.now(UTC) - SINCE).date()
    counts = connections.state.refunds.counts(since)
    off = [one for one in counts if one.disposition == "posted" and one.total != one.read]
    return none_open([f"{one.day} {one.total.currency} {(one.total - one.read).amount}" for one in off], WARN)


CHECKS = [
    every_refunded_order_has_a_refund,
    no_refund_is_lost,
    no_refund_waits,
    refunds_are_settled,
    sums_are_equal,
    within_budget(refund_records, "cash.refunds.call_budget", FLOW),
]

"""kill -9 of a run of refunds at each of its writes: the next run continues, and every record is there once."""

from __future__ import annotations

import pytest

from bcns_pipeline_tests.defs.refunds.giving_back import JOB, RefundFlow

pytestmark = pytest.mark.kill

WRITES = {
    "the journal": ("POST", "record/v1/journalEntry"),
    "the credit memo": ("POST", "record/v1/creditMemo"),
    "the money": ("POST", "record/v1/customerRefund"),
    "the cut": ("PATCH", "record/v1/salesOrder"),
}
WAYS = [
    {"provider": "stripe", "amount": "20.00"},
    {"provider": "storecredit", "amount": "10.00", "offline": True},
]


def test_a_run_killed_at_any_write_is_finished_by_the_next(shop: RefundFlow) -> None:
    """Each write is made and its answer never comes, but for the credit memo, which is on its way still."""
    moments = [(name, "before" if name == "the credit memo" else "after") for name in WRITES]
    unbilled, *billed = shop.sold(*["plain"] * len(moments), billed=False)
    for order in billed:
        shop.bill(order)
    for name, moment in moments:
        method, path = WRITES[name]
        refund = (
            shop.refund(unbilled)
            if name == "the cut"
            else shop.refund(billed.pop(), amount="30.00", payments=WAYS)
        )
        how = (
            {"kind": "timeout", "after_commit": True}
            if moment == "after"
            else {"kind": "latency", "ms": 30_000}
        )
        fault = {"system": "netsuite", "method": method, "path_regex": path, "times": 1, **how}
        shop.kill_at(JOB, fault, f"{moment} {name}")

        for _ in range(3):
            shop.run_somehow(JOB)
            shop.refund_due_now()
            if shop.stands(refund).disposition == "posted":
                break

        assert shop.stands(refund).disposition == "posted", (name, moment, shop.stands(refund))
        assert len(shop.records(refund)) == (1 if name == "the cut" else 3), (name, moment)
        shop.assert_tidy()

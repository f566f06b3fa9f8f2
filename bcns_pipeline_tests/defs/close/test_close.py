"""The close as Dagster runs it, and the path that an auditor walks back from the evidence to the order.

Put here what must be true of the assets. Sums and reasons are in `cli/test_reports.py`.
"""

from __future__ import annotations

import dagster as dg

from bcns_pipeline.definitions import build_defs


def test_an_auditor_walks_from_the_evidence_to_the_order() -> None:
    nodes = build_defs().get_repository_def().asset_graph
    order, pack = dg.AssetKey(["bigcommerce", "orders"]), dg.AssetKey(["close", "evidence_pack"])
    walked, seen = [pack], {pack}
    while walked:
        for parent in nodes.get(walked.pop()).parent_keys - seen:
            seen.add(parent)
            walked.append(parent)
    names = {key.to_user_string() for key in seen}
    assert order in seen
    assert {
        "close/tie_out", "close/clearing_evidence", "reports/clearing",
        "payouts/reconciliation", "netsuite/payout_journal_entries", "payouts/journal_plan",
        "payments/payouts", "bank/lines", "netsuite/cash_records", "netsuite/refund_records", "netsuite/sales_orders",
    } <= names  # fmt: skip
    # Every one of them is made by a flow: nothing on the path is only a name.
    assert seen <= set(nodes.materializable_asset_keys)

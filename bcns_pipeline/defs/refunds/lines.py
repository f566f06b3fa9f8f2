"""The lines of a plan of refunds: one per record, in the order in which they are made.

Put payloads here, and which keys a refund must have before it is posted. Do not decide here.
"""

from dataclasses import asdict
from typing import Any

from bcns_pipeline.defs.refunds.fates import Fate
from bcns_pipeline.defs.refunds.run import CUT, KINDS, RELEASE, REVERSAL, subject_of_refund
from bcns_pipeline.rules.refunds.records import TRANSFER, RefundPlan, RefundRecord
from bcns_pipeline.state.plan_lines import PlanLine
from bcns_pipeline.state.refund_models import RefundState


def expected_keys(plan: RefundPlan, *, cut: bool) -> list[str]:
    """All keys that must be there before the refund is posted: of payments that wait for a provider, too."""
    waits = [f"later-{one.n}" for one in plan.later]
    return [*(one.key for one in plan.records), *waits, *([plan.cut_key] if cut else [])]


def plan_lines(fate: Fate) -> list[PlanLine]:
    """Records that are missing, in the order in which they are made; the order is cut last."""
    subject = subject_of_refund(fate.state.refund_id)
    if fate.reversal is not None:
        return [
            _line(
                fate.state, fate.reversal, REVERSAL, "the payment was declined after it was posted", subject
            )
        ]
    if fate.plan is None or fate.outcome not in ("planned", "linked"):
        return []
    missing = {one.key for one in fate.records}
    found = [
        _line(fate.state, one, _kind(one), fate.reason, subject)
        if one.key in missing
        else _line(fate.state, one, _kind(one), "NetSuite has it", subject, fate.there[one.key])
        for one in fate.plan.records
    ]
    if fate.plan.cut is not None and fate.cut:
        cut = fate.plan.cut
        payload = {
            "refund_id": fate.state.refund_id,
            "order_id": fate.state.order_id,
            "id": cut.order,
            "body": dict(cut.body),
            "closes": list(cut.closes),
            "amounts": {str(line): amount for line, amount in cut.amounts.items()},
        }
        found.append(
            PlanLine("close", CUT, fate.plan.cut_key, payload, "never billed", subject, group_key=subject)
        )
    return found


def _kind(record: RefundRecord) -> str:
    return RELEASE if record.way == TRANSFER else KINDS[record.record]


def _line(
    state: RefundState,
    record: RefundRecord,
    kind: str,
    reason: str,
    subject: str,
    netsuite_id: str | None = None,
) -> PlanLine:
    payload: dict[str, Any] = {
        "refund_id": state.refund_id,
        "order_id": state.order_id,
        "record": record.record,
        "key": record.key,
        "n": record.n,
        "body": dict(record.body),
        "settles": [asdict(one) for one in record.settles],
        "account": record.account,
        "way": record.way,
        "provider": record.provider,
        "references": list(record.references),
        "transaction_id": record.transaction_id,
        "amount_minor": record.amount.minor,
        "currency": record.amount.currency,
        "netsuite_id": netsuite_id,
    }
    action: Any = "create" if netsuite_id is None else "link"
    return PlanLine(
        action, kind, record.key, payload, reason, subject, group_key=subject, amount=record.amount
    )

"""Apply: a refund's records through the outbox, one after the other, then read back and compared to the cent.

Put here how each kind of operation is sent and found again, and what its end means for the refund. What stands in a
body was decided by the rules. A record that settles another one gets that one's internal id when it is sent: what leads
in a refund's group is there by then, or the rest is given up with it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from bcns_pipeline.clients.netsuite.models import SalesLine
from bcns_pipeline.defs.dispatch import dispatch
from bcns_pipeline.defs.dispatch_models import Dispatched, Sender, Settled
from bcns_pipeline.defs.refunds.readback import ReadBack, read_back
from bcns_pipeline.defs.refunds.run import (
    CUT,
    FLOW,
    KINDS,
    RELEASE,
    REVERSAL,
    policy_of,
    question,
    subject_of_refund,
)
from bcns_pipeline.outcomes import Lane, Outcome, Refused, Sent, System
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.refunds.records import CREDIT_MEMO, JOURNAL, going_back
from bcns_pipeline.state.operations import Operation
from bcns_pipeline.state.plan_lines import PlanLine
from bcns_pipeline.state.plans import Plan
from bcns_pipeline.state.refund_models import RefundDecision, RefundPlanned, RefundRecordRow

# A run is done after this long; what is left goes with the next one.
BUDGET_SECONDS = 120.0
# NetSuite may still be at work on a call that we gave up on; looked up before that, it would be made twice.
SETTLE_SECONDS = 5.0
LATER = timedelta(minutes=15)
_RECORDS = (*KINDS.values(), RELEASE, REVERSAL)
# What follows in a refund's group is nothing without these.
_LEADS = {RELEASE, KINDS[JOURNAL], KINDS[CREDIT_MEMO]}
_PERIOD = "PERIOD_CLOSED"


@dataclass(slots=True)
class Applied:
    """What a run did, by ids of refunds. `records` counts what was written, by kind; `held` wait for approval.

    `ids` are NetSuite's ids of what this run has met, by key: what settles it needs no look-up then.
    """

    dispatched: Dispatched = field(default_factory=Dispatched)
    ids: dict[str, str] = field(default_factory=dict, repr=False)
    records: dict[str, int] = field(default_factory=dict)
    linked: int = 0
    held: int = 0
    posted: list[int] = field(default_factory=list)
    reversed: list[int] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)
    read_back: ReadBack = field(default_factory=ReadBack)

    @property
    def sentence(self) -> str:
        """The run in one line."""
        parts = [f"{len(self.posted):,} posted"]
        parts += [f"{count:,} {kind.replace('_', ' ')}" for kind, count in sorted(self.records.items())]
        for count, what in (
            (self.linked, "records found in NetSuite"),
            (self.held, "held for approval"),
            (len(self.refused), "refused"),
        ):
            if count:
                parts.append(f"{count:,} {what}")
        return f"refunds: {'; '.join(parts)}; {self.read_back.sentence}"


def apply_plan(connections: Connections, plan: Plan | None, progress: Callable[[str], None]) -> Applied:
    """Stage the plan, send everything of the flow that waits, read back. Raises OutsideError when a system is away."""
    applied = Applied()
    if plan is not None:
        _stage(connections, plan, applied)
    applied.dispatched = dispatch(
        connections,
        FLOW,
        senders(connections, applied.ids),
        budget_seconds=BUDGET_SECONDS,
        on_settled=lambda settled, conn: _settle(connections, applied, settled, conn),
        progress=progress,
    )
    applied.read_back = read_back(connections)
    applied.dispatched.raise_if_stopped(System.NETSUITE, "POST /record/v1/creditMemo")
    return applied


def _stage(connections: Connections, plan: Plan, applied: Applied) -> None:
    """Operations, what each refund is to have, and what is there already, in one transaction: all or nothing."""
    state, policy = connections.state, policy_of(connections)
    lines = state.plans.lines(plan)
    # A refund is approved as a whole: its settlement can't go before its credit.
    parts: dict[int, list[tuple[int, Money]]] = {}
    for one in lines:
        if one.amount is not None and one.kind != REVERSAL:
            parts.setdefault(int(one.payload["refund_id"]), []).append((int(one.payload["n"]), one.amount))
    ids = {one.natural_key: int(one.payload["refund_id"]) for one in lines}

    def too_large(line: PlanLine) -> str | None:
        records = parts.get(ids[line.natural_key])
        return policy.too_large(going_back(records)) if records else None

    with state.scope.transaction() as conn:
        staged = state.plans.stage(plan, held=too_large, conn=conn)
        if not staged.first_time:
            return
        there = [one for one in lines if one.action == "link"]
        applied.ids.update((one.natural_key, str(one.payload["netsuite_id"])) for one in there)
        state.refunds.record([_row(one.payload, one.payload["netsuite_id"]) for one in there], conn=conn)
        routes: dict[str, list[str]] = plan.summary["routes"]
        reversing = {int(one.payload["refund_id"]) for one in lines if one.kind == REVERSAL}
        planned = {int(refund_id): given for refund_id, given in routes.items()}
        wanted = {ids[one.natural_key] for one in lines} - reversing
        state.refunds.planned(
            [
                RefundPlanned(refund_id, given[0], tuple(given[1:]))
                for refund_id, given in sorted(planned.items())
                if refund_id in wanted
            ],
            conn=conn,
        )
        applied.posted += state.refunds.finish(wanted, conn=conn)
    applied.linked, applied.held = len(there), len(staged.held)


def senders(connections: Connections, ids: Mapping[str, str]) -> list[Sender]:
    """How each kind of operation is sent and found again; `ids` are NetSuite's of what is there, by key."""
    client = connections.netsuite(Lane.BULK)

    def create(_: Operation, payload: Mapping[str, Any]) -> Outcome:
        body, settles = dict(payload["body"]), payload["settles"]
        if settles:
            keys = [str(one["key"]) for one in settles]
            unknown = [key for key in keys if key not in ids]
            # Only of what another run has made.
            found = {key: str(row.id) for key, row in client.refunds.by_key(unknown).items()}
            missing = [key for key in unknown if key not in found]
            if missing:
                return Refused(
                    0, "NOT_THERE", f"{', '.join(missing)} is not in NetSuite, and this settles it"
                )
            body["apply"] = {
                "items": [
                    *body.get("apply", {}).get("items", ()),
                    *(
                        {
                            "doc": {"id": ids.get(key) or found[key]},
                            "apply": True,
                            "amount": Decimal(one["amount"]),
                        }
                        for key, one in zip(keys, settles, strict=True)
                    ),
                ]
            }
        return client.refunds.create(payload["record"], body)

    def cut(_: Operation, payload: Mapping[str, Any]) -> Outcome:
        return client.refunds.cut(int(payload["id"]), payload["body"])

    def there(operations: Sequence[Operation]) -> Mapping[str, str | None]:
        found = client.refunds.by_key([one.natural_key for one in operations])
        return {
            one.natural_key: str(found[one.natural_key].id) if one.natural_key in found else None
            for one in operations
        }

    def cut_there(operations: Sequence[Operation]) -> Mapping[str, str | None]:
        """An order is cut where it shows the lines closed, and the amounts, that this was to bring about."""
        lines: dict[int, dict[int, SalesLine]] = {}
        for line in client.sales.lines([int(one.payload["id"]) for one in operations]):
            lines.setdefault(line.transaction, {})[line.line] = line
        return {
            one.natural_key: str(one.payload["id"])
            if _is_cut(one, lines.get(int(one.payload["id"]), {}))
            else None
            for one in operations
        }

    records = [
        Sender(kind, create, there, leads=kind in _LEADS, settle_seconds=SETTLE_SECONDS) for kind in _RECORDS
    ]
    return [*records, Sender(CUT, cut, cut_there, settle_seconds=SETTLE_SECONDS)]


def _is_cut(operation: Operation, shown: Mapping[int, SalesLine]) -> bool:
    payload = operation.payload
    closed = all(line in shown and shown[line].closed for line in payload["closes"])
    return closed and all(
        int(line) in shown and shown[int(line)].amount == Decimal(amount)
        for line, amount in payload["amounts"].items()
    )


def _settle(connections: Connections, applied: Applied, settled: Sequence[Settled], conn: Any) -> None:
    """What the ends of operations mean, written in the transaction that writes the ends themselves."""
    state = connections.state
    written = [one for one in settled if isinstance(one.outcome, Sent)]
    records = [_row(one.payload, str(one.record_id)) for one in written if one.op.kind != CUT]
    applied.ids.update((one.natural_key, one.netsuite_id) for one in records)
    # A cut is no record of its own; what it is known by stands beside them, so that a refund is posted with it.
    cuts = [one for one in written if one.op.kind == CUT]
    records += [_cut_row(connections, one) for one in cuts]
    state.refunds.record(records, conn=conn)
    for one in written:
        applied.records[one.op.kind] = applied.records.get(one.op.kind, 0) + 1
    touched = {int(one.payload["refund_id"]) for one in written}
    finished = state.refunds.finish(touched, conn=conn)
    applied.posted += finished
    reversals = [one for one in written if one.op.kind == REVERSAL]
    if reversals:
        applied.reversed += [int(one.payload["refund_id"]) for one in reversals]
        state.refunds.decide(
            [
                RefundDecision(
                    int(one.payload["refund_id"]), "reversed", "REFUND_DECLINED", "Taken back by a journal."
                )
                for one in reversals
            ],
            conn=conn,
        )
    subjects = [subject_of_refund(one) for one in finished]
    state.exceptions.heal_codes(FLOW, ("REFUND_REFUSED", _PERIOD), subjects, conn=conn)
    refused = [(one, one.outcome) for one in settled if isinstance(one.outcome, Refused)]
    if refused:
        _refused(connections, applied, refused, conn)


def _refused(
    connections: Connections, applied: Applied, refused: Sequence[tuple[Settled, Refused]], conn: Any
) -> None:
    """The refund waits and is planned anew: what was made of it stands, and only what is missing is sent again."""
    state, at = connections.state, datetime.now(UTC) + LATER
    questions, decisions = [], []
    for one, said in refused:
        refund_id, order_id = int(one.payload["refund_id"]), int(one.payload["order_id"])
        code = _PERIOD if said.code == _PERIOD else "REFUND_REFUSED"
        what = one.op.kind.replace("_", " ")
        sentence = f"NetSuite refused the {what} of refund {refund_id} of order {order_id}: {said.detail}"
        amount = None if one.op.kind == CUT else Money(one.payload["amount_minor"], one.payload["currency"])
        questions.append(question(code, refund_id, sentence, amount, operation=one.op.id, order=order_id))
        decisions.append(RefundDecision(refund_id, "waiting", code, sentence, at))
        applied.refused[refund_id] = code
    state.exceptions.open_many(FLOW, questions, conn=conn)
    state.refunds.decide(decisions, conn=conn)


def _row(payload: Mapping[str, Any], netsuite_id: str) -> RefundRecordRow:
    return RefundRecordRow(
        natural_key=payload["key"],
        refund_id=int(payload["refund_id"]),
        order_id=int(payload["order_id"]),
        n=int(payload["n"]),
        record_type=payload["record"],
        netsuite_id=netsuite_id,
        amount=Money(payload["amount_minor"], payload["currency"]),
        day=date.fromisoformat(payload["body"]["tranDate"]),
        account=payload["account"],
        way=payload["way"],
        provider=payload["provider"],
        provider_refs=tuple(payload["references"]),
        transaction_id=payload.get("transaction_id"),
    )


def _cut_row(connections: Connections, one: Settled) -> RefundRecordRow:
    refund_id = int(one.payload["refund_id"])
    state = connections.state.refunds.many([refund_id])[refund_id]
    return RefundRecordRow(
        natural_key=one.op.natural_key,
        refund_id=refund_id,
        order_id=state.order_id,
        n=0,
        record_type="salesOrder",
        netsuite_id=str(one.payload["id"]),
        amount=Money.zero(state.total.currency),
        day=state.day,
        way="cut",
    )

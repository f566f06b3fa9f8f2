"""What was decided of each order's money, written down: dispositions, exceptions, and records found in NetSuite.

Put here what a plan that may be applied leaves behind. Do not decide here.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from bcns_pipeline.clients.netsuite.models import MoneyRow
from bcns_pipeline.defs.cash.facts import RECEIPTS, Learnt
from bcns_pipeline.defs.cash.planning import Fate
from bcns_pipeline.defs.cash.run import FLOW, question
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.natural_keys import deposit_key, invoice_key
from bcns_pipeline.state.cash_models import CashDecision, Recorded
from bcns_pipeline.state.exceptions import Question

# What a person has to mend is looked at again this often.
RETRY_AFTER = timedelta(minutes=5)
# Raised by a plan, so a plan that does not raise them any more heals them.
OF_PLANS = (
    *("TENDER_UNMAPPED", "PAYMENT_MISMATCH", "INVOICE_PAID_ELSEWHERE", "INVOICE_TOTAL_DRIFT"),
    *("CASH_SALE_SPLIT", "CASH_SALE_ACCOUNT", "CASH_DRIFT", "PERIOD_CLOSED", "CASH_REFUSED"),
)


def remember(connections: Connections, fates: Sequence[Fate], learnt: Learnt) -> None:
    """Write down what was decided, ask and heal questions, and note what NetSuite showed on the way."""
    state = connections.state
    asked = [_question(fate, problem.code, problem.sentence) for fate in fates for problem in fate.problems]
    raised = {(one.code, one.subject) for one in asked}
    looked_at = [f"order:{fate.order_id}" for fate in fates]
    writing = {f"order:{fate.order_id}" for fate in fates if fate.steps}
    with state.scope.transaction() as conn:
        state.cash.decide([decision_of(fate) for fate in fates if fate.outcome != "planned"], conn=conn)
        note_rows(connections, learnt, conn)
        state.exceptions.open_many(FLOW, asked, conn=conn)
        said = state.exceptions.find(flow=FLOW, conn=conn)
        # What NetSuite said to a write stands until it takes the record, or until nothing is to be written.
        refused = {
            (row.code, row.subject) for row in said if "operation" in row.detail and row.subject in writing
        }
        for code in OF_PLANS:
            kept = raised | refused
            gone = [one for one in looked_at if (code, one) not in kept]
            state.exceptions.heal(FLOW, code, gone, conn=conn)
        state.exceptions.take_retries(FLOW, conn=conn)


def decision_of(fate: Fate) -> CashDecision:
    """Where the order's money stands after a plan with nothing to write."""
    waits = fate.outcome == "waiting"
    disposition: Any = fate.outcome if fate.outcome in ("waiting", "skipped") else "settled"
    return CashDecision(
        fate.order_id,
        disposition,
        fate.code,
        fate.why or None,
        datetime.now(UTC) + RETRY_AFTER if waits else None,
    )


def note_rows(connections: Connections, learnt: Learnt, conn: Any) -> None:
    """Records with our keys that nobody remembers are ours all the same; the read-back then compares them."""
    state = connections.state
    found: list[Recorded] = []
    for number, rows in learnt.rows.items():
        known = {one.natural_key for one in learnt.records.get(number, ())}
        found += _unknown(state.store, number, learnt, rows, known)
    state.cash.recorded(found, conn=conn)


def _unknown(
    store: str, number: int, learnt: Learnt, rows: Iterable[MoneyRow], known: set[str]
) -> Iterable[Recorded]:
    subject = learnt.subjects[number]
    currency = subject.order.currency
    keys = {deposit_key(store, number, one.transaction_id): one for one in subject.money.captures}
    prefix = invoice_key(store, number, 0)[:-1]
    for row in rows:
        if row.tran_date is None or row.external_id in known:
            continue
        if row.type in RECEIPTS and row.external_id in keys:
            capture = keys[row.external_id]
            yield Recorded(
                row.external_id, number, RECEIPTS[row.type], str(row.id), currency, row.tran_date, "found",
                Money.of(row.total, currency), capture.transaction_id, row.account,
            )  # fmt: skip
        elif row.type == "CustInvc" and row.external_id.startswith(prefix):
            yield Recorded(row.external_id, number, "invoice", str(row.id), currency, row.tran_date, "found")
        elif row.type == "CashSale":
            for key, capture in keys.items():
                if key not in known:
                    yield Recorded(
                        key, number, "cash_sale", str(row.id), currency, row.tran_date, "found",
                        capture.amount, capture.transaction_id, row.account,
                    )  # fmt: skip


def _question(fate: Fate, code: str, sentence: str) -> Question:
    amount = fate.subject.money.captured if fate.subject is not None else None
    return question(code, fate.order_id, f"Order {fate.order_id}: {sentence}", amount)

"""Apply: a plan's customers and orders through the outbox, then read back and compared to the cent.

Put here how each kind of operation is sent and found again, and what its end means for the order. What stands in
a body was decided by the rules; when an operation is sent, and that it is sent once, is the dispatcher's.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bcns_pipeline.defs.dispatch import dispatch
from bcns_pipeline.defs.dispatch_models import Dispatched, Sender, Settled
from bcns_pipeline.defs.orders.overtaken import give_way, not_wanted
from bcns_pipeline.defs.orders.readback import ReadBack, read_back
from bcns_pipeline.defs.orders.refusals import LATER, code_of, retry_at
from bcns_pipeline.defs.orders.run import CURRENCY, CUSTOMER, EDIT, FLOW, LANE, ORDER, question
from bcns_pipeline.defs.orders.shown import found_by_key, shown
from bcns_pipeline.defs.shoppers import LINK
from bcns_pipeline.outcomes import Outcome, Refused, Sent, System
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.natural_keys import order_id_of
from bcns_pipeline.rules.orders.compare import differences
from bcns_pipeline.rules.orders.draft import Expected
from bcns_pipeline.rules.orders.facts import Shown
from bcns_pipeline.rules.orders.matching import is_void
from bcns_pipeline.state.exceptions import Question
from bcns_pipeline.state.links import Link
from bcns_pipeline.state.operations import Operation
from bcns_pipeline.state.order_models import Adopted, Decision, Posted
from bcns_pipeline.state.plan_lines import SENT, PlanLine
from bcns_pipeline.state.plans import Plan

ORDER_LINK = "order"
# A run is done after this long; what is left goes with the next one.
BUDGET_SECONDS = 120.0
# NetSuite may still be at work on a call that we gave up on; looked up before that, it would be made twice.
SETTLE_SECONDS = 5.0
# Of what an edit may set, what a read-back would show: in the header, and on a line.
_READ_BACK = frozenset({"shippingCost", "handlingCost", "taxDetails"})
_LINE_READ_BACK = frozenset({"item", "quantity", "amount", "isClosed"})
_HEALED_BY_WRITING = (
    *("ORDER_REFUSED", "PERIOD_CLOSED", "CUSTOMER_REFUSED"),
    *("SUBSIDIARY_MISMATCH", "CURRENCY_UNMAPPED"),
)


@dataclass(slots=True)
class Applied:
    """What a run did. `held` operations wait for a person's approval."""

    dispatched: Dispatched
    staged: int = 0
    held: int = 0
    held_orders: list[int] = field(default_factory=list)
    linked: int = 0
    customers: int = 0
    orders: list[int] = field(default_factory=list)
    edits: list[int] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)
    read_back: ReadBack = field(default_factory=ReadBack)

    @property
    def sentence(self) -> str:
        """The run in one line."""
        parts = [f"{len(self.orders):,} orders written", f"{self.customers:,} customers"]
        for count, what in (
            (len(self.edits), "edits"),
            (len(self.refused), "refused"),
            (self.held, "held for approval"),
            (self.linked, "found in NetSuite and linked"),
        ):
            if count:
                parts.append(f"{count:,} {what}")
        return f"orders: {'; '.join(parts)}; {self.read_back.sentence}"


def apply_plan(connections: Connections, plan: Plan | None, progress: Callable[[str], None]) -> Applied:
    """Stage the plan, send everything of the flow that waits, read back. Raises OutsideError when a system is away.

    Without a plan only what earlier runs left is sent and read back. What the plan has in hand is let go at the end,
    so that nobody plans an edit of what is being written.
    """
    try:
        return _apply(connections, plan, progress)
    finally:
        connections.let_go()


def _apply(connections: Connections, plan: Plan | None, progress: Callable[[str], None]) -> Applied:
    applied = Applied(Dispatched())
    if plan is not None:
        stage(connections, plan, applied)
    applied.dispatched = _drain(connections, applied, progress)
    applied.read_back = found = read_back(connections)
    applied.dispatched.raise_if_stopped(System.NETSUITE, "POST /record/v1/salesOrder")
    if found.closing:
        again = _drain(connections, applied, progress)
        closed = read_back(connections)
        found.equal += closed.equal
        found.drifted.update(closed.drifted)
        again.raise_if_stopped(System.NETSUITE, "PATCH /record/v1/salesOrder")
    return applied


def _drain(connections: Connections, applied: Applied, progress: Callable[[str], None]) -> Dispatched:
    return dispatch(
        connections,
        FLOW,
        senders(connections),
        lane=LANE,
        budget_seconds=BUDGET_SECONDS,
        on_settled=lambda settled, conn: _settle(connections, applied, settled, conn),
        progress=progress,
    )


def stage(connections: Connections, plan: Plan, applied: Applied) -> None:
    """Operations, the orders' rows and links to what is there already, in one transaction: all or nothing."""
    state, policy = connections.state, connections.order_policy

    def too_large(line: PlanLine) -> str | None:
        return policy.too_large(line.amount) if line.amount is not None else None

    lines = state.plans.lines(plan)
    with state.scope.transaction() as conn:
        without = not_wanted(state, lines, plan.summary.get("gone", {}), conn=conn)
        writes = [one for one in lines if one.kind in (ORDER, EDIT) and one.action in SENT and one.payload]
        order_of = {
            one.natural_key: int(one.payload["order_id"]) for one in writes if one.natural_key not in without
        }
        give_way(
            state,
            order_of.values(),
            staged=[one.natural_key for one in writes if one.kind == EDIT],
            conn=conn,
        )
        staged = state.plans.stage(plan, held=too_large, without=without, conn=conn)
        if not staged.first_time:
            return
        decisions = []
        for op in (*staged.operations, *staged.held):
            order_id = order_id_of(state.store, op.natural_key) if op.kind == ORDER else None
            if order_id is not None and op.state == "held":
                decisions.append(Decision(order_id, "held", "MATERIALITY", op.reason))
            elif order_id is not None:
                decisions.append(Decision(order_id, "planned"))
        state.orders.decide(decisions, conn=conn)
        _link(connections, [one for one in lines if one.action in ("link", "adopt")], conn)
    applied.staged, applied.held = len(staged.operations), len(staged.held)
    applied.held_orders = [order_of[op.natural_key] for op in staged.held if op.natural_key in order_of]
    applied.linked = sum(one.action in ("link", "adopt") for one in lines)


def _link(connections: Connections, lines: Sequence[PlanLine], conn: Any) -> None:
    """What NetSuite has already is remembered; the read-back then compares it like anything else."""
    state, posted, adopted = connections.state, [], []
    for one in lines:
        payload = one.payload
        order_id, netsuite_id, record = payload["order_id"], payload["netsuite_id"], payload["record"]
        if one.action == "adopt" or payload["expected"] is None:
            how = payload.get("how", "external id")
            adopted.append(Adopted(order_id, netsuite_id, record, how, payload["number"]))
            continue
        expected = Expected.read(payload["expected"])
        total = Money.exactly(expected.total, expected.currency)
        tax = Money.exactly(expected.charged_tax, expected.currency)
        posted.append(
            Posted(
                order_id,
                netsuite_id,
                record,
                payload["version"],
                total,
                tax,
                payload["number"],
                expected.posted_taxes(),
                Money.exactly(expected.residual, expected.currency),
            )
        )
    state.orders.posted(posted, conn=conn)
    state.orders.adopted(adopted, conn=conn)
    links = [Link(one.payload["netsuite_id"], str(one.payload["order_id"]), origin="found") for one in lines]
    if links:
        state.links.put(ORDER_LINK, links, conn=conn)


def senders(connections: Connections) -> list[Sender]:
    """How each kind of operation of this flow is sent and found again."""
    netsuite = connections.netsuite(LANE)

    def create(_: Operation, payload: Mapping[str, Any]) -> Outcome:
        return netsuite.sales.create(payload["record"], payload["body"])

    def patch(_: Operation, payload: Mapping[str, Any]) -> Outcome:
        return netsuite.sales.patch(payload["record"], payload["id"], payload["body"])

    def make_customer(_: Operation, payload: Mapping[str, Any]) -> Outcome:
        return netsuite.customers.create(payload["body"])

    def add_currency(_: Operation, payload: Mapping[str, Any]) -> Outcome:
        return netsuite.customers.patch(payload["id"], payload["body"])

    def orders_there(operations: Sequence[Operation]) -> Mapping[str, str | None]:
        found = found_by_key(connections, [one.natural_key for one in operations])
        return {
            one.natural_key: str(found[one.natural_key].id) if one.natural_key in found else None
            for one in operations
        }

    def customers_there(operations: Sequence[Operation]) -> Mapping[str, str | None]:
        rows = netsuite.customers.find([one.natural_key for one in operations])
        found = {row.external_id: str(row.id) for row in rows}
        return {one.natural_key: found.get(one.natural_key) for one in operations}

    def edits_there(operations: Sequence[Operation]) -> Mapping[str, str | None]:
        """An edit has happened where the record shows what it was to bring about."""
        now = shown(connections, [int(one.payload["id"]) for one in operations])
        there: dict[str, str | None] = {}
        for one in operations:
            record = now.get(int(one.payload["id"]))
            there[one.natural_key] = str(record.id) if record and _brought_about(one, record) else None
        return there

    def never_there(operations: Sequence[Operation]) -> Mapping[str, str | None]:
        # A currency is keyed, so sending it twice adds nothing.
        return {one.natural_key: None for one in operations}

    return [
        Sender(CUSTOMER, make_customer, customers_there, leads=True, settle_seconds=SETTLE_SECONDS),
        Sender(CURRENCY, add_currency, never_there, leads=True),
        Sender(ORDER, create, orders_there, settle_seconds=SETTLE_SECONDS),
        Sender(EDIT, patch, edits_there, settle_seconds=SETTLE_SECONDS),
    ]


def _brought_about(edit: Operation, record: Shown) -> bool:
    """Whether the record shows what the edit was to bring about.

    What only sets fields that are not read back is taken as not there: it is sent again, which changes nothing more.
    """
    if edit.payload["closes"]:
        return all(line.closed or is_void(line) for line in record.lines)
    body = edit.payload["body"]
    rows = body.get("item", {}).get("items", ())
    if not _READ_BACK & body.keys() and not any(_LINE_READ_BACK & row.keys() for row in rows):
        return False
    return not differences(Expected.read(edit.payload["expected"]), record)


def _settle(connections: Connections, applied: Applied, settled: Sequence[Settled], conn: Any) -> None:
    """What the ends of operations mean, written in the transaction that writes the ends themselves."""
    state = connections.state
    customers = [one for one in settled if one.op.kind == CUSTOMER and isinstance(one.outcome, Sent)]
    if customers:
        links = [Link(str(one.record_id), one.payload["link"], origin="created") for one in customers]
        state.links.put(LINK, links, conn=conn)
        applied.customers += len(customers)
    orders = [one for one in settled if one.op.kind in (ORDER, EDIT)]
    written = [one for one in orders if isinstance(one.outcome, Sent)]
    if written:
        _written(connections, applied, written, conn)
    refused = [(one, one.outcome) for one in settled if isinstance(one.outcome, Refused)]
    if refused:
        _refused(connections, applied, refused, conn)
    stranded = [one for one in orders if one.outcome is None]
    if stranded:
        # The customer's exception says why; the order goes by itself once that is mended.
        at = datetime.now(UTC) + LATER
        state.orders.decide(
            [
                Decision(
                    one.payload["order_id"], "waiting", "CUSTOMER_REFUSED", "Its customer was refused.", at
                )
                for one in stranded
            ],
            conn=conn,
        )


def _written(connections: Connections, applied: Applied, written: Sequence[Settled], conn: Any) -> None:
    state = connections.state
    state.orders.posted([_posted(one) for one in written], conn=conn)
    made = [one for one in written if one.op.kind == ORDER]
    links = [Link(str(one.record_id), str(one.payload["order_id"]), origin=_origin(one)) for one in made]
    if links:
        state.links.put(ORDER_LINK, links, conn=conn)
    applied.orders += [one.payload["order_id"] for one in made]
    applied.edits += [one.payload["order_id"] for one in written if one.op.kind == EDIT]
    subjects = [f"order:{one.payload['order_id']}" for one in written]
    state.exceptions.heal_codes(FLOW, _HEALED_BY_WRITING, subjects, conn=conn)


def _posted(one: Settled) -> Posted:
    payload = one.payload
    expected = Expected.read(payload["expected"])
    return Posted(
        order_id=payload["order_id"],
        netsuite_id=str(one.record_id or payload["id"]),
        record_type=payload["record"],
        applied_hash=payload["version"],
        expected_total=Money.exactly(expected.total, expected.currency),
        expected_tax=Money.exactly(expected.charged_tax, expected.currency),
        taxes=expected.posted_taxes(),
        residual=Money.exactly(expected.residual, expected.currency),
    )


def _origin(one: Settled) -> str:
    return "found" if one.adopted else "created"


def _refused(
    connections: Connections, applied: Applied, refused: Sequence[tuple[Settled, Refused]], conn: Any
) -> None:
    state, now = connections.state, datetime.now(UTC)
    questions: list[Question] = []
    decisions: list[Decision] = []
    for one, said in refused:
        order_id = one.payload["order_id"]
        of_customer = one.op.kind in (CUSTOMER, CURRENCY)
        code = "CUSTOMER_REFUSED" if of_customer else code_of(said)
        what = "the customer of order" if of_customer else "order"
        sentence = f"NetSuite refused {what} {order_id}: {said.detail}"
        amount = None if of_customer else _posted_total(one)
        questions.append(question(code, order_id, sentence, amount, operation=one.op.id, status=said.status))
        if not of_customer:
            decisions.append(Decision(order_id, "waiting", code, sentence, retry_at(said, now)))
            applied.refused[order_id] = code
    state.exceptions.open_many(FLOW, questions, conn=conn)
    state.orders.decide(decisions, conn=conn)


def _posted_total(one: Settled) -> Money:
    expected = Expected.read(one.payload["expected"])
    return Money.exactly(expected.total, expected.currency)

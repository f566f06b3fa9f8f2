"""Apply: a plan's customers through the outbox, then read back.

Put here how each kind of operation is sent and found again, and what its end means for the shopper. What stands in
a body was decided by the rules. A change adds entries to an address book, so it is never sent twice as it is: what
was tried before is compared with NetSuite anew, and only what is still missing is sent. The first call may arrive after
that all the same, so what was sent again is looked at a second time.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bcns_pipeline.defs.customers.fates import CHANGE, CUSTOMER
from bcns_pipeline.defs.customers.known import APPLIED, books_of, load
from bcns_pipeline.defs.customers.known import applied as newest
from bcns_pipeline.defs.customers.run import FLOW, question, subject_of
from bcns_pipeline.defs.dispatch import dispatch
from bcns_pipeline.defs.dispatch_models import Dispatched, Sender, Settled
from bcns_pipeline.defs.late import CUSTOMERS
from bcns_pipeline.defs.shoppers import LINK, read_customers
from bcns_pipeline.outcomes import Lane, Outcome, Refused, Sent, System
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.customers.changes import Changes, changes, doubled, tax_problem
from bcns_pipeline.rules.customers.identify import LookUp
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.state.inbox import Event
from bcns_pipeline.state.links import Link
from bcns_pipeline.state.operations import Operation
from bcns_pipeline.state.plans import Plan

# A run is done after this long; what is left goes with the next one.
BUDGET_SECONDS = 120.0
# NetSuite may still be at work on a call that we gave up on; looked up before that, it would be made twice.
SETTLE_SECONDS = 5.0


@dataclass(slots=True)
class Applied:
    """What a run did, as BigCommerce ids of shoppers. `apart`: fields that NetSuite shows otherwise than written."""

    dispatched: Dispatched = field(default_factory=Dispatched)
    created: list[int] = field(default_factory=list)
    changed: list[int] = field(default_factory=list)
    adopted: int = 0
    linked: int = 0
    refused: dict[int, str] = field(default_factory=dict)
    equal: int = 0
    apart: dict[int, tuple[str, ...]] = field(default_factory=dict)
    written: list[Mapping[str, Any]] = field(default_factory=list, repr=False)

    @property
    def sentence(self) -> str:
        """The run in one line."""
        parts = [f"{len(self.created):,} made", f"{len(self.changed):,} changed"]
        for count, what in (
            (self.adopted, "there already"),
            (self.linked, "linked"),
            (len(self.refused), "refused"),
            (len(self.apart), "not as they were written"),
        ):
            if count:
                parts.append(f"{count:,} {what}")
        return f"customers: {'; '.join(parts)}"


def apply_plan(connections: Connections, plan: Plan | None, progress: Callable[[str], None]) -> Applied:
    """Stage the plan, send everything of the flow that waits, read back. Raises OutsideError when a system is away.

    Without a plan only what earlier runs left is sent and read back.
    """
    applied = Applied()
    if plan is not None:
        _stage(connections, plan, applied)
    applied.dispatched = dispatch(
        connections,
        FLOW,
        senders(connections),
        budget_seconds=BUDGET_SECONDS,
        on_settled=lambda settled, conn: _settle(connections, applied, settled, conn),
        progress=progress,
    )
    _read_back(connections, applied)
    applied.dispatched.raise_if_stopped(System.NETSUITE, "POST /record/v1/customer")
    return applied


def _stage(connections: Connections, plan: Plan, applied: Applied) -> None:
    """Operations, links to what is there already, and the end of the inbox rows, in one transaction."""
    state, planned = connections.state, plan.summary["claims"]
    lines = state.plans.lines(plan)
    there = [one.payload for one in lines if one.action == "link"]
    by_key = {one.natural_key: one for one in lines}
    with state.worker() as worker:
        claims = state.inbox.claim("customer", len(planned), worker, ids=list(planned))
        with state.scope.transaction() as conn:
            staged = state.plans.stage(plan, conn=conn)
            if staged.first_time:
                found = [(one["netsuite_id"], one["link"], one["document"], "found") for one in there]
                _put_links(connections, found, conn)
                # An earlier operation of the customer is still open, so the shopper is planned again after it.
                open_still = {by_key[one].label.rpartition(":")[2] for one in staged.left_out}
                answered = [
                    one
                    for one in claims
                    if planned.get(one.resource_id) == one.generation and one.resource_id not in open_still
                ]
                state.inbox.done(answered, conn=conn)
                applied.linked = len(there)
        state.inbox.release(claims)


def senders(connections: Connections) -> list[Sender]:
    """How each kind of operation of this flow is sent and found again."""
    client = connections.netsuite(Lane.BULK).customers

    def create(_: Operation, payload: Mapping[str, Any]) -> Outcome:
        return client.create(payload["body"])

    def change(op: Operation, payload: Mapping[str, Any]) -> Outcome:
        body = payload["body"]
        if op.attempts > 1:
            shown = compare(connections, [payload]).get(payload["id"])
            if shown is not None and not shown.missing:
                return Sent(record_id=str(payload["id"]))
            body = shown.missing.body if shown is not None else body
        return client.patch(payload["id"], body)

    def customers_there(operations: Sequence[Operation]) -> Mapping[str, str | None]:
        found = {row.external_id: str(row.id) for row in client.find([one.natural_key for one in operations])}
        return {one.natural_key: found.get(one.natural_key) for one in operations}

    def changes_there(operations: Sequence[Operation]) -> Mapping[str, str | None]:
        shown = compare(connections, [one.payload for one in operations])
        there: dict[str, str | None] = {}
        for one in operations:
            found = shown.get(one.payload["id"])
            there[one.natural_key] = str(one.payload["id"]) if found and not found.missing else None
        return there

    return [
        Sender(CUSTOMER, create, customers_there, leads=True, settle_seconds=SETTLE_SECONDS),
        Sender(CHANGE, change, changes_there, settle_seconds=SETTLE_SECONDS),
    ]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a customer does not show of what was to be written, and whether both sides tax it alike.

    `unseen` are mapped fields that the account does not let us read, so that they are always missing. `twice`: one of
    the shopper's addresses is there more than once.
    """

    missing: Changes
    tax: Problem | None
    unseen: frozenset[str] = frozenset()
    twice: bool = False


def compare(connections: Connections, payloads: Sequence[Mapping[str, Any]]) -> dict[int, Comparison]:
    """{NetSuite id: what it shows now}; a customer that is gone, or whose shopper is, is left out.

    Raises OutsideError.
    """
    ids = frozenset(int(one["id"]) for one in payloads)
    rows = {row.id: row for row in read_customers(connections, LookUp(ids=ids))}
    books = books_of(connections, rows.keys())
    documents = {one[name] for one in payloads for name in ("document", "last") if one[name] is not None}
    known = load(connections, documents)
    policy = connections.customer_policy
    found: dict[int, Comparison] = {}
    for one in payloads:
        row, version = rows.get(int(one["id"])), known.get(one["document"])
        if row is None or version is None or version.shopper is None:
            continue
        last = known.get(one["last"]) if one["last"] is not None else None
        earlier = last.shopper if last else None
        found[row.id] = Comparison(
            changes(version.shopper, row, books.get(row.id), earlier, policy),
            tax_problem(version.shopper, row),
            frozenset(one.name for one in policy.fields if one.name.lower() not in row.values),
            doubled(version.shopper, books.get(row.id)),
        )
    return found


def _settle(connections: Connections, applied: Applied, settled: Sequence[Settled], conn: Any) -> None:
    """What the ends of operations mean, written in the transaction that writes the ends themselves."""
    state = connections.state
    links: list[tuple[str, str, int | None, str]] = []
    unsure: list[int] = []
    ended: list[int] = []
    questions = []
    for one in settled:
        payload, customer_id = one.payload, one.payload.get("customer_id", 0)
        if isinstance(one.outcome, Refused):
            applied.refused[customer_id] = one.outcome.code
            said = f"NetSuite refused the customer of shopper {customer_id}: {one.outcome.detail}"
            questions.append(
                question(
                    "CUSTOMER_REFUSED", customer_id, said, operation=one.op.id, status=one.outcome.status
                )
            )
        elif isinstance(one.outcome, Sent):
            ended.append(customer_id)
            # A customer that was there already may have been made of something else: its order, or a version before.
            sure = one.op.kind == CHANGE or not one.adopted
            number = str(one.record_id or payload["id"])
            links.append(
                (
                    number,
                    payload["link"],
                    payload["document"] if sure else None,
                    "created" if sure else "found",
                )
            )
            if not sure:
                unsure.append(customer_id)
                applied.adopted += 1
            else:
                (applied.changed if one.op.kind == CHANGE else applied.created).append(customer_id)
                applied.written.append({**payload, "id": int(number)})
    _put_links(connections, links, conn)
    state.inbox.record([Event("customer", str(one), "replay") for one in unsure], conn=conn)
    state.exceptions.heal(FLOW, "CUSTOMER_REFUSED", [subject_of(one) for one in ended], conn=conn)
    state.exceptions.open_many(FLOW, questions, conn=conn)


def _put_links(
    connections: Connections, found: Sequence[tuple[str, str, int | None, str]], conn: Any
) -> None:
    """(NetSuite id, link, document applied or None, origin) as links; what else a link knows of its pair stays."""
    if not found:
        return
    links = connections.state.links
    known = links.find_many(LINK, [name for _, name, _, _ in found], conn=conn)
    made = []
    for number, name, document, origin in found:
        before = known.get(name)
        same = before is not None and before.netsuite_id == number
        detail = dict(before.detail) if before is not None and same else {}
        if document is not None:
            detail[APPLIED] = document
        made.append(
            Link(number, name, detail=detail, origin=before.origin if before is not None and same else origin)
        )
    links.put(LINK, made, conn=conn)


def _read_back(connections: Connections, applied: Applied) -> None:
    """Whether NetSuite shows what was written: a script or a form over there may have had the last word, and so may a
    call that was given up for lost. Such a one may also have added an address that was added by then.
    """
    again, until = CUSTOMERS.due(connections.state)
    late = _late(connections, again)
    written = {**late, **{one["id"]: {"last": None, **one} for one in applied.written}}
    shown = compare(connections, list(written.values())) if written else {}
    questions = []
    for number, found in shown.items():
        shopper = written[number]["customer_id"]
        apart = [one for one in found.missing.fields if one not in {"addresses", *found.unseen}]
        if apart:
            applied.apart[shopper] = tuple(apart)
            said = f"Shopper {shopper}: NetSuite does not show what was written of {' and '.join(apart)}."
            questions.append(question("CUSTOMER_CONFLICT", shopper, said, fields=apart))
        elif found.twice and number in late:
            said = f"Shopper {shopper}: an address is twice in the address book of customer {number}."
            questions.append(question("CUSTOMER_CONFLICT", shopper, said, fields=["addresses"]))
        if found.tax is not None:
            said = f"Shopper {shopper}: {found.tax.sentence}"
            questions.append(question(found.tax.code, shopper, said, fact=found.tax.fact))
    applied.equal = len(shown) - len(applied.apart)
    connections.state.exceptions.open_many(FLOW, questions)
    CUSTOMERS.looked_at(connections.state, until)


def _late(connections: Connections, again: Sequence[Operation]) -> dict[int, dict[str, Any]]:
    """{customer: what it must show}: the newest version that was written, compared with the one before these."""
    oldest: dict[int, Mapping[str, Any]] = {}
    for payload in connections.state.outbox.payloads(again):
        if payload:
            oldest.setdefault(payload["id"], payload)
    links = connections.state.links.find_many(LINK, [one["link"] for one in oldest.values()])
    return {
        number: {**one, "document": newest(links[one["link"]])}
        for number, one in oldest.items()
        if one["link"] in links and links[one["link"]].netsuite_id == str(number)
    }

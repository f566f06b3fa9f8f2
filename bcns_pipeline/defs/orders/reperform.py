"""Orders planned again from stored bytes: is what would be sent today, to the byte, what was sent?

Put the way back from documents to the lines of a plan here. Do not put wording for people here (cli). Nothing is asked
of either system: the order and what was read beside it are documents, and what NetSuite was like is kept beside each
plan (evidence.py). An edit is made again from the two versions and from the record as it was shown. Digests are keyed,
because lines hold personal data.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bcns_pipeline import config
from bcns_pipeline.defs.orders.closing import Cents, closing, closing_key, kept
from bcns_pipeline.defs.orders.evidence import (
    CODE_VERSION,
    Evidence,
    evidence_of,
    mapping_at,
    mapping_document,
)
from bcns_pipeline.defs.orders.remake import Remaking
from bcns_pipeline.defs.orders.run import CURRENCY, CUSTOMER, EDIT, FLOW, ORDER
from bcns_pipeline.state.operations import Operation
from bcns_pipeline.state.plan_lines import SENT, PlanLine
from bcns_pipeline.state.plans import Plan
from bcns_pipeline.state.store import State

FIELDS_NAMED = 4


@dataclass(frozen=True, slots=True)
class Remade:
    """One write of an order, made again by today's mapping file and code.

    `action` is what it did: create, patch or close; "cents" is the rounding line of a read-back, which no plan has.

    `sent` and `made` are digests of the order's own lines, `planned` and `again` of its whole plan: as it was written
    down, and with these lines in the place of those. `why` names the cause of a difference, or why nothing can be
    made again; empty where all are equal.
    """

    order_id: int
    plan_id: int | None = None
    action: str = ""
    sent: str = ""
    made: str = ""
    planned: str = ""
    again: str = ""
    why: str = ""

    @property
    def equal(self) -> bool:
        """To the byte, the plan's own digest included."""
        return bool(self.made) and not self.why


def reperform(state: State, mapping: config.Mapping, order_ids: Collection[int]) -> list[Remade]:
    """Make every write of these orders again, by order and plan. An order that no write of ours made says so."""
    ids = state.plans.operations_about([f"order:{one}" for one in order_ids], (ORDER, EDIT))
    by_plan: dict[int, list[Operation]] = {}
    for one in state.outbox.find(flow=FLOW, states=("confirmed",), ids=ids):
        if one.plan_id is not None:
            by_plan.setdefault(one.plan_id, []).append(one)
    evidence = evidence_of(state, by_plan)
    remade: list[Remade] = []
    for plan_id, operations in by_plan.items():
        plan = state.plans.get(plan_id)
        assert plan is not None, "the plan of an operation is never deleted"
        again = _Again(state, mapping, plan, evidence.get(plan_id))
        remade += again.all(operations)
    remade += _cents(state, mapping, order_ids)
    written = {one.order_id for one in remade}
    remade += [Remade(one, why="No write of ours made its record.") for one in set(order_ids) - written]
    return sorted(remade, key=lambda one: (one.order_id, one.plan_id is None, one.plan_id))


class _Again:
    """One plan."""

    def __init__(self, state: State, mapping: config.Mapping, plan: Plan, evidence: Evidence | None) -> None:
        self.state, self.mapping, self.plan, self.evidence = state, mapping, plan, evidence
        self.lines = state.plans.lines(plan)

    def all(self, operations: Sequence[Operation]) -> Iterator[Remade]:
        payloads = self.state.outbox.payloads(operations)
        sent = {op.id: payload for op, payload in zip(operations, payloads, strict=True)}
        writes = {_order_of(one): one for one in self.lines if one.operation_id in sent}
        added = {one.natural_key for one in self.lines if one.kind == CURRENCY}
        remaking = self.evidence and Remaking(self.state, self.evidence, writes, added)
        for order_id, line in writes.items():
            told = Remade(order_id, self.plan.id, line.action)
            payload = sent[line.operation_id or 0]
            if remaking is None:
                yield replace(told, why=f"What plan {self.plan.id} was made from was not kept.")
            elif why := remaking.missing(order_id, line.action):
                yield replace(told, why=why)
            elif payload is None:
                yield replace(told, why="Its shopper was erased.")
            else:
                yield self._compared(told, payload, remaking)

    def _compared(self, told: Remade, sent: Mapping[str, Any], remaking: Remaking) -> Remade:
        places = self._places(told.order_id)
        # What went on the wire is the operation's payload, which was copied from the line.
        then = [
            replace(one, payload=sent) if one.kind in (ORDER, EDIT) else one
            for one in map(self.lines.__getitem__, places)
        ]
        now = remaking.lines(told.order_id, then, self.mapping)
        told = replace(told, sent=self._digest(then), planned=self.plan.digest)
        if isinstance(now, str):
            return replace(told, why=self._cause(told, then, remaking, now))
        whole = list(self.lines)
        for at, line in zip(places, now, strict=True):
            whole[at] = line
        told = replace(told, made=self._digest(now), again=self._digest(whole))
        if told.sent != told.made:
            why = self._cause(told, then, remaking, ", ".join(_differing(then, now)))
        elif told.planned == told.again:
            why = ""
        elif all(one.payload for one in self.lines):
            why = (
                f"Its own lines are equal, but the stored lines of plan {self.plan.id} are not those planned."
            )
        else:
            why = "Its own lines are equal; of its plan, lines of erased shoppers can't be made again."
        return replace(told, why=why)

    def _cause(self, told: Remade, then: Sequence[PlanLine], remaking: Remaking, what: str) -> str:
        def as_sent(mapping: config.Mapping) -> bool:
            made = remaking.lines(told.order_id, then, mapping)
            return not isinstance(made, str) and self._digest(made) == told.sent

        return _cause(self.state, self.mapping, remaking.evidence, as_sent, what)

    def _places(self, order_id: int) -> list[int]:
        """Where the order's own lines stand in the plan."""
        return [
            at
            for at, one in enumerate(self.lines)
            if one.kind in (CUSTOMER, CURRENCY, ORDER, EDIT)
            and one.action in SENT
            and _order_of(one) == order_id
        ]

    def _digest(self, lines: Sequence[PlanLine]) -> str:
        return self.state.vault.seal_digest([one.content() for one in lines])


def _cents(state: State, mapping: config.Mapping, order_ids: Collection[int]) -> Iterator[Remade]:
    """Rounding lines: each is compared with the operation that sent it, whatever version of the order it closed."""
    keys = {
        closing_key(state.store, one, document.fingerprint): one
        for one in order_ids
        for document in state.documents.find(kind="order", natural_key=f"order:{one}")
    }
    operations = state.outbox.find(flow=FLOW, kinds=(EDIT,), states=("confirmed",), natural_keys=list(keys))
    basis = kept(state, [one.natural_key for one in operations])
    for one, payload in zip(operations, state.outbox.payloads(operations), strict=True):
        then = basis.get(one.natural_key)
        told = Remade(keys[one.natural_key], action="cents", sent=state.vault.seal_digest(payload))
        if then is None:
            yield replace(told, why="What it was made from was not kept.")
        else:
            yield _closed_again(state, mapping, told, then)


def _closed_again(state: State, mapping: config.Mapping, told: Remade, then: Cents) -> Remade:
    def digest(by: config.Mapping) -> str:
        intent = closing(state.store, then, by.order_policy())
        return "" if intent is None else state.vault.seal_digest(intent.payload)

    made = digest(mapping)
    if made == told.sent:
        return replace(told, made=made)
    what = "its cents would be closed by another line" if made else "its cents would be a question"
    why = _cause(state, mapping, then, lambda by: digest(by) == told.sent, what)
    return replace(told, made=made, why=why)


def _cause(
    state: State,
    mapping: config.Mapping,
    then: Evidence | Cents,
    as_sent: Callable[[config.Mapping], bool],
    what: str,
) -> str:
    """Why something is not what was sent: the mapping file, if that of `then` gives what was sent, or the code."""
    mark = mapping_document(mapping)[1]
    before = None if mark == then.mapping else mapping_at(state, then.mapping)
    if before is not None and as_sent(before):
        return f"The mapping file changed ({then.mapping[:12]} -> {mark[:12]}): {what}."
    if then.code_version != CODE_VERSION:
        return f"The code changed ({then.code_version} -> {CODE_VERSION}): {what}."
    return f"Neither the mapping file nor the code version ({CODE_VERSION}) explains it: {what}."


def _order_of(line: PlanLine) -> int:
    return int(line.label.removeprefix("order:"))


def _differing(then: Sequence[PlanLine], now: Sequence[PlanLine]) -> list[str]:
    """Which fields differ, by name alone: their values may be the shopper's."""
    names = set()
    for before, after in zip(then, now, strict=True):
        old, new = (dict(one.payload["body"]) for one in (before, after))
        names |= {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
        if before.amount != after.amount:
            names.add("total")
    found = sorted(names) or ["not the body, but what was noted beside it"]
    more = len(found) - FIELDS_NAMED
    return [*found[:FIELDS_NAMED], f"{more} more"] if more > 0 else found

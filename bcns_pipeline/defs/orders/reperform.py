"""Orders planned again from stored bytes: is what would be sent today, to the byte, what was sent?

Put the way back from documents to the lines of a plan here. Do not put wording for people here (cli). Nothing is asked
of either system: the order and what was read beside it are documents, and what NetSuite was like is kept beside each
plan (evidence.py). Digests are keyed, because lines hold personal data. Edits are compared by the read-back instead.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bcns_pipeline import config
from bcns_pipeline.defs.orders.details import understood
from bcns_pipeline.defs.orders.evidence import CODE_VERSION, Evidence, digest_of, evidence_of, mapping_at
from bcns_pipeline.defs.orders.lines import new_customer, new_order
from bcns_pipeline.defs.orders.run import CUSTOMER, FLOW, ORDER
from bcns_pipeline.defs.shoppers import names_in, storefront_in
from bcns_pipeline.rules.customers.identify import Create
from bcns_pipeline.rules.customers.reading import shopper_of_order
from bcns_pipeline.rules.natural_keys import order_key
from bcns_pipeline.rules.orders.draft import Draft
from bcns_pipeline.rules.orders.facts import Facts
from bcns_pipeline.rules.orders.gate import Post, judge
from bcns_pipeline.rules.orders.model import Detail, Details, Order
from bcns_pipeline.rules.orders.needs import needs
from bcns_pipeline.rules.orders.reading import Unreadable, read_order
from bcns_pipeline.rules.orders.sales_order import build
from bcns_pipeline.state.operations import Operation
from bcns_pipeline.state.plan_lines import PlanLine
from bcns_pipeline.state.plans import Plan
from bcns_pipeline.state.scope import parse
from bcns_pipeline.state.store import State

FIELDS_NAMED = 4


@dataclass(frozen=True, slots=True)
class Remade:
    """One order's write, made again by today's mapping file and code.

    `sent` and `made` are digests of the order's own lines, `planned` and `again` of its whole plan: as it was written
    down, and with these lines in the place of those. `why` names the cause of a difference, or why nothing can be
    made again; empty where all are equal.
    """

    order_id: int
    plan_id: int | None = None
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
    """Make the writes of these orders again, by order. An order that no write of ours made says so."""
    keys = {order_key(state.store, one): one for one in order_ids}
    found = state.outbox.find(flow=FLOW, kinds=[ORDER], states=("confirmed",), natural_keys=list(keys))
    newest = {keys[one.natural_key]: one for one in found}
    by_plan: dict[int, dict[int, Operation]] = {}
    for one, operation in newest.items():
        if operation.plan_id is not None:
            by_plan.setdefault(operation.plan_id, {})[one] = operation
    evidence = evidence_of(state, by_plan)
    remade = [Remade(one, why="No write of ours made its record.") for one in set(order_ids) - newest.keys()]
    for plan_id, operations in by_plan.items():
        plan = state.plans.get(plan_id)
        if plan is None or plan_id not in evidence:
            why = f"What plan {plan_id} was made from was not kept."
            remade += [Remade(one, plan_id, why=why) for one in operations]
        else:
            remade += _Again(state, mapping, plan, evidence[plan_id]).all(operations)
    return sorted(remade, key=lambda one: one.order_id)


class _Again:
    """One plan."""

    def __init__(self, state: State, mapping: config.Mapping, plan: Plan, evidence: Evidence) -> None:
        self.state, self.mapping, self.plan, self.evidence = state, mapping, plan, evidence
        self.lines = state.plans.lines(plan)
        self.then = mapping_at(state, evidence.mapping)

    def all(self, operations: Mapping[int, Operation]) -> Iterator[Remade]:
        ids = [self.evidence.documents[one] for one in operations]
        bodies = self.state.documents.load_many(ids)
        payloads = self.state.outbox.payloads(list(operations.values()))
        for order_id, document_id, sent in zip(operations, ids, payloads, strict=True):
            body = bodies.get(document_id)
            if sent is None or body is None:
                why = "Its shopper was erased, or its document is past its time."
                yield Remade(order_id, self.plan.id, why=why)
            else:
                yield self._compared(order_id, sent, read_order(parse(body)))

    def _compared(self, order_id: int, sent: Mapping[str, Any], order: Order) -> Remade:
        places = self._places(order_id)
        # What went on the wire is the operation's payload, which was copied from the line.
        then = [
            replace(one, payload=sent) if one.kind == ORDER else one
            for one in map(self.lines.__getitem__, places)
        ]
        now = self._made(order, then, self.mapping)
        sent, planned = self._digest(then), self.plan.digest
        if isinstance(now, str):
            return Remade(
                order_id, self.plan.id, sent, planned=planned, why=self._cause(order, then, sent, now)
            )
        whole = list(self.lines)
        for at, line in zip(places, now, strict=True):
            whole[at] = line
        made, again = self._digest(now), self._digest(whole)
        if sent != made:
            why = self._cause(order, then, sent, ", ".join(_differing(then, now)))
        elif planned == again:
            why = ""
        elif all(one.payload for one in self.lines):
            why = (
                f"Its own lines are equal, but the stored lines of plan {self.plan.id} are not those planned."
            )
        else:
            why = "Its own lines are equal; of its plan, lines of erased shoppers can't be made again."
        return Remade(order_id, self.plan.id, sent, made, planned, again, why)

    def _cause(self, order: Order, then: Sequence[PlanLine], sent: str, what: str) -> str:
        mark = digest_of(self.mapping)
        if mark != self.evidence.mapping and self.then is not None:
            as_then = self._made(order, then, self.then)
            if not isinstance(as_then, str) and self._digest(as_then) == sent:
                return f"The mapping file changed ({self.evidence.mapping[:12]} -> {mark[:12]}): {what}."
        if self.evidence.code_version != CODE_VERSION:
            return f"The code changed ({self.evidence.code_version} -> {CODE_VERSION}): {what}."
        return f"Neither the mapping file nor the code version ({CODE_VERSION}) explains it: {what}."

    def _places(self, order_id: int) -> list[int]:
        """Where the order's own lines stand in the plan."""
        return [
            at
            for at, one in enumerate(self.lines)
            if one.label == f"order:{order_id}" and one.kind in (CUSTOMER, ORDER) and one.action == "create"
        ]

    def _made(self, order: Order, then: Sequence[PlanLine], mapping: config.Mapping) -> list[PlanLine] | str:
        """The same lines by this mapping file, or what would become of the order instead."""
        policy, account = mapping.order_policy(), self.evidence.account
        who = self.evidence.customers[order.id]
        facts = Facts(self.state.store, account, who, self.evidence.items)
        try:
            details = self._details(order, needs(order, policy))
            verdict = judge(order, policy, details)
            if not isinstance(verdict, Post):
                return f"it would not be posted ({verdict.code})"
            drafted = build(order, details, facts, policy)
        except ValueError:
            return "it asks for details of the order that were not read then"
        if not isinstance(drafted, Draft):
            return f"it would wait ({', '.join(sorted({one.code for one in drafted}))})"
        lines = []
        for one in then:
            if one.kind == ORDER:
                version = str(one.payload["version"])
                lines.append(new_order(order.id, version, drafted, who))
                continue
            shopper = shopper_of_order(order)
            front = storefront_in(mapping, shopper.channel_id, lambda: account.oneworld)
            names = names_in(self.state, shopper, front, f"order:{order.id}")
            make = Create(who.external_id, next(iter(who.subsidiaries or ()), None))
            policies = policy, mapping.customers.policy()
            lines.append(new_customer(order, make, shopper, names.link, account, *policies))
        return lines

    def _details(self, order: Order, wanted: Collection[Detail]) -> Details:
        """What was read beside the order before it was planned; ValueError where something was not read."""
        if not wanted:
            return Details()
        kept = self.evidence.details.get(order.id)
        body = None if kept is None else self.state.documents.load_many([kept]).get(kept)
        rows = {} if body is None else parse(body)
        if not wanted <= rows.keys():
            raise ValueError("not read then")
        try:
            return understood(rows)
        except Unreadable as fault:
            raise ValueError(str(fault)) from None

    def _digest(self, lines: Sequence[PlanLine]) -> str:
        return self.state.vault.seal_digest([one.content() for one in lines])


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

"""The lines of a plan of orders, made again from what was kept beside it.

Put the way back from documents to the lines of one order here. Do not compare them with what was sent here
(reperform.py). The rules are those of the plan itself; only where their facts come from is another: the documents, and
what NetSuite was like when the plan was made (evidence.py).
"""

from collections.abc import Collection, Sequence

from bcns_pipeline import config
from bcns_pipeline.defs.orders.details import understood
from bcns_pipeline.defs.orders.editing import as_written, record_kind
from bcns_pipeline.defs.orders.evidence import Basis, Evidence
from bcns_pipeline.defs.orders.lines import Edited, new_currency, new_customer, new_edit, new_order
from bcns_pipeline.defs.orders.run import CURRENCY, CUSTOMER
from bcns_pipeline.defs.shoppers import names_in, storefront_in
from bcns_pipeline.rules.customers.identify import Create
from bcns_pipeline.rules.customers.reading import shopper_of_order
from bcns_pipeline.rules.orders.draft import Draft
from bcns_pipeline.rules.orders.edits import Patch, plan_cancellation, plan_edit
from bcns_pipeline.rules.orders.facts import CustomerRef, Facts
from bcns_pipeline.rules.orders.gate import Post, judge
from bcns_pipeline.rules.orders.model import Detail, Details, Order
from bcns_pipeline.rules.orders.needs import needs
from bcns_pipeline.rules.orders.policy import OrderPolicy
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.rules.orders.reading import Unreadable, read_order
from bcns_pipeline.rules.orders.sales_order import build
from bcns_pipeline.rules.orders.status import Status
from bcns_pipeline.state.plan_lines import PlanLine
from bcns_pipeline.state.scope import parse
from bcns_pipeline.state.store import State


class Remaking:
    """What can be made again of one plan: its `evidence`, and the stored bytes of these orders.

    `added` are the keys of all its lines that let a customer be charged in another currency: each is made once, with
    the first order that needs it.
    """

    def __init__(
        self, state: State, evidence: Evidence, order_ids: Collection[int], added: Collection[str]
    ) -> None:
        self.state, self.evidence, self.added = state, evidence, added
        earlier = (evidence.edits[one].written for one in order_ids if one in evidence.edits)
        ids = [*(evidence.documents[one] for one in order_ids if one in evidence.documents), *earlier]
        ids += [evidence.details[one] for one in order_ids if one in evidence.details]
        self.bodies = state.documents.load_many([one for one in ids if one is not None])

    def missing(self, order_id: int, action: str) -> str:
        """Why nothing of this order can be made again; empty where it can."""
        basis = self.evidence.edits.get(order_id)
        if order_id not in self.evidence.documents or (action != "create" and basis is None):
            return "What it was made from was not kept."
        wanted = [self.evidence.documents[order_id], basis and basis.written]
        if any(self.bodies.get(one) is None for one in wanted if one is not None):
            return "Its shopper was erased, or its document is past its time."
        return ""

    def lines(self, order_id: int, then: Sequence[PlanLine], mapping: config.Mapping) -> list[PlanLine] | str:
        """The lines `then` by this mapping file, or what would become of the order instead."""
        order, policy = self._order(self.evidence.documents[order_id]), mapping.order_policy()
        try:
            details = self._details(order, needs(order, policy))
            basis = self.evidence.edits.get(order_id)
            if basis is not None:
                return self._edit(order, details, then, policy, basis)
            return self._creation(order, details, then, mapping)
        except ValueError:
            return "it asks for details of the order that were not read then"

    def _creation(
        self, order: Order, details: Details, then: Sequence[PlanLine], mapping: config.Mapping
    ) -> list[PlanLine] | str:
        policy, account, who = (
            mapping.order_policy(),
            self.evidence.account,
            self.evidence.customers[order.id],
        )
        verdict = judge(order, policy, details)
        if not isinstance(verdict, Post):
            return f"it would not be posted ({verdict.code})"
        drafted = build(order, details, self._facts(who), policy)
        if not isinstance(drafted, Draft):
            return _would_wait(drafted)
        lines = []
        extra = self._currency(order, who, policy)
        if extra is not None and extra.natural_key not in self.added:
            return f"its customer would be let be charged in {order.currency} first"
        for one in then:
            if one.kind == CURRENCY:
                if extra is None:
                    return f"its customer could be charged in {order.currency} already"
                lines.append(extra)
                continue
            if one.kind != CUSTOMER:
                lines.append(new_order(order.id, str(one.payload["version"]), drafted, who))
                continue
            shopper = shopper_of_order(order)
            front = storefront_in(mapping, shopper.channel_id, lambda: account.oneworld)
            names = names_in(self.state, shopper, front, f"order:{order.id}")
            make = Create(who.external_id, next(iter(who.subsidiaries or ()), None))
            policies = policy, mapping.customers.policy()
            lines.append(new_customer(order, make, shopper, names.link, account, *policies))
        return lines

    def _edit(
        self, order: Order, details: Details, then: Sequence[PlanLine], policy: OrderPolicy, basis: Basis
    ) -> list[PlanLine] | str:
        (line,) = then
        about = Edited(*(line.payload[name] for name in ("record", "id", "version", "over")))
        who = self.evidence.customers.get(order.id)
        patch: Patch | Problem | None
        if order.status_id == Status.CANCELLED:
            assert basis.must_show is not None, "a cancellation is kept with what its record has to show"
            patch = plan_cancellation(basis.must_show, record_kind(about.record), basis.shown, policy)
        elif who is None or basis.written is None:
            return "it would wait: its customer or the version before it was not known"
        else:
            facts = self._facts(who)
            after = build(order, details, facts, policy)
            if not isinstance(after, Draft):
                return _would_wait(after)
            before = as_written(self._order(basis.written), details, facts, policy)
            if not isinstance(before, Draft):
                return _would_wait(before)
            patch = plan_edit(before, after, basis.shown, policy)
        if isinstance(patch, Problem):
            return _would_wait([patch])
        if patch is None:
            return "it would not be edited"
        return [new_edit(self.state.store, order.id, about, patch, who)]

    def _currency(self, order: Order, who: CustomerRef, policy: OrderPolicy) -> PlanLine | None:
        """The line for the order's currency; of older plans it is not known whether the customer needed it."""
        has = self.evidence.currencies.get(order.id)
        line = None if who.id is None else new_currency(order, who, has, policy, self.evidence.account)
        return None if has is None and line is not None and line.natural_key not in self.added else line

    def _facts(self, who: CustomerRef) -> Facts:
        return Facts(self.state.store, self.evidence.account, who, self.evidence.items)

    def _order(self, document_id: int) -> Order:
        body = self.bodies[document_id]
        assert body is not None, "asked for only where nothing is missing"
        return read_order(parse(body))

    def _details(self, order: Order, wanted: Collection[Detail]) -> Details:
        """What was read beside the order before it was planned; ValueError where something was not read."""
        if not wanted:
            return Details()
        kept = self.evidence.details.get(order.id)
        body = None if kept is None else self.bodies.get(kept)
        rows = {} if body is None else parse(body)
        if not wanted <= rows.keys():
            raise ValueError("not read then")
        try:
            return understood(rows)
        except Unreadable as fault:
            raise ValueError(str(fault)) from None


def _would_wait(problems: Sequence[Problem]) -> str:
    return f"it would wait ({', '.join(sorted({one.code for one in problems}))})"

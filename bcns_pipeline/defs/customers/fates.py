"""What a plan makes of one shopper, as a line to be staged, and what that means for people.

Put here the shapes, what a line carries, and how exceptions are opened and healed. Do not decide here. Payloads with
personal data are sealed under the shopper's key; labels, keys and reasons are in clear and hold none.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bcns_pipeline.defs.account import account_of
from bcns_pipeline.defs.customers.known import Version, applied
from bcns_pipeline.defs.customers.poll import natural_key
from bcns_pipeline.defs.customers.run import FLOW, question, subject_of
from bcns_pipeline.defs.shoppers import Ask, base_currency
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.customers.body import customer_body
from bcns_pipeline.rules.customers.changes import Changes
from bcns_pipeline.rules.customers.identify import Create, Found
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.state.links import Link
from bcns_pipeline.state.plan_lines import PlanLine

# The order flow makes customers by operations of the same kind and key, so one shopper is made by one of the two.
CUSTOMER, CHANGE = "customer", "customer_change"
# What is planned is sent by apply, which then heals or asks anew.
_OF_APPLY = frozenset({"CUSTOMER_REFUSED"})


@dataclass(frozen=True, slots=True)
class Fate:
    """What the plan makes of one shopper.

    `outcome`: created | changed | linked | unchanged | waiting | deferred | gone | erased. `fields` are the names of
    what a change changes, `conflicts` of what both sides changed.
    """

    customer_id: int
    outcome: str
    netsuite_id: int | None = None
    fields: tuple[str, ...] = ()
    reason: str = ""
    problems: tuple[Problem, ...] = ()
    conflicts: tuple[str, ...] = ()
    line: PlanLine | None = field(default=None, repr=False)


class Taken:
    """What a plan has spoken for: of two shoppers that are one customer, the second waits for the next plan."""

    def __init__(self) -> None:
        self._seen: set[Hashable] = set()

    def first(self, what: Hashable) -> bool:
        """True for the first one that asks."""
        if what in self._seen:
            return False
        self._seen.add(what)
        return True


def waiting(customer_id: int, problems: Sequence[Problem]) -> Fate:
    """Something stands in the way; it is looked at again by itself."""
    sentence = " ".join(one.sentence for one in problems)
    return Fate(customer_id, "waiting", reason=sentence, problems=tuple(problems))


def created(connections: Connections, version: Version, ask: Ask, who: Create) -> Fate:
    """Nobody yet: make the customer."""
    body = customer_body(
        ask.shopper,
        who.natural_key,
        connections.customer_policy,
        subsidiary=who.subsidiary,
        base_currency=base_currency(account_of(connections), who.subsidiary),
    )
    reason = "nobody has this shopper's link, key or e-mail address yet"
    line = _line(connections, "create", CUSTOMER, who.natural_key, version, ask, {"body": body}, reason)
    return Fate(ask.shopper.customer_id, "created", reason=reason, line=line)


def changed(
    connections: Connections,
    version: Version,
    ask: Ask,
    who: Found,
    found: Changes,
    link: Link | None,
    problems: tuple[Problem, ...],
    conflicts: tuple[str, ...],
) -> Fate:
    """Bring the customer that is there to what the shopper says now."""
    reason = f"found by {who.how.replace('_', ' ')}; the shopper changed {', '.join(found.fields)}"
    same = link is not None and link.netsuite_id == str(who.id)
    content = {"id": who.id, "body": found.body, "last": applied(link) if same else None}
    # By customer: entries of an address book are added, so two changes of one must not be planned side by side.
    key = f"customer-{who.id}-change"
    line = _line(connections, "patch", CHANGE, key, version, ask, content, reason, f"customer:{who.id}")
    return Fate(ask.shopper.customer_id, "changed", who.id, found.fields, reason, problems, conflicts, line)


def linked(
    version: Version, ask: Ask, who: Found, problems: tuple[Problem, ...], conflicts: tuple[str, ...]
) -> Fate:
    """NetSuite says all of it already: only remembered."""
    customer_id = ask.shopper.customer_id
    content = {
        "netsuite_id": str(who.id),
        "link": ask.names.link,
        "document": version.document_id,
        "customer_id": customer_id,
    }
    reason = f"found by {who.how.replace('_', ' ')}; NetSuite says the same"
    line = PlanLine("link", CUSTOMER, ask.names.natural_key, content, reason, natural_key(customer_id))
    return Fate(customer_id, "linked", who.id, (), reason, problems, conflicts, line)


def remember(connections: Connections, fates: Sequence[Fate]) -> None:
    """Open the exceptions of shoppers with a problem, and heal those whose cause is gone."""
    state = connections.state
    questions = [
        question(
            problem.code,
            one.customer_id,
            f"Shopper {one.customer_id}: {problem.sentence}",
            fact=problem.fact,
            **({"fields": list(one.conflicts)} if problem.code == "CUSTOMER_CONFLICT" else {}),
        )
        for one in fates
        for problem in one.problems
    ]
    asked = {(one.code, one.subject) for one in questions}
    looked_at = {subject_of(one.customer_id) for one in fates if one.outcome != "deferred"}
    sending = {subject_of(one.customer_id) for one in fates if one.outcome in ("created", "changed")}
    with state.scope.transaction() as conn:
        state.exceptions.open_many(FLOW, questions, conn=conn)
        # What a person asked for is done by this.
        state.exceptions.take_retries(FLOW, conn=conn)
        gone: dict[str, list[str]] = {}
        for row in state.exceptions.find(flow=FLOW, conn=conn):
            answered = row.subject in looked_at and (row.code, row.subject) not in asked
            if answered and not (row.code in _OF_APPLY and row.subject in sending):
                gone.setdefault(row.code, []).append(row.subject)
        for code, subjects in gone.items():
            state.exceptions.heal(FLOW, code, subjects, conn=conn)


def _line(
    connections: Connections,
    action: Any,
    kind: str,
    key: str,
    version: Version,
    ask: Ask,
    content: dict[str, Any],
    reason: str,
    group_key: str | None = None,
) -> PlanLine:
    """A line that writes; its group is that of the customer's orders, so that neither meets the other half done."""
    customer_id = ask.shopper.customer_id
    return PlanLine(
        action,
        kind,
        key,
        {**content, "link": ask.names.link, "customer_id": customer_id, "document": version.document_id},
        reason,
        natural_key(customer_id),
        group_key=group_key or key,
        subject=connections.state.vault.subject(ask.shopper.email or natural_key(customer_id)),
    )

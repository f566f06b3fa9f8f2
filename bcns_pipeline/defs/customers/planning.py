"""Plan: what each shopper that changed would become in NetSuite, and why those that would not, don't.

Put here which shoppers are due, and how the rules' answers become plan lines and exceptions. Do not put a rule here
(rules/customers), nor a read of NetSuite (known.py). In mode plan nothing is remembered but the plan.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import ClassVar

from bcns_pipeline.defs.accounting import LookedAt
from bcns_pipeline.defs.customers.fates import Fate, Taken, changed, created, linked, remember, waiting
from bcns_pipeline.defs.customers.known import Known, Version, applied, learn, links_of, versions
from bcns_pipeline.defs.customers.poll import natural_key
from bcns_pipeline.defs.customers.run import FLOW, due, shoppers_of
from bcns_pipeline.defs.customers.take import last_read
from bcns_pipeline.defs.modes import Mode
from bcns_pipeline.defs.shoppers import Ask, ask, merges_of
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.customers.changes import changes, conflict, disagreeing, doubled, tax_problem
from bcns_pipeline.rules.customers.duplicates import Duplicates, duplicates
from bcns_pipeline.rules.customers.identify import Create, Found
from bcns_pipeline.rules.customers.model import BookEntry, NetSuiteCustomer, Shopper
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.state.links import Link
from bcns_pipeline.state.plans import Plan


@dataclass(slots=True)
class Planned(LookedAt):
    """A plan, the fate of every shopper that was looked at, and customers that look like one person twice."""

    what: ClassVar = "customers"
    plan: Plan
    fates: list[Fate] = field(repr=False)
    duplicates: list[Duplicates]


def make_plan(connections: Connections, *, mode: Mode) -> Planned:
    """Look at every shopper that was read and not answered yet, and at those whose exception is due.

    Raises OutsideError where NetSuite can't be read.
    """
    state, read = connections.state, last_read(connections)
    with state.worker() as worker:
        claims = state.inbox.claim("customer", len(read.generations), worker, ids=list(read.generations))
        try:
            # An event after the read says that there may be something newer than what was read.
            answered = {
                one.resource_id: one.generation
                for one in claims
                if read.generations[one.resource_id] == one.generation
            }
            again = [one for one in due(connections) if str(one) not in read.generations]
            looked_at = [int(one) for one in answered] + again[: connections.mapping.customers.batch]
            fates, doubles = _decide(connections, looked_at, read.gone)
        finally:
            # Done only once the plan is staged: apply closes them, unless something newer was told since.
            state.inbox.release(claims)
    later = {str(one.customer_id) for one in fates if one.outcome == "deferred"}
    plan = state.plans.create(
        FLOW,
        mode=mode.value,
        as_of=datetime.now(UTC),
        config_digest=connections.mapping.digest,
        summary={
            "claims": {one: generation for one, generation in answered.items() if one not in later},
            "looked_at": len(looked_at),
            "outcomes": dict(Counter(fate.outcome for fate in fates)),
            "duplicates": len(doubles),
            # For `bcns duplicates`: ids and reasons, nothing of a person.
            "duplicate_groups": [[one.why, one.keep, *one.others] for one in doubles],
        },
    )
    plan = state.plans.write_lines(plan, [one.line for one in fates if one.line is not None])
    if mode is Mode.APPLY:
        remember(connections, fates)
    return Planned(plan, sorted(fates, key=lambda one: one.customer_id), doubles)


def _decide(
    connections: Connections, customer_ids: Collection[int], gone: Collection[int]
) -> tuple[list[Fate], list[Duplicates]]:
    there = versions(connections, [one for one in customer_ids if one not in gone])
    fates: list[Fate] = []
    asks: dict[int, Ask] = {}
    for one in customer_ids:
        version = there.get(one)
        if version is None:
            fates.append(Fate(one, "gone", reason="BigCommerce does not have it any more."))
        elif version.why:
            fates.append(waiting(one, [Problem("CUSTOMER_UNREADABLE", version.why)]))
        elif version.shopper is None:
            fates.append(Fate(one, "erased", reason="The shopper was erased."))
        elif not _mapped(connections, version.shopper.channel_id):
            fates.append(waiting(one, [_unmapped(version.shopper.channel_id)]))
        else:
            asks[one] = ask(connections, version.shopper, natural_key(one))
    links = links_of(connections, asks.values())
    troubled = set(shoppers_of(connections.state.exceptions.find(flow=FLOW)))
    same = {
        one
        for one, each in asks.items()
        if one not in troubled and applied(links.get(each.names.link)) == there[one].document_id
    }
    fates += [Fate(one, "unchanged", int(links[asks[one].names.link].netsuite_id)) for one in same]
    asks = {one: each for one, each in asks.items() if one not in same}
    if not asks:
        return fates, []
    known = learn(connections, asks, links)
    taken = Taken()
    conflicts = _open_conflicts(connections)
    for one, each in asks.items():
        fates.append(
            _fate(connections, there[one], each, known, links.get(each.names.link), taken, conflicts)
        )
    return fates, duplicates(known.rows.values(), merges_of(connections), _linked(connections, known))


def _fate(
    connections: Connections,
    version: Version,
    ask: Ask,
    known: Known,
    link: Link | None,
    taken: Taken,
    conflicts: Mapping[int, frozenset[str]],
) -> Fate:
    shopper, customer_id = ask.shopper, ask.shopper.customer_id
    who = known.customers[customer_id]
    if isinstance(who, Problem):
        return waiting(customer_id, [who])
    if isinstance(who, Create):
        if not taken.first(("e-mail", shopper.email or customer_id, who.subsidiary)):
            return Fate(customer_id, "deferred", reason="Another account of this e-mail address comes first.")
        return created(connections, version, ask, who)
    row = known.rows.get(who.id)
    if row is None:
        return waiting(customer_id, [_unseen(who)])
    policy, last = connections.customer_policy, known.last.get(customer_id)
    found = changes(shopper, row, known.books.get(row.id), last, policy)
    problems = [conflict(found, row.id), tax_problem(shopper, row)]
    if problems[0] is None:
        asked, book = conflicts.get(customer_id, frozenset()), known.books.get(row.id)
        problems[0] = _still(shopper, row, asked, book, connections)
    said = tuple(one for one in problems if one is not None)
    fields = found.conflicts or tuple(conflicts.get(customer_id, ()))
    if found:
        if not taken.first(("customer", row.id)):
            return Fate(customer_id, "deferred", row.id, reason="Another account is this customer as well.")
        return changed(connections, version, ask, who, found, link, said, fields)
    if link is None or link.netsuite_id != str(row.id) or applied(link) != version.document_id:
        return linked(version, ask, who, said, fields)
    return Fate(customer_id, "unchanged", row.id, problems=said, conflicts=fields)


def _still(
    shopper: Shopper,
    row: NetSuiteCustomer,
    fields: Collection[str],
    book: Sequence[BookEntry] | None,
    connections: Connections,
) -> Problem | None:
    """A conflict stands for as long as the sides say different things, whoever has won."""
    apart = [one for one in disagreeing(shopper, row, connections.customer_policy) if one in fields]
    if "addresses" in fields and doubled(shopper, book):
        said = f"An address is twice in the address book of customer {row.id}."
        return Problem("CUSTOMER_CONFLICT", said, f"customer:{row.id}")
    if not apart:
        return None
    return Problem(
        "CUSTOMER_CONFLICT",
        f"BigCommerce and NetSuite still say different things of {' and '.join(apart)} of customer {row.id}.",
        f"customer:{row.id}",
    )


def _open_conflicts(connections: Connections) -> dict[int, frozenset[str]]:
    rows = connections.state.exceptions.find(flow=FLOW, code="CUSTOMER_CONFLICT")
    return {
        shopper: frozenset(one.detail.get("fields", ())) for one in rows for shopper in shoppers_of([one])
    }


def _linked(connections: Connections, known: Known) -> Iterable[int]:
    found = connections.state.links.get_many("customer", [str(one) for one in known.rows])
    return {int(one) for one in found}


def _mapped(connections: Connections, channel_id: int) -> bool:
    """Without any channel in the mapping file all of them go to the account's one company."""
    channels = connections.mapping.channels
    return not channels or channel_id in channels


def _unmapped(channel_id: int) -> Problem:
    return Problem(
        "CHANNEL_UNMAPPED",
        f"It belongs to channel {channel_id}, which the mapping file does not know.",
        f"channel:{channel_id}",
    )


def _unseen(who: Found) -> Problem:
    return Problem(
        "CUSTOMER_INACTIVE",
        f"Customer {who.id}, which took the place of the shopper's, is not in NetSuite, or not shown to us.",
        f"customer:{who.id}",
    )


def plan_of(connections: Connections, run_id: str) -> Plan | None:
    """The plan that this run made, or None: a step that runs alone sends what earlier runs left."""
    plans = connections.state.plans.of_run(run_id, FLOW)
    return plans[-1] if plans else None

"""What tells us of shoppers besides webhooks: a poll of those that changed, and a slow walk over those we know.

Put here where the cursors stand and how the walks go. Do not put here what a change means. A change of an address
bumps no date of its shopper (facts/bigcommerce.md 4.1), so the poll can't see it: hooks of addresses tell of it
within seconds, and for those that got lost the walk reads every linked shopper anew, some each hour.
"""

import time
from collections.abc import Iterable
from datetime import timedelta

from bcns_pipeline.clients.bigcommerce.models import CustomerDocument
from bcns_pipeline.defs.polling import Polled, cutover_of, only_new
from bcns_pipeline.defs.shoppers import LINK
from bcns_pipeline.outcomes import Lane
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.customers.policy import CustomerPolicy
from bcns_pipeline.rules.intake import advanced, cursor_value, next_window, read_cursor
from bcns_pipeline.state.documents import NewDocument
from bcns_pipeline.state.inbox import Event
from bcns_pipeline.state.store import State

POLL, SWEEP = "customers/poll", "customers/sweep"
KIND = "customer"
# A new address moves no date of its shopper and is in no list of changes, so known shoppers are read again, 250 a call:
# within four minutes all of the first 10,000, and of more 150,000 an hour, for a thirtieth of a Standard plan's quota.
SWEEP_EVERY = timedelta(minutes=2)
SWEEP_SHOPPERS = 5_000


def poll_customers(
    connections: Connections, *, pages: int = 20, seconds: float = 40.0, lane: Lane = Lane.BULK
) -> Polled:
    """List who changed since the cursor, with overlap, within the budget. Raises OutsideError.

    The cursor is in the store's own clock and moves with the events, in one transaction a page.
    """
    state, shop = connections.state, connections.bigcommerce(lane)
    cursor = read_cursor(state.cursors.get(POLL))
    deadline = time.monotonic() + seconds
    # The second that is running counts as well: what still happens in it comes with the overlap of the next poll.
    now = shop.now()
    overlap = timedelta(minutes=connections.mapping.customers.poll.overlap_minutes)
    window = next_window(cursor, now, overlap, cutover_of(connections.mapping) or now)
    if window is None:
        # Without a cutover the first poll only notes the time: shoppers of before come when they change or order.
        state.cursors.move(POLL, cursor_value(cursor or now))
        return Polled("shoppers", 0, 0, cursor, complete=True)
    listed = changed = 0
    complete = False
    walk = shop.customers.changed(
        window.start,
        window.until,
        max_pages=pages,
        deadline=deadline,
        include=included(connections.customer_policy),
    )
    for page in walk:
        fresh = _changed(state, page.customers)
        listed, changed, complete = listed + len(page.customers), changed + len(fresh), page.last
        cursor = advanced(cursor, window, page.through)
        with state.scope.transaction() as conn:
            state.inbox.record([Event("customer", str(one.id), "poll") for one in fresh], conn=conn)
            state.cursors.move(POLL, cursor_value(cursor), conn=conn)
    return Polled("shoppers", listed, changed, cursor, complete)


def sweep_due(connections: Connections) -> bool:
    """Whether it is time to read the next of the shoppers that we know."""
    return not connections.state.cursors.moved_within(SWEEP, SWEEP_EVERY)


def sweep(connections: Connections, *, lane: Lane = Lane.BULK) -> int:
    """Read the next linked shoppers anew; those that differ from what we have go into the inbox; how many did.

    After the last one it begins with the first again. Raises OutsideError.
    """
    state = connections.state
    kept = state.cursors.get(SWEEP)
    after = kept["after"] if isinstance(kept, dict) and kept.get("version") == 1 else 0
    ids = state.links.numbered(LINK, after, SWEEP_SHOPPERS)
    found = connections.bigcommerce(lane).customers.by_id(ids, include=included(connections.customer_policy))
    fresh = _changed(state, found.values())
    position = {"version": 1, "after": ids[-1] if len(ids) == SWEEP_SHOPPERS else 0}
    with state.scope.transaction() as conn:
        state.inbox.record([Event("customer", str(one.id), "poll") for one in fresh], conn=conn)
        state.cursors.move(SWEEP, position, conn=conn)
    return len(fresh)


def included(policy: CustomerPolicy) -> tuple[str, ...]:
    """The parts of a shopper that are read: addresses, and what mapped fields need."""
    wanted = {one.path.parts[0] for one in policy.fields if one.path.parts}
    parts = {"form_fields": "formfields", "attributes": "attributes"}
    return ("addresses", *(part for name, part in parts.items() if name in wanted))


def as_documents(state: State, customers: Iterable[CustomerDocument]) -> list[NewDocument]:
    """Shoppers as read, to be stored under the keys of their e-mail addresses."""
    return [
        NewDocument("bigcommerce", KIND, natural_key(one.id), one.raw, subject=seal_of(state, one))
        for one in customers
    ]


def natural_key(customer_id: int) -> str:
    """Of the documents of one shopper."""
    return f"customer:{customer_id}"


def seal_of(state: State, customer: CustomerDocument) -> str:
    """The shopper whose key seals the document; one without an e-mail address has a key of its own."""
    email = customer.document.get("email")
    return state.vault.subject(
        email if isinstance(email, str) and email.strip() else natural_key(customer.id)
    )


def _changed(state: State, customers: Iterable[CustomerDocument]) -> list[CustomerDocument]:
    return only_new(state, list(customers), as_documents)

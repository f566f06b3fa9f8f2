"""The trail of a cent, in both directions: bank deposit, payout, line, transaction, order, order line; and back.

Put the steps of the trail and their wording here. Each step names what it was read from by its hash, so that an
auditor can go from one to the next without believing us. Nothing here is worked out: it is what was written down.
"""

from __future__ import annotations

from collections.abc import Sequence

from bcns_pipeline.cli.connect import remembered
from bcns_pipeline.cli.console import say, show_table
from bcns_pipeline.defs import chart
from bcns_pipeline.defs.payouts.run import FLOW
from bcns_pipeline.rules.close.names import called
from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.orders.model import Cost
from bcns_pipeline.rules.orders.reading import Unreadable, read_order
from bcns_pipeline.settings import load_settings
from bcns_pipeline.state.order_models import OrderState
from bcns_pipeline.state.payout_models import BankRow, Journal, PayoutState
from bcns_pipeline.state.payout_views import StoredLine
from bcns_pipeline.state.scope import parse
from bcns_pipeline.state.store import State

LINES_SHOWN = 200


def show_trace(what: str, line: int | None) -> int:
    """Print the trail of `what`; 0, or 1 where nothing of that name is known. Raises BadInput."""
    with remembered(load_settings(), sealed=True) as state:
        journal = _journal(state, what)
        if line is not None:
            if journal is None:
                raise BadInput([f"{what} is no journal entry of ours, and --line is about one."])
            _members(state, journal, line)
            return 0
        if journal is not None:
            _of_journal(state, journal)
            return 0
        payouts = state.payouts.named(what)
        for one in payouts:
            _of_payout(state, one)
        banked = [] if payouts else state.bank.find(what)
        for row in banked:
            _of_bank(state, row)
        if payouts or banked:
            return 0
        lines = state.payouts.of_reference(what)
        if not lines and what.isdecimal():
            lines = state.payouts.of_order(int(what))
            _order(state, int(what))
        if not lines:
            lines = _by_gateway(state, what)
        for payout, one in lines:
            _line(state, one)
            _above(state, payout, one)
    if not lines and not what.isdecimal():
        say(f"{what} is no payout, line, charge, journal entry or bank line that we know.")
        return 1
    if not lines:
        say("  no payout has settled anything of it yet")
    return 0


def _of_bank(state: State, row: BankRow) -> None:
    found = state.payouts.on_line(row.account, row.line_id)
    for one in found:
        _of_payout(state, one)
    if found:
        return
    say(_bank_text(row))
    about = f"{row.account}/{row.line_id}"
    asked = [one for one in state.exceptions.find(flow=FLOW) if about in one.detail.get("members", ())]
    for question in asked:
        say(f"  open question {question.code} about {question.subject}: {question.message}")
    if not asked:
        say("  no payout of ours")


def _of_payout(state: State, one: PayoutState) -> None:
    for row in state.bank.lines(payout_number=one.id):
        say(_bank_text(row))
    say(_payout_text(one))
    for question in state.exceptions.find(flow=FLOW, subject=one.subject):
        say(f"  open question {question.code}: {question.message}")
    for document in state.payouts.documents(one):
        say(f"  read from {document.name}, sha256 {document.sha256}")
    for journal in state.payouts.journals([one.id]):
        say(_journal_text(journal))
    lines = state.payouts.lines(one)
    show_table(
        [
            "line",
            "id",
            "class",
            "gross",
            "fee",
            "net",
            "order",
            "transaction",
            "by",
            "booked by",
            "row sha256",
        ],
        [_row(line) for line in lines[:LINES_SHOWN]],
    )
    if len(lines) > LINES_SHOWN:
        say(f"… and {len(lines) - LINES_SHOWN:,} more lines; `bcns trace LINE` shows one of them.")


def _of_journal(state: State, journal: Journal) -> None:
    say(_journal_text(journal))
    names = chart.names(state)
    rows = [
        (place, called(names, one["account"]), one["role"],
         Money(one["debit"], journal.currency) if one["debit"] else None,
         Money(one["credit"], journal.currency) if one["credit"] else None,
         one["memo"], one["count"], one["members_sha256"][:16])
        for place, one in enumerate(journal.entry["lines"], start=1)
    ]  # fmt: skip
    show_table(["line", "account", "role", "debit", "credit", "memo", "members", "members sha256"], rows)
    if journal.payout is not None:
        payout = state.payouts.many([journal.payout])[journal.payout]
        say(_payout_text(payout))
        say(f"  `bcns trace {journal.natural_key} --line N` lists the members of a line")


def _members(state: State, journal: Journal, place: int) -> None:
    lines = journal.entry["lines"]
    if not 1 <= place <= len(lines):
        raise BadInput([f"{journal.natural_key} has lines 1 to {len(lines)}."])
    one = lines[place - 1]
    say(
        f"{journal.natural_key} line {place}: {one['memo']}, {one['count']:,} members, sha256 {one['members_sha256']}"
    )
    member = state.payouts.members(journal.id or 0).get(place)
    if member is None or journal.payout is None:
        say("  it stands for the transfer itself and has no members")
        return
    payout = state.payouts.many([journal.payout])[journal.payout]
    numbers = [number for first, last in member.runs for number in range(first, last + 1)]
    found = [row for row in state.payouts.lines(payout, journal.version) if row.number in set(numbers)]
    show_table(
        [
            "line",
            "id",
            "class",
            "gross",
            "fee",
            "net",
            "order",
            "transaction",
            "by",
            "booked by",
            "row sha256",
        ],
        [_row(row) for row in found],
    )
    say(
        f"  {sum(row.line.gross for row in found):,} gross, {sum(row.line.fee for row in found):,} fee, in minor units"
    )


def _line(state: State, one: StoredLine) -> None:
    line = one.line
    order = f"order {line.order_id}" if line.order_id is not None else "no order"
    say(
        f"line {one.number} {line.id} ({line.category}, {line.cls.value}): gross {Money(line.gross, line.currency)}, "
        f"fee {Money(line.fee, line.currency)}, net {Money(line.net, line.currency)}; {order}"
        + (f" by its {one.step}" if one.step else "")
    )
    say(f"  row sha256 {line.raw_sha256}")
    if line.transaction_id is not None:
        say(f"  BigCommerce transaction {line.transaction_id}")
    if one.journal_key:
        say(f"  booked by {one.journal_key}")
    if line.order_id is not None:
        _order(state, line.order_id)


def _above(state: State, payout: PayoutState, one: StoredLine) -> None:
    """What the line went into: the lines of the entry, the payout, the bank."""
    for journal in state.payouts.journals([payout.id], kind="payout"):
        places = [
            str(at) for at, member in state.payouts.members(journal.id or 0).items() if one.number in member
        ]
        if places and journal.sent_at is not None:
            say(f"  in line {', '.join(places)} of")
            say(_journal_text(journal))
    say(_payout_text(payout))
    for row in state.bank.lines(payout_number=payout.id):
        say(_bank_text(row))


def _order(state: State, order_id: int) -> None:
    order = state.orders.get(order_id)
    if order is None:
        say(f"  order {order_id}: never read by us")
        return
    number = order.netsuite_number or order.netsuite_id
    where = f"{order.record_type} {number}" if number else "not in NetSuite"
    say(
        f"  order {order_id} of {order.day}: {order.total} charged; {where}; content {order.content_hash[:16]}"
    )
    amounts = _amounts(state, order)
    for line in order.lines:
        cost = amounts.get(line.line_id)
        money = "" if cost is None else f", {cost.inc:f} with {cost.tax:f} tax"
        say(f"    order line {line.line_id}: {line.quantity} x {line.sku}{money}")
    for record in state.cash.records([order_id]).get(order_id, ()):
        amount = record.amount or "NetSuite's total"
        say(f"    {record.kind} {record.natural_key}: {amount}, NetSuite {record.netsuite_id}")
    for refund in state.refunds.records_of_orders([order_id]).get(order_id, ()):
        say(f"    {refund.record_type} {refund.natural_key}: {refund.amount}, NetSuite {refund.netsuite_id}")


def _amounts(state: State, order: OrderState) -> dict[int, Cost]:
    """{order line: what BigCommerce says of it}, from the bytes as read; none where its shopper was erased."""
    number = order.document_id
    body = None if number is None else state.documents.load_many([number]).get(number)
    try:
        return {} if body is None else {line.id: line.total for line in read_order(parse(body)).lines}
    except Unreadable:
        return {}


def _by_gateway(state: State, what: str) -> list[tuple[PayoutState, StoredLine]]:
    """Lines of the order whose transaction carries this id of the provider: a charge, a payment intent, a capture."""
    orders = {one.order_id for some in state.cash.by_gateway_ids([what]).values() for one in some}
    return [found for order_id in sorted(orders) for found in state.payouts.of_order(order_id)]


def _journal(state: State, what: str) -> Journal | None:
    return state.payouts.journal(what) or state.payouts.journal_of(what)


def _row(one: StoredLine) -> Sequence[object]:
    line = one.line
    return (one.number, line.id, line.cls.value, Money(line.gross, line.currency), Money(line.fee, line.currency),
            Money(line.net, line.currency), _plain(line.order_id), _plain(line.transaction_id), one.step,
            one.journal_key, line.raw_sha256[:16])  # fmt: skip


def _plain(number: int | None) -> str | None:
    """An id without thousands apart."""
    return None if number is None else str(number)


def _payout_text(one: PayoutState) -> str:
    made_of = f"{one.lines:,} lines"
    if one.itemisation == "never" and not one.lines:
        made_of = "not itemised by the provider, so nobody can say which orders it paid"
    return (
        f"payout {one.payout_id} of {one.provider} {one.account}: {Money(one.amount_minor, one.currency)} on "
        f"{one.arrival_date}, {made_of}, {one.status}; sources sha256 {one.sources_digest or 'none'}"
    )


def _journal_text(one: Journal) -> str:
    sent = f"NetSuite {one.netsuite_number or one.netsuite_id}" if one.netsuite_id else "not sent"
    said = "approved" if one.approved else "not approved"
    amount = Money(one.total_minor, one.currency)
    return (
        f"{one.kind} entry {one.natural_key}: {amount} on {one.tran_date}, {sent}, {said}; "
        f"body sha256 {one.body_sha256}"
    )


def _bank_text(row: BankRow) -> str:
    return (
        f"bank line {row.line_id} of {row.account}: {Money(row.amount_minor, row.currency)} on {row.booked_on}; "
        f"row sha256 {row.row_sha256}, statement sha256 {row.sha256}"
    )

"""What a payout is held against: the orders of its lines, what NetSuite holds of them, and its own bytes.

Put the gathering here: each question is asked once for all lines of a payout. Do not decide here which order a line is
of (rules/payouts/links.py), nor what follows from it.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from bcns_pipeline.clients.files.models import BadFile
from bcns_pipeline.defs.payouts.accepted import accepted, proposals
from bcns_pipeline.defs.payouts.convert import source_of
from bcns_pipeline.defs.payouts.ledger import Ledger
from bcns_pipeline.defs.payouts.splits import splits_of
from bcns_pipeline.defs.polling import cutover_of
from bcns_pipeline.defs.stored import StoredDocuments
from bcns_pipeline.outcomes import Lane
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.payouts.books import Booked, Books, OrderFacts
from bcns_pipeline.rules.payouts.classes import classify
from bcns_pipeline.rules.payouts.links import Link, LinkIndex, ShopTransaction, Step, link, paid
from bcns_pipeline.rules.payouts.model import SETTLES, LineClass, Payout, PayoutLine
from bcns_pipeline.rules.payouts.plan import Evidence
from bcns_pipeline.state.cash_models import CashRecord, TenderRow
from bcns_pipeline.state.order_models import OrderState
from bcns_pipeline.state.payout_models import PayoutState
from bcns_pipeline.state.payout_views import StoredLine, payout_of
from bcns_pipeline.state.refund_models import RefundRecordRow

# So many references in one question.
_AT_ONCE = 5_000
NEAR = timedelta(minutes=15)
_CAPTURES = frozenset({"purchase", "capture", "settled"})
_REFUNDS = frozenset({LineClass.REFUND, LineClass.REFUND_RETURNED})


@dataclass(frozen=True, slots=True)
class Held:
    """A payout with its links, what NetSuite and BigCommerce hold of its lines, and what it is checked against.

    `proposed` are weak links that nobody has accepted; `listed` is the hash of the document that told of the payout.
    """

    payout: Payout = field(repr=False)
    books: Books = field(repr=False)
    evidence: Evidence = field(repr=False)
    links: Mapping[str, Link] = field(default_factory=dict, repr=False)
    proposed: Mapping[str, Link] = field(default_factory=dict, repr=False)
    listed: str = ""


def held_against(
    connections: Connections,
    one: PayoutState,
    stored: Sequence[StoredLine],
    ledger: Ledger,
    *,
    proof: bool = True,
) -> Held:
    """Everything about one payout that its plan needs; without `proof` its bytes are not read again.

    Raises OutsideError.
    """
    policy = connections.payout_policy
    sources = [doc.sha256 for doc in connections.state.payouts.documents(one)]
    told = payout_of(one, [line.line for line in stored], sources)
    classed, _ = classify(told, policy.of(one.provider, one.account).classes)
    tenders = _tenders(connections, _named(connections, classed.lines))
    found = _linked(connections, one, classed.lines, tenders)
    called = _called(connections, [line for line in classed.lines if not _by_transaction(found.get(line.id))])
    near = _near(connections, [line for line in classed.lines if line.id not in found])
    if near or called:
        tenders |= _tenders(connections, {*near, *called.values()})
        found = _linked(connections, one, classed.lines, tenders, called)
    weak = {line: made for line, made in found.items() if made.proposal}
    links = {line: made for line, made in found.items() if not made.proposal}
    links |= accepted(connections, one, weak)
    linked = replace(classed, lines=tuple(_with(line, links.get(line.id)) for line in classed.lines))
    books = _books(connections, one, linked.lines, tenders, ledger)
    evidence = Evidence(
        rows=_rows(connections, one) if proof else None,
        settled_in=dict(connections.state.payouts.elsewhere(one)),
        transactions={number: row.amount for number, row in tenders.items()},
    )
    told_by = connections.state.payouts.documents(one, role="list")
    listed = told_by[-1].sha256 if told_by else ""
    return Held(linked, books, evidence, links, proposals(weak, links), listed)


def _linked(
    connections: Connections,
    one: PayoutState,
    lines: Sequence[PayoutLine],
    tenders: Mapping[int, TenderRow],
    called: Mapping[str, int] | None = None,
) -> dict[str, Link]:
    hints = connections.payout_policy.order_hints
    index = LinkIndex(
        [_transaction(row) for row in tenders.values()],
        orders=_hinted(connections, lines, hints),
        external=called,
        taken=connections.state.payouts.taken(one, list(tenders)),
    )
    return link(lines, index, hints)


def _named(connections: Connections, lines: Sequence[PayoutLine]) -> set[int]:
    """Orders with a BigCommerce transaction that carries one of the lines' ids."""
    references = sorted({part for line in lines for ref in line.references for part in ref.split("|")})
    orders: set[int] = set()
    for start in range(0, len(references), _AT_ONCE):
        found = connections.state.cash.by_gateway_ids(references[start : start + _AT_ONCE])
        orders |= {one.order_id for some in found.values() for one in some}
    return orders


def _by_transaction(made: Link | None) -> bool:
    return made is not None and made.step in (Step.TRANSACTION, Step.REFUND)


def _called(connections: Connections, lines: Sequence[PayoutLine]) -> dict[str, int]:
    """Orders by what these lines call them: the payment's id at the provider, a marketplace's number."""
    references = sorted({part for line in lines for ref in line.references for part in ref.split("|")})
    found: dict[str, int] = {}
    for start in range(0, len(references), _AT_ONCE):
        found |= connections.state.orders.by_alias(references[start : start + _AT_ONCE])
    return found


def _near(connections: Connections, lines: Sequence[PayoutLine]) -> list[int]:
    """Orders that were paid one of these charges' amounts at about that time: candidates for a proposal."""
    charges = [line for line in lines if line.cls is LineClass.GROSS_SALES and line.occurred_at is not None]
    moments = [line.occurred_at for line in charges if line.occurred_at is not None]
    if not moments:
        return []
    amounts = {paid(line)[0] for line in charges}
    return connections.state.payouts.orders_near(amounts, min(moments) - NEAR, max(moments) + NEAR)


def _tenders(connections: Connections, orders: Collection[int]) -> dict[int, TenderRow]:
    """What was captured and given back of these orders."""
    found: dict[int, TenderRow] = {}
    numbers = sorted(orders)
    for start in range(0, len(numbers), _AT_ONCE):
        for some in connections.state.cash.tenders(numbers[start : start + _AT_ONCE]).values():
            found.update((one.transaction_id, one) for one in some if _is_money(one))
    return found


def _is_money(one: TenderRow) -> bool:
    return not one.test and one.status == "ok" and (one.event in _CAPTURES or one.event == "refund")


def _transaction(one: TenderRow) -> ShopTransaction:
    return ShopTransaction(
        id=one.transaction_id,
        order_id=one.order_id,
        refund=one.event == "refund",
        amount=one.amount.minor,
        currency=one.amount.currency,
        ids=(one.gateway_id,) if one.gateway_id else (),
        parent=one.reference_id,
        happened_at=one.happened_at,
    )


def _hinted(connections: Connections, lines: Sequence[PayoutLine], patterns: Sequence[str]) -> list[int]:
    """Orders of ours that the lines' texts may name."""
    wanted = {number for line in lines for number in _numbers(line, patterns)}
    return list(connections.state.orders.many(wanted)) if wanted else []


def _numbers(line: PayoutLine, patterns: Sequence[str]) -> Iterator[int]:
    for text in line.order_hints:
        for pattern in patterns:
            match = re.search(pattern, text)
            if match and match[1].isdecimal():
                yield int(match[1])


def _with(line: PayoutLine, made: Link | None) -> PayoutLine:
    if made is None:
        return line if line.order_id is None else replace(line, order_id=None, transaction_id=None)
    return replace(line, order_id=made.order_id, transaction_id=made.transaction_id)


def _books(
    connections: Connections,
    one: PayoutState,
    lines: Sequence[PayoutLine],
    tenders: Mapping[int, TenderRow],
    ledger: Ledger,
) -> Books:
    """What NetSuite holds of the lines, and of their orders."""
    state = connections.state
    order_ids = sorted({line.order_id for line in lines if line.order_id is not None})
    cash, refunds = _by_order(connections, order_ids)
    # A marketplace tells of no transaction: its order has one receipt, with number 0, for all parts of the sale.
    receipts = {
        (order_id, record.transaction_id): record
        for order_id, some in cash.items()
        for record in some
        if record.transaction_id is not None and record.kind != "application"
    }
    records: dict[str, CashRecord | RefundRecordRow] = {}
    used: set[str] = set()
    parts: dict[tuple[int, tuple[str, ...]], list[PayoutLine]] = defaultdict(list)
    for line in lines:
        if line.cls in _REFUNDS and line.order_id is not None:
            record = _refund_of(line, refunds.get(line.order_id, ()), tenders, used)
            if record is not None:
                used.add(record.natural_key)
                records[line.id] = record
            else:
                parts[line.order_id, line.references].append(line)
        elif (
            line.cls in SETTLES
            and line.order_id is not None
            and (receipt := receipts.get((line.order_id, line.transaction_id or 0)))
        ):
            records[line.id] = receipt
    # A marketplace gives back principal and tax by lines of their own; together they are one refund.
    for (order_id, _), some in parts.items():
        together = replace(some[0], gross=sum(line.gross for line in some))
        record = _refund_of(together, refunds.get(order_id, ()), tenders, used) if len(some) > 1 else None
        if record is not None:
            used.add(record.natural_key)
            records |= dict.fromkeys((line.id for line in some), record)
    carried = _carried(connections, one, [line for line in lines if line.foreign], records, ledger)
    booked = {}
    for identity, record in records.items():
        account = getattr(record, "read_account", None) or record.account
        if account is not None:
            booked[identity] = Booked(record.natural_key, account, carried.get(identity))
    orders = state.orders.many(order_ids)
    summarised = state.payouts.summarised(order_ids)
    channels = connections.payout_policy.summary_channels
    summary = {n: order for n, order in orders.items() if n in summarised or order.channel_id in channels}
    return Books(
        orders=_orders(connections, orders, summarised, cash, refunds),
        booked=booked,
        splits=splits_of(connections, lines, summary),
        opened=frozenset(state.payouts.opened(one, [line.id for line in lines])),
        cutover=cutover_of(connections.mapping),
        base=ledger.base,
    )


def _by_order(
    connections: Connections, order_ids: Sequence[int]
) -> tuple[dict[int, list[CashRecord]], dict[int, list[RefundRecordRow]]]:
    """What was posted for these orders: receipts and refunds."""
    state = connections.state
    cash: dict[int, list[CashRecord]] = {}
    refunds: dict[int, list[RefundRecordRow]] = {}
    for start in range(0, len(order_ids), _AT_ONCE):
        some = order_ids[start : start + _AT_ONCE]
        cash |= state.cash.records(some)
        refunds |= state.refunds.records_of_orders(some)
    return cash, refunds


def _refund_of(
    line: PayoutLine,
    records: Sequence[RefundRecordRow],
    tenders: Mapping[int, TenderRow],
    used: Collection[str],
) -> RefundRecordRow | None:
    """The settlement of a refund: by the provider's id, else the only free one of that amount."""
    free = [one for one in records if one.n > 0 and one.account is not None and one.natural_key not in used]
    names = set(line.references)
    if line.transaction_id in tenders:
        names.add(tenders[line.transaction_id].gateway_id)
    equal = [one for one in free if one.amount.minor == paid(line)[0]]
    named = [one for one in equal if names & set(one.provider_refs)]
    # Refunds of one amount can stand for one another; the oldest comes first.
    return min(named or equal, key=lambda one: (one.day, one.natural_key), default=None)


def _carried(
    connections: Connections,
    one: PayoutState,
    foreign: Sequence[PayoutLine],
    records: Mapping[str, CashRecord | RefundRecordRow],
    ledger: Ledger,
) -> dict[str, int]:
    """What NetSuite carries for foreign lines, in minor units of the payout's currency, without sign.

    NetSuite carries the subsidiary's currency; of a payout in any other one it can't be said.
    """
    known = [line.id for line in foreign if line.id in records]
    if not known or one.currency != ledger.base:
        return {}
    by_record = {int(records[line].netsuite_id): line for line in known}
    accounts = {account for line in known if (account := records[line].account) is not None}
    if not accounts:
        return {}
    rows = connections.netsuite(Lane.BULK).journals.carrying(by_record, accounts)
    return {by_record[row.transaction]: abs(Money.of(row.base, one.currency).minor) for row in rows}


def _orders(
    connections: Connections,
    orders: Mapping[int, OrderState],
    summarised: Collection[int],
    cash: Mapping[int, Sequence[CashRecord]],
    refunds: Mapping[int, Sequence[RefundRecordRow]],
) -> dict[int, OrderFacts]:
    cutover, found = cutover_of(connections.mapping), {}
    for order_id, order in orders.items():
        given_back = refunds.get(order_id, ())
        documents = [one.natural_key for one in (*cash.get(order_id, ()), *given_back)]
        if order.record_type == "cashSale":
            documents.append(f"cashSale:{order.netsuite_id}")
        found[order_id] = OrderFacts(
            id=order_id,
            channel=order.channel_id,
            documents=frozenset(documents),
            old=cutover is not None and order.placed_at < cutover,
            summarised=order_id in summarised,
            refunded=sum(one.amount.minor for one in given_back if one.n > 0),
        )
    return found


def _rows(connections: Connections, one: PayoutState) -> list[str] | None:
    """Hashes of the rows that this version was read from, read once more from its bytes; None: nothing to read."""
    received = connections.state.payouts.documents(one)
    if not received:
        return None
    documents = StoredDocuments(connections, received)
    try:
        again = connections.settlement_reader.itemised(source_of(one), documents)
    except BadFile:
        return []
    return [line.row_sha256 for line in again.lines if line.row_sha256]

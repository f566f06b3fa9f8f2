"""The books of a world, kept by the rules under test: every payout linked, planned and posted in turn.

Put here what the flow does with the rules, without a database. What comes out is held against what the world itself
expects; UNKNOWN is whatever neither entries nor open items explain.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace
from datetime import date

from bcns_pipeline.rules.payouts.books import Books, Posting
from bcns_pipeline.rules.payouts.classes import classify
from bcns_pipeline.rules.payouts.disputes import Dispute, lost
from bcns_pipeline.rules.payouts.entry import Entry, Part
from bcns_pipeline.rules.payouts.findings import Finding
from bcns_pipeline.rules.payouts.links import LinkIndex, link
from bcns_pipeline.rules.payouts.model import SETTLES, LineClass, Payout, PayoutStatus
from bcns_pipeline.rules.payouts.plan import Evidence, PayoutPlan, plan
from bcns_pipeline.rules.payouts.policy import ORDER_HINTS
from bcns_pipeline.rules.payouts.roll_forward import Item, Movement, RollForward, roll_forward
from bcns_pipeline.rules.payouts.stage import failed
from bcns_pipeline_tests.rules.payouts.examples import POLICY, STRIPE
from bcns_pipeline_tests.rules.payouts.lives import BEGIN, CLEARING, LAST, Ledger, World


@dataclass
class Kept:
    """The ledger, its entries by external id, and what was found on the way."""

    ledger: Ledger
    entries: dict[str, Entry] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    items: list[tuple[str, Item]] = field(default_factory=list)
    settled_in: dict[str, str] = field(default_factory=dict)
    waiting: list[str] = field(default_factory=list)
    taken: set[int] = field(default_factory=set)
    carried: dict[int, int] = field(default_factory=dict)

    def codes(self) -> set[str]:
        """Codes that were found."""
        return {one.code for one in self.findings}

    def naming(self, code: str) -> set[str]:
        """The members of all findings of a code."""
        return {member for one in self.findings if one.code == code for member in one.members}

    def roll(self, currency: str, ledger: int | None = None) -> RollForward:
        """The clearing account's roll-forward in a currency; the ledger's own figure unless a test says another."""
        shown = self.ledger[CLEARING, currency] if ledger is None else ledger
        items = [item for of, item in self.items if of == currency]
        return roll_forward(CLEARING, currency, items, BEGIN.date(), LAST, ledger=shown)

    def unknown(self, world: World) -> int:
        """What is off, all accounts and currencies together, in minor units without sign; 0 is the only good one."""
        accounts = world.expected.keys() | self.ledger.keys()
        off = sum(abs(self.ledger[one] - world.expected[one]) for one in accounts)
        return off + sum(abs(self.roll(currency).unexplained) for currency in {of for _, of in accounts})


def linked(payout: Payout, index: LinkIndex, taken: Set[int]) -> Payout:
    """With orders and transactions, as far as they are proven."""
    classed, _ = classify(payout)
    links = link(classed.lines, index, ORDER_HINTS, taken)
    return replace(
        classed,
        lines=tuple(
            replace(line, order_id=links[line.id].order_id, transaction_id=links[line.id].transaction_id)
            if line.id in links and not links[line.id].proposal
            else line
            for line in classed.lines
        ),
    )


def planned(payout: Payout, world: World, kept: Kept, rows: list[str]) -> PayoutPlan:
    """The plan of a linked payout, held against what is known."""
    booked = {
        line.id: world.posted[line.transaction_id]
        for line in payout.lines
        if line.cls in SETTLES and line.transaction_id in world.posted
    }
    evidence = Evidence(rows=rows, settled_in=kept.settled_in, transactions=world.amounts)
    return plan(payout, POLICY, Books(booked=booked), Posting(payout.arrival_date), evidence)


def keep(world: World, rows: Mapping[str, list[str]] | None = None) -> Kept:
    """Everything posted that may be. `rows`: raw rows of payouts that are not those of their lines."""
    kept = Kept(Counter(world.ledger))
    for transaction, (currency, amount, day, order) in world.records.items():
        way = Movement.CAPTURE if amount > 0 else Movement.REFUND
        kept.items.append((currency, Item(str(transaction), way, amount, day, order)))
        kept.carried[transaction] = -amount
    index = LinkIndex(world.transactions)
    for one in world.payouts:
        raw = (rows or {}).get(one.id) or [line.raw_sha256 for line in one.lines]
        made = planned(linked(one, index, kept.taken), world, kept, raw)
        kept.findings += made.findings
        if not made.postable:
            kept.waiting.append(one.id)
            continue
        kept.taken |= {line.transaction_id for line in made.payout.lines if line.transaction_id is not None}
        kept.settled_in.update({line.id: one.id for line in one.lines})
        for entry in made.entries:
            _post(kept, entry, made.payout)
            if one.id in world.failed:
                _fail(kept, replace(one, status=PayoutStatus.FAILED), entry, world.failed[one.id])
    for identity, order, currency, amount, day in world.lost:
        entry = lost(Dispute("stripe", "acct1", identity, order, currency, amount, day), STRIPE, day)
        assert entry is not None
        _book(kept, entry)
    return kept


def _fail(kept: Kept, payout: Payout, first: Entry, day: date) -> None:
    second = failed(payout, first, STRIPE, day)
    assert isinstance(second, Entry)
    _book(kept, second)


def _post(kept: Kept, entry: Entry, payout: Payout) -> None:
    _book(kept, entry)
    of_line = {line.id: line for line in payout.lines}
    for leg in entry.lines:
        if leg.account != CLEARING or leg.part is not Part.GROSS:
            continue
        back = leg.cls in (LineClass.REFUND, LineClass.REFUND_RETURNED)
        way = Movement.REFUND_SETTLED if back else Movement.CHARGE_SETTLED
        # What each member took out is in the entry only as a sum; foreign ones took what was carried.
        left = leg.signed
        for member in leg.members:
            line = of_line[member]
            share = kept.carried.get(line.transaction_id or 0, -line.gross)
            left -= share
            key = str(line.transaction_id or line.id)
            kept.items.append((entry.currency, Item(key, way, share, entry.day, line.order_id)))
        assert left == 0


def _book(kept: Kept, entry: Entry) -> None:
    assert entry.balanced
    assert entry.key not in kept.entries, "posted twice"
    kept.entries[entry.key] = entry
    for leg in entry.lines:
        kept.ledger[leg.account, entry.currency] += leg.signed

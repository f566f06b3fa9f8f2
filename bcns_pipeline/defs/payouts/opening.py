"""The opening balance: what a provider held at the cutover, taken over once.

Put here which lines are open at the cutover, and how they become an entry. Do not put wording here (cli/opening.py).
Lines of before the cutover were booked by whoever kept the books before. Those that no payout had settled by then are
in the provider's balance at the cutover; they are listed, tied to that balance, and moved from the pre-cutover account
into the clearing account, so that the clearing account begins with what the provider holds. Lines that were posted
before the opening balance was taken were settled through the pre-cutover account, and are listed as such.
"""

from dataclasses import dataclass, field
from datetime import date, datetime

from bcns_pipeline.clients.payments.models import PayoutSource
from bcns_pipeline.defs.payouts.drafting import CODE_VERSION
from bcns_pipeline.defs.payouts.drafts import amount_of, make
from bcns_pipeline.defs.payouts.inputs import keep_mapping
from bcns_pipeline.defs.payouts.ledger import Ledger
from bcns_pipeline.defs.payouts.run import FLOW, JOURNAL
from bcns_pipeline.defs.stored import StoredDocuments, receive
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.natural_keys import settlement_key
from bcns_pipeline.rules.payouts.accounts import ProviderAccounts, Role
from bcns_pipeline.rules.payouts.classes import classify
from bcns_pipeline.rules.payouts.entry import Entry, EntryKind, Part, line_of
from bcns_pipeline.rules.payouts.model import SETTLES, PayoutLine
from bcns_pipeline.state.operations import Intent, Operation
from bcns_pipeline.state.payout_models import OpeningItem, PayoutState


@dataclass(frozen=True, slots=True)
class Opening:
    """One merchant account in one currency. `open` are lines to take over, `through` those settled already.

    `balance` is what the provider held at the cutover, None where it does not say; amounts are minor units.
    """

    provider: str
    account: str
    currency: str
    at: datetime
    open: tuple[PayoutLine, ...] = field(repr=False)
    through: tuple[PayoutLine, ...] = field(repr=False)
    balance: int | None

    @property
    def net(self) -> int:
        """What all lines of before the cutover come to that were paid out after it."""
        return sum(line.net for line in (*self.open, *self.through))

    @property
    def unexplained(self) -> int | None:
        """The provider's balance less what is known of it: not paid out yet, or not told."""
        return None if self.balance is None else self.balance - self.net

    @property
    def gross(self) -> int:
        """What the clearing account takes over."""
        return sum(line.gross for line in self.open)


def openings(connections: Connections, cutover: datetime, provider: str = "") -> list[Opening]:
    """What each provider held at the cutover, by what its payouts say since. Raises OutsideError."""
    state, policy = connections.state, connections.payout_policy
    sources = {(one.provider, one.account): one for one in connections.payout_sources()}
    lines: dict[tuple[str, str, str], tuple[list[PayoutLine], list[PayoutLine]]] = {}
    for one in state.payouts.having(since=cutover.date()):
        if (provider and one.provider != provider) or one.version == 0:
            continue
        told = state.payouts.reads(one)
        classed, _ = classify(told, policy.of(one.provider, one.account).classes)
        for line in classed.lines:
            if line.cls in SETTLES and line.occurred_at is not None and line.occurred_at < cutover:
                both = lines.setdefault((one.provider, one.account, line.currency), ([], []))
                both[1 if _is_past(one) else 0].append(line)
    found = []
    for (name, account, currency), (open_, through) in sorted(lines.items()):
        source = sources.get((name, account))
        balance = None if source is None else _balance(connections, source, cutover, currency)
        found.append(Opening(name, account, currency, cutover, tuple(open_), tuple(through), balance))
    return found


def apply_opening(
    connections: Connections, one: Opening, day: date, ledger: Ledger, *, reason: str, actor: str
) -> Operation | None:
    """Remember the open lines and stage the entry; None where that was done before."""
    state = connections.state
    accounts = connections.payout_policy.book.of(one.provider, one.account)
    entry = None if accounts is None else entry_of(one, accounts, day)
    if entry is None:
        return None
    made = make(
        entry,
        ledger,
        connections.payout_policy,
        payout=None,
        version=1,
        numbers={},
        inputs={"cutover": one.at.isoformat(), "lines": len(one.open)},
        mapping_digest=keep_mapping(connections),
        code_version=CODE_VERSION,
    )
    items = [
        OpeningItem(one.provider, one.account, line.id, one.currency, line.category, line.gross, line.net,
                    line.occurred_at, line.references, line.raw_sha256)
        for line in one.open
    ]  # fmt: skip
    payload = {
        "body": made.body,
        "payout": None,
        "subject": f"opening:{one.provider}/{one.account}/{one.currency}",
        "kind": "opening",
        "body_sha256": made.journal.body_sha256,
    }
    amount = amount_of(entry)
    intent = Intent(JOURNAL, entry.key, payload, amount_minor=amount.minor, currency=amount.currency)
    with state.scope.transaction() as conn:
        if state.payouts.journal(entry.key, conn=conn) is not None:
            return None
        state.payouts.open_with(items, actor=actor, reason=reason, conn=conn)
        state.payouts.plan_journal(made.journal, {}, conn=conn)
        staged = state.outbox.stage(FLOW, [intent], conn=conn)
    return staged[0] if staged else None


def entry_of(one: Opening, accounts: ProviderAccounts, day: date) -> Entry | None:
    """From the pre-cutover account into the clearing account; captures and refunds are separate lines."""
    clearing = accounts.at(Role.CLEARING, one.currency, day)
    before = accounts.at(Role.PRE_CUTOVER, one.currency, day)
    if clearing is None or before is None or not one.open:
        return None
    lines = []
    for came, what in ((True, "captures"), (False, "refunds")):
        some = [line for line in one.open if (line.gross > 0) is came and line.gross]
        if not some:
            continue
        memo = f"open {what} at the cutover, {len(some)}"
        members = [(line.id, line.raw_sha256, line.gross) for line in some]
        amount = sum(line.gross for line in some)
        lines.append(line_of(clearing, Role.CLEARING, Part.GROSS, None, amount, memo, members))
        lines.append(line_of(before, Role.PRE_CUTOVER, Part.GROSS, None, -amount, memo, members))
    return Entry(
        key=settlement_key(one.provider, one.account, "opening", one.currency),
        kind=EntryKind.OPENING,
        provider=one.provider,
        account=one.account,
        subject=f"opening balance {one.currency}",
        currency=one.currency,
        day=day,
        economic_day=day,
        memo=f"{one.provider} opening balance at {one.at.date().isoformat()}",
        lines=tuple(lines),
        subsidiary=accounts.subsidiary,
    )


def _is_past(one: PayoutState) -> bool:
    """Whether its lines went through the pre-cutover account already."""
    return one.posted or one.status in ("failed", "reversed")


def _balance(connections: Connections, source: PayoutSource, at: datetime, currency: str) -> int | None:
    received = [receive(connections, document) for document in source.balance(at)]
    told = source.read_balances(StoredDocuments(connections, received), [at])
    return dict(told[0].amounts).get(currency, 0) if told else None

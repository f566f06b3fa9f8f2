"""Drafts: what each payout would become, one after the other, with what all of them share read once.

Put here how one payout is taken from its lines to its entries. Do not put rules here (rules/payouts), nor what a plan
remembers (`planning.py`). One payout's lines lie in memory at a time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version as installed
from typing import Any

from bcns_pipeline.defs.payouts.drafts import Draft, Made, Outcome, causes, days_of, make, outcome_of
from bcns_pipeline.defs.payouts.entries import as_entry
from bcns_pipeline.defs.payouts.inputs import inputs_of, keep_mapping
from bcns_pipeline.defs.payouts.ledger import Ledger, ledger_of
from bcns_pipeline.defs.payouts.linking import Held, held_against
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.payouts.books import Posting
from bcns_pipeline.rules.payouts.entry import Entry
from bcns_pipeline.rules.payouts.findings import Finding
from bcns_pipeline.rules.payouts.model import Payout
from bcns_pipeline.rules.payouts.periods import Period, posting_day
from bcns_pipeline.rules.payouts.plan import plan
from bcns_pipeline.rules.payouts.policy import PayoutPolicy
from bcns_pipeline.rules.payouts.stage import Action, corrected, failed, reversal, step
from bcns_pipeline.state.payout_models import Journal, LineLink, PayoutState
from bcns_pipeline.state.payout_views import StoredLine

# A provider that has not itemised a payout after so long is asked about.
LATE = timedelta(days=3)
CODE_VERSION = installed("bcns-pipeline")


@dataclass(slots=True)
class Drafting:
    """What the drafts of one run share. `mapping_digest` names the payouts section as it was stored, `open_keys` the
    entries that are written down and not settled yet.
    """

    connections: Connections
    policy: PayoutPolicy
    ledger: Ledger
    today: date
    mapping_digest: str
    journals: Mapping[int, list[Journal]] = field(repr=False)
    open_keys: frozenset[str] = frozenset()
    calls: int = 0

    @property
    def newest(self) -> date:
        """The newest day that an entry may carry without being still to come: providers write their days in UTC, which
        in an American evening are a day ahead of the store's."""
        return max(self.today, datetime.now(UTC).date())

    def draft(self, one: PayoutState) -> Draft:
        """What becomes of one payout. Raises OutsideError."""
        payouts = self.connections.state.payouts
        mine = self.journals.get(one.id, [])
        live = [journal for journal in mine if _is_live(journal)]
        head = payouts.reads(one, details=False)
        if one.version == 0 and one.itemisation == "complete" and not live:
            return self._wait(one, "What it is made of was not read yet.")
        taken_back = any(journal.kind == "payout" and journal.reversed_by for journal in mine)
        said = step(
            head, posted=bool(live), failure_posted=_failure_posted(mine, live), taken_back=taken_back
        )
        match said.action:
            case Action.POST:
                return self._post(one, mine)
            case Action.WAIT:
                return self._wait(one, said.reason)
            case Action.FAIL:
                return self._follow(one, head, live, said.reason, fails=True)
            case Action.REVERSE:
                return self._follow(one, head, live, said.reason, fails=False)
            case Action.NOTHING:
                return Draft(one, Outcome.NOTHING, said.reason)

    def _post(self, one: PayoutState, mine: Sequence[Journal]) -> Draft:
        stored = self.connections.state.payouts.lines(one)
        held = held_against(self.connections, one, stored, self.ledger)
        day = posting_day(
            f"Payout {one.payout_id}", one.arrival_date, self._periods(), self.policy, self.newest
        )
        if isinstance(day, Finding):
            posting, against = Posting(one.arrival_date), [day]
        else:
            posting, against = Posting(day.day), [day.finding] if day.finding else []
        made_of = plan(held.payout, self.policy, held.books, posting, held.evidence)
        findings = [*against, *made_of.findings, *self._unusable(one, made_of.entries)]
        if one.source_status == "failed":
            findings.append(_failed(one))
        findings = causes(findings)
        outcome, reason = outcome_of(findings)
        links = links_of(stored, held, made_of.payout)
        draft = Draft(
            one,
            outcome,
            reason,
            findings=findings,
            links=links,
            lines=sum(bool(line.raw_sha256) for line in made_of.payout.lines),
            counted=sum(line.counts and bool(line.gross or line.fee) for line in made_of.payout.lines),
            rows=len(held.evidence.rows or ()),
            proposed=held.proposed,
        )
        if outcome is Outcome.PLANNED:
            numbers = {line.line.id: line.number for line in stored}
            inputs = inputs_of(one.version, held, made_of, posting, self.ledger.currencies)
            version = 1 + sum(journal.kind == "payout" and journal.sent_at is not None for journal in mine)
            for entry in made_of.entries:
                draft.made.append(self._make(corrected(entry, version), one, numbers, inputs))
        return draft

    def _wait(self, one: PayoutState, reason: str) -> Draft:
        if self.today - one.arrival_date > LATE:
            said = f"Payout {one.payout_id} arrived on {one.arrival_date}. {reason}"
            late = Finding("PAYOUT_LATE", said, blocks=True)
            return Draft(one, Outcome.WAITING, reason, findings=[late])
        return Draft(one, Outcome.WAITING, reason)

    def _follow(
        self, one: PayoutState, head: Payout, live: Sequence[Journal], reason: str, *, fails: bool
    ) -> Draft:
        """The entry that follows from a failure, or takes back what a called-off payout posted."""
        accounts = self.policy.book.of(one.provider, one.account)
        happened = head.failed_on or self.today
        day = posting_day(f"Payout {one.payout_id}", happened, self._periods(), self.policy, self.newest)
        if isinstance(day, Finding):
            return Draft(one, Outcome.HELD, reason, findings=[day])
        if accounts is None:
            return Draft(one, Outcome.HELD, reason)
        draft = Draft(one, Outcome.PLANNED, reason, findings=[_failed(one)] if fails else [])
        for journal in live:
            first = as_entry(journal.entry)
            if fails and not first.bank:
                continue
            if fails:
                made = failed(head, first, accounts, day.day, head.failed_on)
                if isinstance(made, Finding):
                    return Draft(one, Outcome.HELD, made.message, findings=[made])
            else:
                made = reversal(first, day.day, version_of(journal))
            reverses = None if fails else journal.natural_key
            draft.made.append(
                self._make(made, one, {}, {**journal.inputs, "of": journal.natural_key}, reverses)
            )
        return draft

    def _make(
        self,
        entry: Entry,
        one: PayoutState,
        numbers: Mapping[str, int],
        inputs: Mapping[str, Any],
        reverses: str | None = None,
    ) -> Made:
        return make(
            entry,
            self.ledger,
            self.policy,
            payout=one.id,
            version=one.version,
            numbers=numbers,
            inputs=inputs,
            mapping_digest=self.mapping_digest,
            code_version=CODE_VERSION,
            reverses=reverses,
        )

    def _unusable(self, one: PayoutState, entries: Sequence[Entry]) -> list[Finding]:
        wanted = {line.account for entry in entries for line in entry.lines}
        return [
            Finding(
                "ACCOUNT_UNUSABLE",
                f"Payout {one.payout_id}: NetSuite's account {account} {why}.",
                blocks=True,
                check="FI5",
            )
            for account, why in self.ledger.unusable(wanted).items()
        ]

    def _periods(self) -> list[Period]:
        return [
            Period(row.name, row.start, row.end, closed=row.closed, locked=row.locked)
            for row in self.ledger.periods
        ]


def drafting(
    connections: Connections,
    found: Sequence[PayoutState],
    today: date,
    open_keys: frozenset[str] = frozenset(),
) -> Drafting:
    """What is needed for these payouts: nothing is asked of NetSuite where there are none."""
    policy = connections.payout_policy
    accounts = {
        account
        for one in {(state.provider, state.account) for state in found}
        if (book := policy.book.of(*one)) is not None
        for chart in book.charts
        for account in (*chart.accounts.values(), *chart.categories.values())
    }
    return Drafting(
        connections,
        policy,
        ledger_of(connections, accounts, days_of(found, today) if found else ()),
        today,
        keep_mapping(connections),
        _by_payout(connections.state.payouts.journals({one.id for one in found}) if found else []),
        open_keys,
    )


def version_of(journal: Journal) -> int:
    """Which version of its payout's entry a journal is, by its key."""
    _, dash, number = journal.natural_key.rpartition("-v")
    return int(number) if dash and number.isdecimal() else 1


def links_of(stored: Sequence[StoredLine], held: Held, classed: Payout) -> list[LineLink]:
    """What the lines mean and which orders they are of, of those that stand otherwise in the state."""
    found = []
    for old, new in zip(stored, classed.lines, strict=True):
        made, booked = held.links.get(new.id), held.books.booked.get(new.id)
        step = None if made is None else made.step.value
        record = None if booked is None else booked.record
        carrying = None if booked is None else booked.carrying
        number, order_id, transaction_id = old.number, new.order_id, new.transaction_id
        now = LineLink(number, new.cls.value, order_id, transaction_id, step, record, carrying)
        before = LineLink(
            number, old.line.cls.value, old.line.order_id, old.line.transaction_id, old.step,
            old.journal_key, old.carrying,
        )  # fmt: skip
        if now != before:
            found.append(now)
    return found


def _failed(one: PayoutState) -> Finding:
    said = f"Payout {one.payout_id} failed; its money is on its way back to {one.provider}."
    amount = Money(one.amount_minor, one.currency)
    return Finding("PAYOUT_FAILED", said, blocks=False, amount=amount)


def _is_live(journal: Journal) -> bool:
    return journal.kind == "payout" and journal.sent_at is not None and journal.reversed_by is None


def _failure_posted(mine: Sequence[Journal], live: Sequence[Journal]) -> bool:
    if any(one.kind == "failed" and one.sent_at is not None for one in mine):
        return True
    return any(
        line["role"] == "returned_payouts" and line["part"] == "bank"
        for one in live
        for line in one.entry["lines"]
    )


def _by_payout(journals: Sequence[Journal]) -> dict[int, list[Journal]]:
    found: dict[int, list[Journal]] = {}
    for one in journals:
        if one.payout is not None:
            found.setdefault(one.payout, []).append(one)
    return found

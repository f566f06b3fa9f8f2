"""One payout from its lines to its entries, with everything that stands against posting it.

Put here the order in which the rules are asked. Do not put a rule here: each is in its own module beside this one.
A payout that is stopped stops no other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.payouts import fx, invariants
from bcns_pipeline.rules.payouts.books import Books, Posting, Treatment
from bcns_pipeline.rules.payouts.classes import classify
from bcns_pipeline.rules.payouts.entry import Entry
from bcns_pipeline.rules.payouts.findings import Finding, blocking
from bcns_pipeline.rules.payouts.journal import journal
from bcns_pipeline.rules.payouts.model import Payout
from bcns_pipeline.rules.payouts.modes import disputed_after_refund, treatments
from bcns_pipeline.rules.payouts.policy import PayoutPolicy


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a payout is held against.

    `rows` are hashes of the raw rows and `aside` those of them that are no lines; None: not looked at. `settled_in`:
    other payouts by ids of their lines. `transactions`: BigCommerce's amounts by transaction. `live`: external ids of
    live entries of this payout in NetSuite.
    """

    rows: Sequence[str] | None = None
    aside: Sequence[str] = ()
    settled_in: Mapping[str, str] = field(default_factory=dict)
    transactions: Mapping[int, Money] = field(default_factory=dict)
    live: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class PayoutPlan:
    """The payout with the classes of its lines, its entries, and what was found.

    The entries are shown even where something stops them; `postable` says whether they may be posted.
    """

    payout: Payout
    treatments: Mapping[str, Treatment]
    entries: tuple[Entry, ...]
    findings: tuple[Finding, ...]

    @property
    def postable(self) -> bool:
        """Whether nothing stops it."""
        return not blocking(self.findings)


def plan(
    payout: Payout, policy: PayoutPolicy, books: Books, posting: Posting, evidence: Evidence | None = None
) -> PayoutPlan:
    """Everything about one payout; the same input gives the same plan, whatever the order of lines."""
    given = evidence or Evidence()
    classed, _ = classify(payout, policy.of(payout.provider, payout.account).classes)
    treated, found = treatments(classed, books, policy)
    accounts = policy.book.of(payout.provider, payout.account)
    if accounts is None:
        nobody = Finding(
            "PAYOUT_ACCOUNT_UNMAPPED",
            f"Payout {payout.id}: payouts.providers has no {payout.provider} account {payout.account!r}.",
            blocks=True,
            check="FI5",
        )
        return PayoutPlan(classed, treated, (), (nobody,))
    made = journal(classed, accounts, books, treated, posting)
    found += [*made.findings, *fx.findings(classed, books, treated, policy)]
    found += invariants.of_the_payout(classed)
    found += invariants.of_the_entries(classed, made.entries)
    found += _against(classed, policy, books, given)
    return PayoutPlan(classed, treated, made.entries, tuple(found))


def _against(payout: Payout, policy: PayoutPolicy, books: Books, given: Evidence) -> list[Finding]:
    found = [
        *invariants.fi6_amounts_are_the_shops(payout, given.transactions),
        *invariants.fi9_in_no_other_payout(payout, given.settled_in),
        *invariants.fi11_fees_are_as_agreed(payout, policy.of(payout.provider, payout.account).fee_band),
        *disputed_after_refund(payout, books),
    ]
    if given.rows is not None:
        found += invariants.fi10_rows_are_lines(payout, given.rows, given.aside)
    if len(given.live) > 1:
        found += invariants.fi8_one_live_entry(payout.id, given.live, posted=True)
    return found

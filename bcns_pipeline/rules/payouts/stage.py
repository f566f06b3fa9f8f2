"""What is to be done about a payout now: post it, wait, leave it, or undo what was posted.

Put here what a payout's status means for its entries. Do not put sums here (`journal.py`). A payout that was paid
may fail up to five business days later, and nothing that was posted is ever edited or deleted (facts/finance.md 2.6).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.natural_keys import failed_key, reversal_key, version_key
from bcns_pipeline.rules.payouts.accounts import ProviderAccounts, Role
from bcns_pipeline.rules.payouts.entry import Entry, EntryKind, Part, line_of, reversed_lines
from bcns_pipeline.rules.payouts.findings import Finding
from bcns_pipeline.rules.payouts.model import Itemisation, Payout, PayoutStatus


class Action(StrEnum):
    """What to do."""

    POST = "post"
    WAIT = "wait"
    NOTHING = "nothing"
    # A second entry: the money that the first one put in the bank is on its way back.
    FAIL = "fail"
    REVERSE = "reverse"


@dataclass(frozen=True, slots=True)
class Step:
    """An action with its reason, one sentence."""

    action: Action
    reason: str


def step(payout: Payout, *, posted: bool, failure_posted: bool = False, taken_back: bool = False) -> Step:
    """`posted`: an entry of it is live in NetSuite. `failure_posted`: the second one of a failed payout is as well,
    or the live one went to the account of returned payouts. `taken_back`: an earlier entry was reversed.
    """
    status = payout.status
    if status is PayoutStatus.CANCELED:
        if posted and failure_posted:
            return Step(Action.NOTHING, "It was cancelled, and that is posted.")
        if posted:
            return Step(Action.REVERSE, "It was cancelled after it was posted.")
        if taken_back:
            return Step(
                Action.POST, "It was cancelled; its charges are settled, and a later payout brings the money."
            )
        return Step(Action.NOTHING, "It was cancelled.")
    if status is PayoutStatus.FAILED and posted:
        if failure_posted:
            return Step(Action.NOTHING, "It failed, and that is posted.")
        return Step(Action.FAIL, "It failed after it was posted.")
    if posted:
        return Step(Action.NOTHING, "It is posted.")
    if status in (PayoutStatus.PENDING, PayoutStatus.IN_TRANSIT):
        return Step(Action.WAIT, f"It is {status.value.replace('_', ' ')}, and not paid yet.")
    if payout.itemisation is Itemisation.PENDING:
        return Step(Action.WAIT, "The provider has not itemised it yet.")
    if status is PayoutStatus.FAILED:
        return Step(Action.POST, "It failed; its charges are settled, and the money comes back.")
    return Step(Action.POST, "It was paid.")


def failed(
    payout: Payout, first: Entry, accounts: ProviderAccounts, day: date, failed_on: date | None = None
) -> Entry | Finding:
    """The second entry of a payout that failed after its entry `first` was posted: the bank gives the money back,
    and the account of returned payouts holds it until a later payout brings it.

    A Finding where the merchant named no such account.
    """
    bank = next((line for line in first.lines if line.part is Part.BANK), None)
    happened = failed_on or payout.failed_on or day
    returned = accounts.at(Role.RETURNED_PAYOUTS, payout.currency, happened)
    if returned is None or bank is None:
        return Finding(
            "PAYOUT_ACCOUNT_UNMAPPED",
            f"Payout {payout.id} failed, and payouts.providers names no returned_payouts account of "
            f"{payout.provider} {payout.account} in {payout.currency}.",
            blocks=True,
            check="FI5",
            amount=Money(payout.amount, payout.currency),
        )
    memo = f"payout that failed, {payout.id}"
    lines = (
        line_of(returned, Role.RETURNED_PAYOUTS, Part.BANK, None, bank.signed, memo),
        line_of(bank.account, Role.BANK, Part.BANK, None, -bank.signed, memo),
    )
    return replace(
        first,
        key=failed_key(first.key),
        kind=EntryKind.FAILED,
        day=day,
        economic_day=happened,
        memo=f"{first.memo}, failed",
        lines=lines,
    )


def reversal(first: Entry, day: date, version: int = 1, kind: EntryKind = EntryKind.REVERSAL) -> Entry:
    """The entry that undoes `first`, which stays as it is. `version` is that of `first`."""
    return replace(
        first,
        key=reversal_key(version_base(first.key, version), version),
        kind=kind,
        day=day,
        memo=f"{first.memo}, reversed",
        lines=reversed_lines(first.lines),
        reverse_on=None,
    )


def corrected(entry: Entry, version: int) -> Entry:
    """The same entry as version 2 or later, after the one before was reversed."""
    return replace(entry, key=version_key(entry.key, version))


def version_base(key: str, version: int) -> str:
    """The key of the first version."""
    return key.removesuffix(f"-v{version}") if version > 1 else key

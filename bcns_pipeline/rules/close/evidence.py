"""What NetSuite and the providers say of clearing accounts, beside what our own records come to; differences by name.

Put the comparison here. Do not put reads here, nor the layout of the report (clearing.py). Amounts are minor units of
one currency, a debit positive. Where somebody can't say or was not asked, that is said, and nothing is claimed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from bcns_pipeline.rules.close.names import NOBODY, Names, called
from bcns_pipeline.rules.close.stored_value import Liabilities
from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.payouts.findings import Finding
from bcns_pipeline.rules.payouts.invariants import fi7_clearing_is_the_balance
from bcns_pipeline.rules.payouts.roll_forward import Item, Movement, RollForward

NETSUITE = "netsuite"
# What was asked record by record, once something was left over.
RECORDS = "netsuite/records"
LEDGER_NOT_ASKED = "ledger: not asked (what others book on the account in NetSuite is not in our own records)"
NOT_EVIDENCED = "provider balance: not evidenced"
# Account and currency.
Where = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Ledger:
    """What NetSuite says of one account in one currency: what posts, and what waits for approval; None: not asked."""

    posted: int | None = None
    waiting: int | None = None
    # What posts in each subsidiary, where it is more than one; they add up to `posted`.
    subsidiaries: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Provider:
    """What the providers of one account say that they hold, and what stands between that and the ledger.

    `balance` is None where one of them can't say. `parts` are the known reasons why the ledger shows more than the
    balance. `open` counts booked records that no payout has named: their fees are not known yet. `foreign`: lines that
    are in no entry of the ledger yet were booked in another currency, so the two can't be compared in this one.
    """

    balance: int | None = None
    parts: Mapping[str, int] = field(default_factory=dict)
    open: int = 0
    foreign: bool = False

    def with_another(self, other: Provider) -> Provider:
        """Of two providers that share an account; without one balance there is none of both."""
        both = None if self.balance is None or other.balance is None else self.balance + other.balance
        names = {**self.parts, **other.parts}
        parts = {name: self.parts.get(name, 0) + other.parts.get(name, 0) for name in names}
        return Provider(both, parts, max(self.open, other.open), self.foreign or other.foreign)

    @property
    def proves(self) -> bool:
        """Whether a rest is unexplained, and not only not known yet."""
        return self.balance is not None and not self.open and not self.foreign


@dataclass(frozen=True, slots=True)
class Outside:
    """All that was said about the end of one day. `others` are rows of what nobody of ours has booked.

    `differing` are records that were found to be otherwise in NetSuite, once something was left over.
    """

    ledger: Mapping[Where, Ledger] | None = None
    others: Sequence[Mapping[str, Any]] = ()
    providers: Mapping[Where, Provider] = field(default_factory=dict)
    differing: Sequence[Mapping[str, Any]] = ()
    liabilities: Liabilities | None = None
    notes: tuple[str, ...] = (LEDGER_NOT_ASKED,)

    def of_ledger(self, where: Where) -> Ledger:
        """What NetSuite says of an account; 0 where it was asked and shows nothing."""
        return Ledger() if self.ledger is None else self.ledger.get(where, Ledger(0, 0))

    def differ_on(self, where: Where) -> list[Mapping[str, Any]]:
        """The records of this account that differ."""
        return [row for row in self.differing if (row["account"], row["currency"]) == where]

    def items(self) -> Iterator[tuple[Where, Item]]:
        """What others have booked, as movements of the roll-forward."""
        for row in self.others:
            yield (
                (row["account"], row["currency"]),
                Item(
                    f"{row['type']} {row['number'] or row['id']}",
                    Movement.FOREIGN,
                    row["amount"],
                    date.fromisoformat(row["day"]),
                    None,
                    str(row["id"]),
                    row["posting"],
                ),
            )


def ledger_of(rows: Iterable[Mapping[str, Any]]) -> dict[Where, Ledger]:
    """NetSuite's balances by account and currency; where there are several subsidiaries, each by itself as well."""
    sums: dict[Where, list[int]] = defaultdict(lambda: [0, 0])
    parts: dict[Where, dict[int, int]] = defaultdict(dict)
    for row in rows:
        where = (row["account"], row["currency"])
        sums[where][not row["posting"]] += row["amount"]
        if row["posting"] and row["subsidiary"] is not None:
            of = parts[where]
            of[row["subsidiary"]] = of.get(row["subsidiary"], 0) + row["amount"]
    several = {where: dict(sorted(found.items())) for where, found in parts.items() if len(found) > 1}
    return {
        where: Ledger(posted, waiting, several.get(where, {})) for where, (posted, waiting) in sums.items()
    }


def not_ours(rows: Iterable[Mapping[str, Any]], ours: Collection[int]) -> list[Mapping[str, Any]]:
    """What has no key of ours, without the records that we have taken for an order's (adopted ones)."""
    return [row for row in rows if row["id"] not in ours]


def differing(
    shown: Iterable[Mapping[str, Any]],
    ours: Mapping[tuple[int, int, str], tuple[str, int]],
    accounts: Collection[int],
) -> list[dict[str, Any]]:
    """Records that NetSuite shows otherwise than we booked them, does not show, or shows and we do not know.

    `shown`: rows with NetSuite's id, account, currency and amount; `ours`: {those three: (natural key, amount)}. What
    only comes to 0 on both sides is no difference.
    """
    there = {(row["id"], row["account"], row["currency"]): row for row in shown}
    found = []
    for place in sorted(there.keys() | ours.keys()):
        number, account, currency = place
        if account not in accounts:
            continue
        row = there.get(place)
        key, booked = ours.get(place, ("", 0))
        amount = 0 if row is None else row["amount"]
        if amount != booked:
            name = key or f"{row['type']} {row['number']}" if row is not None else key
            found.append(
                {
                    "id": number,
                    "account": account,
                    "currency": currency,
                    "name": name,
                    "netsuite": amount,
                    "ours": booked,
                }
            )
    return found


def explained(found: RollForward, provider: Provider) -> dict[str, int]:
    """Why the ledger shows more than the provider holds: what is known of payouts, and what others booked."""
    odd = {Movement.FOREIGN, Movement.OTHER_SETTLED, Movement.OPENING}
    booked = sum(
        one.amount
        for one in found.open_items
        if odd.issuperset(one.movements) and one.key not in found.awaiting_keys
    )
    return {**provider.parts, "booked by others, and other movements of entries": booked}


def _named(rows: Sequence[Mapping[str, Any]], most: int = 5) -> str:
    if not rows:
        return ""
    told = [
        f"{row['name']} is {Money(row['netsuite'], row['currency'])} there and "
        f"{Money(row['ours'], row['currency'])} here"
        for row in rows[:most]
    ]
    more = f", and {len(rows) - most} more" if len(rows) > most else ""
    return f": {', '.join(told)}{more}"


def unexplained(
    found: Sequence[RollForward], outside: Outside, names: Names = NOBODY
) -> list[tuple[Where, Finding]]:
    """FI7: what NetSuite shows beyond items and approvals, and what the provider's balance leaves over.

    `names`: what people call the accounts.
    """
    told: list[tuple[Where, Finding]] = []
    for one in found:
        where = (one.account, one.currency)
        if one.unexplained:
            left = Money(one.unexplained, one.currency)
            known = Money(one.closing - one.awaiting, one.currency)
            there = Money(one.settled_ledger or 0, one.currency)
            said = (
                f"Account {called(names, one.account)}: NetSuite shows {there} at the end of {one.last}, our records "
                f"and what others booked come to {known}; "
                f"{left} is not explained{_named(outside.differ_on(where))}."
            )
            told.append((where, Finding("CLEARING_UNEXPLAINED", said, False, "FI7", (), left)))
            continue
        provider = outside.providers.get(where)
        shown = one.settled_ledger
        if shown is None or provider is None or not provider.proves:
            continue
        parts = Money(sum(explained(one, provider).values()), one.currency)
        balance = Money(provider.balance or 0, one.currency)
        told += [
            (where, finding)
            for finding in fi7_clearing_is_the_balance(Money(shown, one.currency), balance, parts)
        ]
    return told

"""Stored value: what our records moved beside what NetSuite's liability accounts owe; what is left is labelled.

Put the comparison and the report's rows here. Do not put reads here. Amounts are minor units of one currency, what is
owed to shoppers positive. Certificates are sold by invoices and cash sales, which NetSuite tells by their type, and go
back by the records of our refunds, which it tells by their keys. What it owes besides is from before the cutover,
expired, or changed by hand: all of that is legitimate, so it is no question unless the merchant says that nobody but us
moves the account, or more was used than it ever owed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from bcns_pipeline.rules.close.names import NOBODY, Names, called
from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.payouts.findings import Finding

DRIFT: Final = "LIABILITY_DRIFT"
NOT_ASKED: Final = (
    "ledger: not asked, or the mapping file names no liability account (cash.gift_certificates.account, "
    "cash.store_credit.account, or those of cash.refunds)"
)
REMAINDER: Final = (
    "difference: what NetSuite's account owes beyond the closing of these records. of_it_sold: certificates sold, by "
    "NetSuite's invoices and cash sales, less those that refunds took back. remainder: computed, which is balances of "
    "before the cutover, expired ones, or changes by hand"
)
HOLDERS: Final = (
    "holder: of store credit BigCommerce's id of the customer, of a certificate a keyed digest of its code, and its "
    "end; 'not known' where BigCommerce did not tell it, or an older version read it. not_booked: used, and in no "
    "record of its own, because its order is not billed yet or its channel is in summary mode. before: the balance "
    "before the first transaction that told one; balance: after the last one. moved_otherwise: computed, what moved "
    "between these two and is no transaction of our orders: goodwill, expiry, changes by hand, orders that are not ours"
)
# NetSuite's types of what sells: facts/netsuite.md 2.2.
_SALES: Final = frozenset({"CustInvc", "CashSale"})
# Account and currency.
Where = tuple[int, str]
COLUMNS: Final = (
    *("kind", "account", "currency", "opening_minor", "issued_by_refunds_minor", "used_minor"),
    *("summary_mode_minor", "closing_minor", "ledger_minor", "awaiting_approval_minor", "difference_minor"),
    *("of_it_sold_minor", "remainder_minor", "remainder_before_minor", "records", "account_id"),
)
_SUMMED: Final = (
    *(
        "opening_minor",
        "issued_by_refunds_minor",
        "used_minor",
        "summary_mode_minor",
        "closing_minor",
        "records",
    ),
)


@dataclass(frozen=True, slots=True)
class Liability:
    """What one account owes in one currency by NetSuite: in the ledger, of it sold and not refunded, and what awaits
    approval.

    `ours` is what our records came to when NetSuite was asked, so that records written since do not blur it.
    """

    owed: int = 0
    awaiting: int = 0
    sold: int = 0
    ours: int = 0

    @property
    def rest(self) -> int:
        """What neither our records nor sales explain."""
        return self.owed + self.awaiting - self.sold - self.ours


@dataclass(frozen=True, slots=True)
class Liabilities:
    """What NetSuite said of these accounts about the end of a day; an account that is not among them was not asked."""

    as_of: date
    accounts: frozenset[int]
    found: Mapping[Where, Liability]

    def of(self, where: Where) -> Liability | None:
        """0 where it was asked and shows nothing; None where it was not asked."""
        return self.found.get(where, Liability()) if where[0] in self.accounts else None


def said(as_of: date, kept: Mapping[str, Any]) -> Liabilities:
    """The kept answer: `accounts`, `balances` and what refunds took back (a debit positive, as the ledger has it;
    answers of an older version do not tell the latter), and `ours`, owed positive."""
    sums: dict[Where, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in kept["balances"]:
        part = sums[row["account"], row["currency"]]
        part["owed" if row["posting"] else "awaiting"] -= row["amount"]
        if row["type"] in _SALES:
            part["sold"] -= row["amount"]
    for row in kept.get("given_back", ()):
        sums[row["account"], row["currency"]]["sold"] -= row["amount"]
    for row in kept["ours"]:
        sums[row["account"], row["currency"]]["ours"] += row["amount"]
    return Liabilities(
        as_of, frozenset(kept["accounts"]), {where: Liability(**part) for where, part in sums.items()}
    )


def merged(rows: Iterable[Mapping[str, Any]], accounts: Mapping[str, int]) -> list[dict[str, Any]]:
    """Rows of kinds, as the state has them, by account and currency: two kinds may share a liability.

    `accounts`: {kind: account}, for records that name none because an item's account takes them.
    """
    found: dict[tuple[str, int | None, str], list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        account = row["account"] or accounts.get(row["kind"])
        found["" if account else row["kind"], account, row["currency"]].append(row)
    return [
        {
            "kind": ", ".join(sorted({row["kind"] for row in some})),
            "account": account,
            "currency": currency,
            **{name: sum(row[name] for row in some) for name in _SUMMED},
        }
        for (_, account, currency), some in found.items()
    ]


def shown(
    rows: Sequence[Mapping[str, Any]],
    accounts: Mapping[str, int],
    now: Liabilities | None,
    before: Liabilities | None,
    names: Names = NOBODY,
) -> list[dict[str, Any]]:
    """The report's rows. `now`, `before`: what NetSuite said of the last day, and of the one before the first."""
    ours = merged(rows, accounts)
    known = {(row["account"], row["currency"]) for row in ours}
    kinds = {account: kind for kind, account in accounts.items()}
    for account, currency in sorted(set(now.found) - known) if now else ():
        nothing = dict.fromkeys(_SUMMED, 0)
        kind = kinds.get(account, "summary mode")
        ours.append({"kind": kind, "account": account, "currency": currency, **nothing})
    lines = []
    for row in sorted(ours, key=lambda row: (row["kind"], row["account"] or 0, row["currency"])):
        where = (row["account"] or 0, row["currency"])
        there = now.of(where) if now else None
        then = before.of(where) if before else None
        difference = there.owed + there.awaiting - row["closing_minor"] if there else None
        lines.append(
            {
                **row,
                "account": called(names, row["account"]) if row["account"] else "not named",
                "account_id": row["account"],
                "ledger_minor": there.owed if there else None,
                "awaiting_approval_minor": there.awaiting if there else None,
                "difference_minor": difference,
                "of_it_sold_minor": there.sold if there else None,
                "remainder_minor": difference - there.sold if there and difference is not None else None,
                "remainder_before_minor": (
                    then.owed + then.awaiting - then.sold - row["opening_minor"] if then else None
                ),
            }
        )
    return lines


def drifted(
    now: Liabilities,
    first: Mapping[int, Liabilities],
    steady: Collection[int],
    names: Names = NOBODY,
) -> list[tuple[Where, Finding]]:
    """What is surely wrong: an account that shoppers owe, and one that moved without us where nobody else does.

    `first`: by account what NetSuite said when it was asked first; `steady`: accounts that only our records and sales
    move, by the merchant's word.
    """
    told = []
    for where in sorted(now.found.keys() | {place for one in first.values() for place in one.found}):
        one, (account, currency) = now.of(where), where
        if one is None:
            continue
        owed, name = Money(one.owed, currency), called(names, account)
        begun = first[account].of(where) if account in first else None
        if one.owed < 0:
            text = (
                f"Account {name}: NetSuite shows a debit of {-owed} at the end of {now.as_of}; more was used than was "
                "ever sold, given or taken over there."
            )
            told.append((where, Finding(DRIFT, text, False, amount=owed)))
        elif account in steady and begun is not None and one.rest != begun.rest:
            moved = Money(one.rest - begun.rest, currency)
            text = (
                f"Account {name}: from the end of {first[account].as_of} to that of {now.as_of} NetSuite's balance has "
                f"moved by {moved} for which there is no record of ours and no sale."
            )
            told.append((where, Finding(DRIFT, text, False, amount=moved)))
    return told

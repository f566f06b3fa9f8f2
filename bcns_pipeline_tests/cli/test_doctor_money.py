"""What the doctor says of the mapping of money and of the accounts that it names."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

from bcns_pipeline.cli.probes import Finding, Level, Patient, examine
from bcns_pipeline.cli.probes_money import BOOKS, RIGHTS, accounts_of
from bcns_pipeline.clients.netsuite.journal_rows import AccountRow, BalanceRow
from bcns_pipeline.config import Mapping
from bcns_pipeline.settings import load_settings

DOLLAR = SimpleNamespace(id=1, base=True)
CLEARING, BANK, FEES, LATER = 1130, 1010, 6110, 6115
STRIPE: dict[str, Any] = {
    "clearing": {"USD": CLEARING},
    "bank": {"USD": BANK},
    "fees": FEES,
    "changes": [{"since": "2026-07-01", "fees": LATER}],
}


def chart(**changed: Any) -> dict[int, AccountRow]:
    rows = {
        CLEARING: AccountRow(CLEARING, "1130", "Stripe clearing", "Bank", None, False),
        BANK: AccountRow(BANK, "1010", "Bank", "Bank", None, False),
        FEES: AccountRow(FEES, "6110", "Processing fees", "Expense", None, False),
        LATER: AccountRow(LATER, "6115", "Card fees", "Expense", None, False),
    }
    for number, fields in changed.items():
        key = int(number.removeprefix("a"))
        rows[key] = AccountRow(**{**{f: getattr(rows[key], f) for f in AccountRow.__slots__}, **fields})
    return rows


def look(
    mapping: Mapping,
    rows: dict[int, AccountRow],
    records: frozenset[str],
    *balances: BalanceRow,
    lacks: str | None = None,
    items: tuple[dict[str, str], ...] = (),
    unseen: tuple[str, ...] = (),
) -> list[Finding]:
    asked: list[set[int]] = []

    def accounts(ids: Any) -> dict[int, AccountRow]:
        asked.append(set(ids))
        return {number: row for number, row in rows.items() if number in asked[-1]}

    books = SimpleNamespace(
        journals=SimpleNamespace(accounts=accounts),
        account=SimpleNamespace(
            # NetSuite describes what it is asked for.
            facts=lambda types: SimpleNamespace(
                record_types=records & set(types), described=True, oneworld=False, currencies={"USD": DOLLAR}
            )
        ),
        clearing=SimpleNamespace(balances=lambda *_, **__: list(balances), others=lambda *_, **__: []),
        returns=SimpleNamespace(lacking=lambda: list(unseen)),
        has=lambda *_: lacks,
        suiteql_all=lambda *_: [SimpleNamespace(rows=items)],
    )
    patient = Patient(load_settings(None), mapping, netsuite=cast(Any, books))
    return list(examine(patient, "NetSuite", (), BOOKS))


def with_stripe(**stripe: Any) -> Mapping:
    return Mapping.model_validate({"version": 1, "payouts": {"providers": {"stripe": {**STRIPE, **stripe}}}})


ALL = frozenset(right.record for right in RIGHTS)


def test_without_a_provider_nothing_is_asked() -> None:
    assert look(Mapping(), {}, frozenset()) == []


def test_later_accounts_count_as_well() -> None:
    assert accounts_of(with_stripe()) == {
        CLEARING: ["payouts.providers.stripe.clearing.USD"],
        BANK: ["payouts.providers.stripe.bank.USD"],
        FEES: ["payouts.providers.stripe.fees"],
        LATER: ["payouts.providers.stripe.fees since 2026-07-01"],
    }
    cash = {"store_credit": {"account": 2320}, "refunds": {"gift_certificate": 2310, "receivable": 1200}}
    assert accounts_of(Mapping.model_validate({"version": 1, "cash": cash})) == {
        1200: ["cash.refunds.receivable"],
        2310: ["cash.refunds.gift_certificate"],
        2320: ["cash.store_credit.account"],
    }


def test_accounts_that_are_there_and_records_that_are_described_pass() -> None:
    found = look(with_stripe(), chart(), ALL)
    assert {one.level for one in found if one.what != "Money"} == {Level.OK}
    assert [one.found for one in found[-3:]] == [
        "4 accounts are there and active",
        "0 balances can be read",
        "createdby, lastmodifiedby are readable",
    ]
    last = look(with_stripe(), chart(), ALL, lacks="Unknown identifier 'createdby'")[-1]
    assert (last.level, last.found) == (Level.NOTE, "Unknown identifier 'createdby'")


def test_a_balance_whose_two_amounts_differ_is_not_to_be_trusted() -> None:
    row = BalanceRow(CLEARING, DOLLAR.id, None, True, Decimal(5), Decimal(-5), 1)
    last = look(with_stripe(), chart(), ALL, row)[-2]
    assert (last.level, str(CLEARING) in last.found) == (Level.WARNING, True)
    mapping = Mapping.model_validate(
        {"version": 1, "payouts": {"providers": {"stripe": STRIPE}, "ask_ledger": False}}
    )
    assert "Clearing accounts in the ledger" not in [one.what for one in look(mapping, chart(), ALL, row)]


def test_an_item_that_posts_elsewhere_than_to_its_liability_is_named() -> None:
    cash = {"gift_certificates": {"item": 31}, "store_credit": {"item": 32, "account": 2320}}
    named = {"gift_certificate": 2310, "receivable": 1200}
    tax = {"orders": {"tax": {"marketplace_item": 33}}}
    providers = {"stripe": {**STRIPE, "marketplace_tax": 2345}}
    mapping = Mapping.model_validate(
        {"version": 1, **tax, "payouts": {"providers": providers}, "cash": {**cash, "refunds": named}}
    )

    def told(*items: dict[str, str]) -> list[tuple[Level, str]]:
        found = look(mapping, chart(), ALL, items=items)
        return [(one.level, one.found) for one in found if one.what == "Items of stored value"]

    right, elsewhere = {"id": "31", "incomeaccount": "2310"}, {"id": "32", "incomeaccount": "4000"}
    assert told(right, elsewhere) == [
        (Level.WARNING, "cash.store_credit.item (32) posts to the account 4000 and not to 2320")
    ]
    assert told(right, {"id": "33", "incomeaccount": "4000"}) == [
        (Level.WARNING, "orders.tax.marketplace_item (33) posts to the account 4000 and not to 2345")
    ]
    # One that names no income account says nothing.
    assert told(right, {"id": "32"}) == [(Level.OK, "1 post to their liability")]


def test_goods_of_refunds_are_looked_at_where_the_mapping_file_asks_for_them() -> None:
    asking = {
        "version": 1,
        "payouts": {"providers": {"stripe": STRIPE}},
        "cash": {"refunds": {"goods_days": 14}},
    }

    def told(**seen: Any) -> list[tuple[Level, str]]:
        found = look(Mapping.model_validate(asking), chart(), ALL, **seen)
        return [(one.level, one.found) for one in found if one.what == "Goods of refunds"]

    assert told() == [(Level.OK, "returns and receipts are readable")]
    assert told(unseen=("itemReceipt",)) == [(Level.WARNING, "NetSuite describes no itemReceipt to the role")]
    assert told(lacks="Unknown identifier 'isclosed'") == [(Level.WARNING, "Unknown identifier 'isclosed'")]
    assert "Goods of refunds" not in [one.what for one in look(with_stripe(), chart(), ALL)]


def test_an_inactive_a_missing_and_a_strange_account_are_named() -> None:
    rows = chart(a1130={"type": "OthCurrAsset"}, a6110={"inactive": True})
    del rows[BANK]
    found = [one for one in look(with_stripe(), rows, ALL) if one.what == "Accounts of money"]
    told = {one.level: one.found for one in found if one.level is Level.WARNING}
    assert told == {
        Level.WARNING: "payouts.providers.stripe.clearing.USD names 1130 Stripe clearing of type OthCurrAsset"
    }
    blocked = [one.found for one in found if one.level is Level.BLOCKED]
    assert blocked == [
        "payouts.providers.stripe.bank.USD names the account with the internal id 1010, which the role does not see",
        "payouts.providers.stripe.fees names 6110 Processing fees, which is inactive",
    ]


def test_a_record_that_the_role_does_not_see_is_named_with_its_permission() -> None:
    found = look(with_stripe(), chart(), ALL - {"journalEntry"})
    (blocked,) = [one for one in found if one.level is Level.BLOCKED]
    assert blocked.what == "NetSuite record journalEntry"
    assert "Transactions > Make Journal Entry (Edit)" in blocked.mend

"""What the doctor looks at for money: the mapping of cash, refunds and payouts, record permissions, and each account.

Put probes of the cash, refund and payout flows here. They run once the mapping file names a provider: before that,
orders flow alone and nothing here can stop them. Where money comes from is in `probes_payments.py`. Facts:
facts/netsuite.md 2.4 and 3.6, facts/finance.md 2.2 (payments go to a clearing account of type Bank).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from bcns_pipeline.cli.probes import Finding, Level, Patient, Probe, listed
from bcns_pipeline.cli.probes_netsuite_stock import ROLE
from bcns_pipeline.cli.probes_orders import Right, described
from bcns_pipeline.cli.probes_orders import set_up as orders_set_up
from bcns_pipeline.clients.netsuite.reading import TOUCH
from bcns_pipeline.config import Mapping
from bcns_pipeline.outcomes import Rejected
from bcns_pipeline.rules.payouts.accounts import Role

RIGHTS: Final = (
    Right("customerDeposit", "Transactions > Customer Deposit (Edit)", "cash", "book captures"),
    Right("depositApplication", "Transactions > Deposit Application (Edit)", "cash", "apply deposits"),
    Right("customerPayment", "Transactions > Customer Payment (Edit)", "cash", "book captures on invoices"),
    Right("invoice", "Transactions > Invoice (Edit)", "cash", "bill what was fulfilled"),
    Right("creditMemo", "Transactions > Credit Memo (Edit)", "refunds", "credit refunds"),
    Right("customerRefund", "Transactions > Customer Refund (Edit)", "refunds", "pay refunds out"),
    Right("journalEntry", "Transactions > Make Journal Entry (Edit)", "payouts", "post payouts"),
)
ACCOUNTS: Final = Right(
    "account", "Lists > Accounts (View)", "payouts", "find accounts and whether they are active"
)
PERIODS: Final = Right(
    "accountingPeriod", "Setup > Manage Accounting Periods (View)", "cash", "know which periods are open"
)
# Read, and only where the mapping file asks whether goods of refunds came back.
RETURNS: Final = (
    Right(
        "returnAuthorization",
        "Transactions > Return Authorization (View)",
        "close",
        "tell whether goods of refunds may come back (`cash.refunds.goods_days`)",
    ),
    Right("itemReceipt", "Transactions > Item Receipt (View)", "close", "tell whether they came"),
)
_BANK: Final = "Bank"


def set_up(patient: Patient) -> bool:
    """Whether money is to flow at all."""
    return bool(patient.mapping.payouts.providers)


def mapping(patient: Patient) -> Iterator[Finding]:
    """What booking captures, refunds and payouts needs of the mapping file."""
    what, file = "Money", patient.mapping
    if not set_up(patient):
        if orders_set_up(patient):
            yield Finding(
                what,
                "not set up: the mapping file has no payouts.providers",
                "Orders flow alone; no capture, refund or payout is posted.",
                "Name each provider with its clearing, bank and fee accounts.",
                Level.NOTE,
            )
        return
    orders = set(file.order_faults())
    refunds = list(file.cash.refunds.faults()) if file.cash.refunds.sync else []
    faults = [one for one in (*file.cash_faults(), *refunds, *file.payout_faults()) if one not in orders]
    for fault in faults:
        yield Finding(what, fault, "Its flow refuses to start.", level=Level.BAD_INPUT)
    if not faults:
        names = listed(sorted(file.payouts.providers))
        approval = (
            "are posted at once" if file.payouts.approved else "wait for a person's approval in NetSuite"
        )
        yield Finding(what, f"providers {names}", f"Entries of payouts {approval}.")


def records(patient: Patient) -> Iterator[Finding]:
    """Whether the role sees each kind of record that money needs; that it sees none is said of orders already."""
    if set_up(patient) and patient.account_facts().described:
        yield from described(patient, RIGHTS)


def accounts(patient: Patient) -> Iterator[Finding]:
    """Whether each account of the mapping file is there and active, and clearing accounts can take payments."""
    if not set_up(patient):
        return
    what, named = "Accounts of money", accounts_of(patient.mapping)
    found = patient.books.journals.accounts(named)
    faults = 0
    for number, keys in sorted(named.items()):
        account, where = found.get(number), listed(keys)
        if account is None:
            said = f"{where} names the account with the internal id {number}, which the role does not see"
        elif account.inactive:
            said = f"{where} names {account.number} {account.name}, which is inactive"
        elif account.type != _BANK and any(".clearing" in key for key in keys):
            yield Finding(
                what,
                f"{where} names {account.number} {account.name} of type {account.type}",
                "NetSuite's forms may refuse payments to an account that is not of type Bank.",
                "Make the clearing account one of type Bank.",
                Level.WARNING,
            )
            continue
        else:
            continue
        faults += 1
        yield Finding(
            what,
            said,
            "What is posted there is refused.",
            "Correct the id (it is not the account's number), or activate the account.",
            Level.BLOCKED,
        )
    if not faults:
        yield Finding(what, f"{len(named)} accounts are there and active", "Entries find their accounts.")


def ledger(patient: Patient) -> Iterator[Finding]:
    """Whether the balance of clearing accounts can be read, and whether its two amounts have the same sign.

    That an entry which waits for approval is among the accounting lines with posting F is in no document; the
    roll-forward says so where it does not add up.
    """
    book = patient.mapping.payouts.book().providers
    wanted = {number for one in book for number in one.every(Role.CLEARING)}
    if not wanted or not patient.mapping.payouts.ask_ledger:
        return
    what, facts = "Clearing accounts in the ledger", patient.account_facts()
    today = datetime.now(UTC).date()
    try:
        rows = patient.books.clearing.balances(wanted, today, "doctor", oneworld=facts.oneworld)
        patient.books.clearing.others(wanted, today, "doctor", oneworld=facts.oneworld)
    except Rejected as refused:
        yield Finding(
            what,
            f"their balances can't be asked for: {refused.detail}",
            'The roll-forward rests on our own records and says "ledger: not asked".',
            "Give the role what it lacks, or set payouts.ask_ledger to false.",
            Level.WARNING,
        )
        return
    own = {one.id for one in facts.currencies.values() if one.base}
    odd = [str(one.account) for one in rows if one.currency in own and one.base != one.foreign]
    if odd and not facts.oneworld:
        yield Finding(
            what,
            f"amounts of transactions differ from debit less credit on {listed(odd)}",
            "Balances in other currencies may have the other sign, so their remainder is not to be trusted.",
            "Compare the account's register in NetSuite with `bcns report clearing`.",
            Level.WARNING,
        )
    else:
        yield Finding(what, f"{len(rows)} balances can be read", "The roll-forward is compared with them.")


def stored_value(patient: Patient) -> Iterator[Finding]:
    """Whether the items of stored value post to the liabilities that report stored-value compares, and that of a
    marketplace's tax to the account from which settlements take it."""
    cash, orders = patient.mapping.cash, patient.mapping.orders
    named, washed = cash.liabilities(), _washed(patient.mapping)
    if len(washed) == 1:
        named["marketplace_tax"] = washed.pop()
    wanted = {
        item: (key, named[kind])
        for key, kind, item in (
            ("orders.gift_certificates.item", "gift_certificate", orders.gift_certificates.item),
            ("cash.refunds.items.gift_certificate", "gift_certificate", cash.refunds.items.gift_certificate),
            ("cash.gift_certificates.item", "gift_certificate", cash.gift_certificates.item),
            ("cash.store_credit.item", "store_credit", cash.store_credit.item),
            ("orders.tax.marketplace_item", "marketplace_tax", orders.tax.marketplace_item),
        )
        if item is not None and kind in named
    }
    if not set_up(patient) or not wanted:
        return
    what, numbers = "Items of stored value", ", ".join(str(one) for one in sorted(wanted))
    text = f"SELECT id, incomeaccount FROM item WHERE id IN ({numbers}) ORDER BY id ASC"
    try:
        rows = [row for page in patient.books.suiteql_all(text) for row in page.rows]
    except Rejected as refused:
        yield Finding(what, f"their accounts can't be read: {refused.detail}", level=Level.UNKNOWN)
        return
    # An item without an income account keeps it elsewhere, and says nothing here.
    shown = {int(row["id"]): int(row["incomeaccount"]) for row in rows if row.get("incomeaccount")}
    odd = [
        f"{key} ({item}) posts to the account {shown[item]} and not to {account}"
        for item, (key, account) in sorted(wanted.items())
        if shown.get(item, account) != account
    ]
    if odd:
        yield Finding(
            what,
            listed(odd),
            "Another account moves than the one that report stored-value compares, or that settlements take tax from.",
            "Give the item its liability account, or name that account in the mapping file.",
            Level.WARNING,
        )
    else:
        yield Finding(
            what, f"{len(shown)} post to their liability", "Report stored-value compares what they move."
        )


def _washed(mapping: Mapping) -> set[int]:
    """The accounts through which the tax of marketplaces passes."""
    providers = mapping.payouts.book().providers
    return {number for one in providers for number in one.every(Role.MARKETPLACE_TAX)}


def hands(patient: Patient) -> Iterator[Finding]:
    """Whether NetSuite says who wrote a transaction: public scripts read these columns, no help page names them."""
    if not set_up(patient) or not patient.mapping.payouts.ask_ledger:
        return
    what, said = "Who wrote a transaction", patient.books.has("transaction", TOUCH)
    if said is None:
        yield Finding(
            what, f"{listed(TOUCH)} are readable", "Reports others and journals say whose hand it was."
        )
    else:
        yield Finding(
            what,
            said,
            'Reports others and journals say when, and "not known" for by whom.',
            f"{ROLE}: SuiteAnalytics Workbook, or look at the record's system notes in NetSuite.",
            Level.NOTE,
        )


def goods(patient: Patient) -> Iterator[Finding]:
    """Whether returns and their receipts can be read, where the mapping file asks for goods of refunds.

    That a receipt shows goods once, beside lines marked as cost of goods, is in no document for receipts: compare the
    units of one with `bcns report refunds`.
    """
    if not set_up(patient) or patient.mapping.cash.refunds.goods_days is None:
        return
    what, lacking = "Goods of refunds", patient.books.returns.lacking()
    said = f"NetSuite describes no {' and no '.join(lacking)} to the role" if lacking else None
    said = said or patient.books.has("transactionline", ("createdfrom", "isclosed", "iscogs", "kitcomponent"))
    if said is None:
        yield Finding(
            what, "returns and receipts are readable", "Report refunds says whether goods came back."
        )
    else:
        yield Finding(
            what,
            said,
            'Report refunds says "not asked", and nobody is asked about goods that do not come.',
            f"{ROLE}: add {' and '.join(one.permission for one in RETURNS)}.",
            Level.WARNING,
        )


def accounts_of(mapping: Mapping) -> dict[int, list[str]]:
    """{internal id: keys of the mapping file that name it}."""
    found: dict[int, list[str]] = defaultdict(list)
    for name, provider in mapping.payouts.providers.items():
        for chart, part in ((provider, ""), *((one, f" since {one.since}") for one in provider.changes)):
            for (role, currency), number in chart.accounts().items():
                key = f"payouts.providers.{name}.{role.value}{'.' + currency if currency else ''}{part}"
                found[number].append(key)
            for word, category in chart.categories.items():
                if not isinstance(category, str) and category.account is not None:
                    found[category.account].append(f"payouts.providers.{name}.categories.{word}{part}")
    for method, number in mapping.cash.accounts.items():
        found[number].append(f"cash.accounts.{method}")
    cash, refunds = mapping.cash, mapping.cash.refunds
    for key, named in (
        ("cash.gift_certificates.account", cash.gift_certificates.account),
        ("cash.store_credit.account", cash.store_credit.account),
        ("cash.refunds.receivable", refunds.receivable),
        ("cash.refunds.store_credit", refunds.store_credit),
        ("cash.refunds.gift_certificate", refunds.gift_certificate),
    ):
        if named is not None:
            found[named].append(key)
    return dict(found)


BOOKS: Final = (
    Probe("Money", mapping, needed=True),
    Probe("NetSuite records of money", records),
    Probe("Accounts of money", accounts),
    Probe("Clearing accounts in the ledger", ledger),
    Probe("Items of stored value", stored_value),
    Probe("Who wrote a transaction", hands),
    Probe("Goods of refunds", goods),
)

"""The chart of accounts, which account an item posts to, and which accounts NetSuite itself posts to.

Put accounts and their parts here. Do not put what posts where here (postings.py). Source: facts/finance.md 2.1;
clearing accounts are of type Bank, so that payments may name them. No account has a balance at the start: what
stands on one was posted by somebody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LedgerAccount:
    """An account of the chart. `currency` is that of a foreign bank account, which takes no other one."""

    id: int
    name: str
    number: str
    kind: str
    currency: int | None = None
    inactive: bool = False


BANK, RECEIVABLE, ASSET, LIABILITY = "Bank", "AcctRec", "OthCurrAsset", "OthCurrLiab"
INCOME, EXPENSE, OTHER_EXPENSE = "Income", "Expense", "OthExpense"
EUR = 2
ACCOUNTS = (
    LedgerAccount(110, "Bank USD", "1010", BANK),
    LedgerAccount(111, "Bank EUR", "1011", BANK, EUR),
    LedgerAccount(112, "Undeposited Funds", "1090", ASSET),
    LedgerAccount(113, "Stripe clearing USD", "1130", BANK),
    LedgerAccount(114, "PayPal clearing USD", "1131", BANK),
    LedgerAccount(115, "Adyen clearing USD", "1132", BANK),
    LedgerAccount(116, "Stripe clearing EUR", "1133", BANK, EUR),
    LedgerAccount(117, "Braintree clearing USD", "1134", BANK),
    LedgerAccount(118, "Amazon clearing USD", "1135", BANK),
    LedgerAccount(119, "Refunds in transfer USD", "1170", BANK),
    LedgerAccount(140, "Disputes receivable", "1140", ASSET),
    LedgerAccount(141, "Payment provider reserves", "1150", ASSET),
    LedgerAccount(142, "Payouts in transit", "1160", ASSET),
    LedgerAccount(143, "Input tax on fees", "1180", ASSET),
    LedgerAccount(144, "Before cutover", "1195", ASSET),
    LedgerAccount(120, "Accounts Receivable", "1200", RECEIVABLE),
    LedgerAccount(130, "Inventory Asset", "1300", ASSET),
    LedgerAccount(230, "Customer Deposits", "2300", LIABILITY),
    LedgerAccount(231, "Gift certificate liability", "2310", LIABILITY),
    LedgerAccount(232, "Store credit liability", "2320", LIABILITY),
    LedgerAccount(233, "Tips payable", "2330", LIABILITY),
    LedgerAccount(234, "Sales tax payable", "2340", LIABILITY),
    LedgerAccount(235, "Marketplace facilitator tax", "2345", LIABILITY),
    LedgerAccount(237, "Refunds payable", "2390", LIABILITY),
    LedgerAccount(238, "Accrued processing fees", "2395", LIABILITY),
    LedgerAccount(250, "Payment provider loan", "2500", LIABILITY),
    LedgerAccount(300, "Opening Balance", "3000", "Equity"),
    LedgerAccount(400, "Product revenue", "4000", INCOME),
    LedgerAccount(401, "Shipping revenue", "4010", INCOME),
    LedgerAccount(403, "Discounts", "4030", INCOME),
    LedgerAccount(405, "Returns & allowances", "4050", INCOME),
    LedgerAccount(406, "Restocking fees", "4060", INCOME),
    LedgerAccount(409, "Order rounding", "4090", INCOME),
    LedgerAccount(500, "Cost of Goods Sold", "5000", "COGS"),
    LedgerAccount(611, "Processing fees", "6110", EXPENSE),
    LedgerAccount(612, "Payment service fees", "6111", EXPENSE),
    LedgerAccount(613, "Marketplace selling fees", "6115", EXPENSE),
    LedgerAccount(614, "Marketplace fulfilment fees", "6116", EXPENSE),
    LedgerAccount(619, "Processing fees of the old gateway", "6119", EXPENSE, inactive=True),
    LedgerAccount(620, "Dispute fees", "6120", EXPENSE),
    LedgerAccount(630, "Chargeback losses", "6130", EXPENSE),
    LedgerAccount(670, "Marketing goodwill", "6700", EXPENSE),
    LedgerAccount(700, "Realized Gain/Loss", "7000", OTHER_EXPENSE),
    LedgerAccount(701, "Rounding Gain/Loss", "7010", OTHER_EXPENSE),
    LedgerAccount(710, "Realised FX of payment providers", "7100", OTHER_EXPENSE),
)
# Where NetSuite posts by itself. Nobody enters a journal line on the gains and losses that it computes.
UNDEPOSITED, AR, INVENTORY, DEPOSITS = 112, 120, 130, 230
TAX, REVENUE, SHIPPING, DISCOUNTS, COGS = 234, 400, 401, 403, 500
GAIN_LOSS, ROUNDING = 700, 701
SYSTEM_ONLY = frozenset({GAIN_LOSS, ROUNDING})
# The accounts of the service items by their keys (account.py); every other item sells to revenue.
ITEM_ACCOUNTS: Mapping[str, int] = {
    "sales_tax": 234,
    "rounding": 409,
    "handling": 401,
    "shipping": 401,
    "discount": DISCOUNTS,
    "coupon": DISCOUNTS,
    "discount_ten_percent": DISCOUNTS,
    "gift_certificate": 231,
    "store_credit": 232,
    "gift_redemption": 231,
    "tip": 233,
    "marketplace_tax": 235,
    "refund_no_return": 405,
    "goodwill": 405,
    "restocking": 406,
}

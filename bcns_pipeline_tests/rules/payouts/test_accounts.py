from __future__ import annotations

from datetime import date

from bcns_pipeline.rules.payouts.accounts import AccountBook, Chart, ProviderAccounts, Role, clearing_account

MARCH, JULY = date(2026, 3, 4), date(2026, 7, 1)
STRIPE = ProviderAccounts(
    "stripe",
    "acct1",
    (
        Chart(
            None,
            {
                (Role.CLEARING, "USD"): 1130,
                (Role.CLEARING, "EUR"): 1131,
                (Role.FEES, ""): 6110,
                (Role.DISPUTE_FEES, ""): 6120,
            },
            {"contribution": 6800},
        ),
        Chart(JULY, {(Role.CLEARING, "USD"): 1132, (Role.FEES, ""): 6115}),
    ),
)
PAYPAL = ProviderAccounts("paypal", "shop", (Chart(None, {(Role.CLEARING, ""): 1133}),))
BOOK = AccountBook((STRIPE, PAYPAL))


def test_a_clearing_account_is_found_by_provider_account_currency_and_day() -> None:
    assert clearing_account(BOOK, "stripe", "acct1", "USD", MARCH) == 1130
    assert clearing_account(BOOK, "stripe", "acct1", "EUR", JULY) == 1131
    assert clearing_account(BOOK, "stripe", "", "USD", JULY) == 1132
    assert clearing_account(BOOK, "paypal", "", "GBP", MARCH) == 1133


def test_an_account_that_nobody_named_is_none_and_never_another_one() -> None:
    assert clearing_account(BOOK, "stripe", "acct1", "GBP", MARCH) is None
    assert clearing_account(BOOK, "stripe", "acct2", "USD", MARCH) is None
    assert clearing_account(BOOK, "adyen", "", "USD", MARCH) is None
    assert clearing_account(AccountBook((STRIPE, STRIPE)), "stripe", "", "USD", MARCH) is None


def test_a_change_overrides_what_it_names_and_only_from_its_day_on() -> None:
    assert STRIPE.at(Role.FEES, "USD", date(2026, 6, 30)) == 6110
    assert STRIPE.at(Role.FEES, "USD", JULY) == 6115
    assert STRIPE.at(Role.DISPUTE_FEES, "USD", JULY) == 6120
    assert STRIPE.of_category("contribution", JULY) == 6800
    assert STRIPE.every(Role.CLEARING) == {1130, 1131, 1132}


def test_fees_without_an_account_of_their_own_go_to_the_account_of_fees() -> None:
    assert STRIPE.at(Role.SERVICE_FEES, "USD", MARCH) == 6110
    assert STRIPE.at(Role.SERVICE_FEES, "USD", JULY) == 6115
    assert STRIPE.at(Role.RESERVES, "USD", MARCH) is None

from __future__ import annotations

from dataclasses import replace

from bcns_pipeline.rules.orders.facts import Account, Subsidiary
from bcns_pipeline.rules.orders.policy import Channel, account_faults, named
from bcns_pipeline_tests.rules.orders.examples import ACCOUNT, ITEM_LINE, POLICY


def test_what_the_account_cannot_do_is_told_before_any_order_is() -> None:
    assert account_faults(POLICY, ACCOUNT) == []
    suitetax = replace(POLICY, tax=replace(ITEM_LINE, method="suitetax"))
    (fault,) = account_faults(suitetax, ACCOUNT)
    assert "the account has no SuiteTax" in fault
    unknown = replace(ACCOUNT, described=False, currencies={}, base_currency="")
    tax, currencies = account_faults(replace(POLICY, tax=replace(ITEM_LINE, method="auto")), unknown)
    assert ("orders.tax.method is auto" in tax, "orders.currencies" in currencies) == (True, True)
    assert account_faults(replace(POLICY, tax=ITEM_LINE), replace(unknown, base_currency="USD")) == []
    channels = {1: Channel(1), 2: Channel(2, subsidiary=9)}
    assert account_faults(replace(POLICY, channels=channels), ACCOUNT) == [
        "channels.1.subsidiary is missing; a OneWorld account needs it.",
        "channels.2.subsidiary 9 is not in the account.",
    ]


def test_a_single_subsidiary_need_not_be_named() -> None:
    only = replace(ACCOUNT, subsidiaries={1: Subsidiary(1)})
    assert account_faults(replace(POLICY, channels={1: Channel(1)}), only) == []
    plain = Account(oneworld=False, suitetax=True, base_currency="USD")
    assert account_faults(replace(POLICY, channels={1: Channel(1)}), plain) == []


def test_an_exact_name_is_before_any_pattern_and_blanks_do_not_count() -> None:
    table = {"*": 1, "ups*": 2, "ups ground": 3}
    assert named(table, "  UPS   Ground ") == 3
    assert named(table, "Flat rate") == 1
    assert named({}, "x") is None

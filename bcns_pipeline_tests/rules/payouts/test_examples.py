"""The worked examples of facts/finance.md with their numbers, and its special cases (2.6)."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date
from decimal import Decimal

from bcns_pipeline.rules.payouts import fx
from bcns_pipeline.rules.payouts.body import Shown, ShownLine, body, canonical, differences
from bcns_pipeline.rules.payouts.books import Booked, Books, Posting
from bcns_pipeline.rules.payouts.entry import Entry, Part
from bcns_pipeline.rules.payouts.findings import Finding
from bcns_pipeline.rules.payouts.model import Itemisation, LineClass, PayoutStatus
from bcns_pipeline.rules.payouts.plan import PayoutPlan
from bcns_pipeline.rules.payouts.stage import Action, corrected, failed, reversal, step
from bcns_pipeline_tests.rules.payouts.examples import (
    ARRIVAL,
    POLICY,
    STRIPE,
    example_a,
    line,
    payout,
    planned,
    rows,
)


def stops(made: PayoutPlan) -> set[str]:
    return {one.code for one in made.findings if one.blocks}


def only(made: PayoutPlan) -> Entry:
    (entry,) = made.entries
    assert entry.balanced
    return entry


def test_example_a_is_the_entry_of_the_specification_line_by_line() -> None:
    made = planned(example_a())
    entry = only(made)
    assert rows(entry) == [
        (1010, 567063, 0),
        (1130, 0, 631842),
        (1130, 21437, 0),
        (6110, 19583, 0),
        (6111, 1260, 0),
        (1140, 8999, 0),
        (1140, 0, 4500),
        (6120, 1500, 0),
        (6120, 0, 1500),
        (1150, 30000, 0),
        (1150, 0, 12000),
    ]
    assert entry.debits == 649842
    assert [one.count for one in entry.lines] == [50, 42, 3, 42, 1, 1, 1, 1, 1, 1, 1]
    assert entry.lines[0].memo == "net deposit, 021000021234567"
    assert entry.key == "psp-stripe-acct1-payout-po_SYN0304"
    assert made.postable
    assert {one.code for one in made.findings} == {"PAYOUT_LINE_UNMATCHED"}


def test_example_a_as_netsuite_takes_it_and_shows_it_again() -> None:
    entry = only(planned(example_a()))
    policy = replace(
        POLICY, payout_field="custbody_psp_payout_id", economic_date_field="custbody_economic_date"
    )
    made = body(entry, 1, policy)
    assert {name: made[name] for name in made if name != "line"} == {
        "externalId": "psp-stripe-acct1-payout-po_SYN0304",
        "currency": {"id": "1"},
        "subsidiary": {"id": "1"},
        "tranDate": "2026-03-04",
        "memo": "stripe payout po_SYN0304 2026-03-04",
        "approved": False,
        "custbody_psp_payout_id": "po_SYN0304",
        "custbody_economic_date": "2026-03-04",
    }
    sources = replace(policy, source_field="custbody_src_sha256")
    one, two = (body(replace(entry, sources=given), 1, sources) for given in (("a",), ("b", "a")))
    assert one["custbody_src_sha256"] == "a"
    assert two["custbody_src_sha256"] == hashlib.sha256(b"a\nb").hexdigest()
    items = made["line"]["items"]
    assert items[0] == {
        "account": {"id": "1010"},
        "debit": Decimal("5670.63"),
        "memo": "net deposit, 021000021234567",
    }
    assert items[1]["credit"] == Decimal("6318.42")
    assert b'"debit":5670.63,' in canonical(made)
    shown = Shown(
        entry.key, ARRIVAL, 1, [ShownLine(one.account, one.signed, one.memo) for one in reversed(entry.lines)]
    )
    assert differences(entry, 1, shown) == []
    off = replace(shown.lines[0], amount=shown.lines[0].amount + 1)
    assert len(differences(entry, 1, replace(shown, lines=[off, *shown.lines[1:]]))) == 2
    assert len(differences(entry, 1, replace(shown, lines=shown.lines[1:], day=date(2026, 3, 5)))) == 2


def test_example_b_the_exchange_rate_takes_what_netsuite_carried_and_stripe_did_not_pay() -> None:
    charge = line(
        "txn_1", "charge", 10791, 462, presentment_amount=10000, presentment_currency="EUR", order_id=7,
        transaction_id=70, rate=Decimal("1.0791"),
    )  # fmt: skip
    books = Books(booked={"txn_1": Booked("bc-h-deposit-7-70", 1130, 10850)})
    entry = only(planned(payout([charge]), books))
    assert rows(entry) == [(1010, 10329, 0), (1130, 0, 10850), (6110, 462, 0), (7100, 59, 0)]
    assert entry.debits == 10850
    unknown = Books(booked={"txn_1": Booked("bc-h-deposit-7-70", 1130)})
    assert stops(planned(payout([charge]), unknown)) == {"FX_CARRYING_UNKNOWN"}
    far = Books(booked={"txn_1": Booked("bc-h-deposit-7-70", 1130, 12000)})
    assert "FX_OUT_OF_BAND" in {one.code for one in planned(payout([charge]), far).findings}


def test_a_foreign_refund_gives_back_what_its_own_record_carried() -> None:
    back = line("txn_2", "refund", -5390, presentment_amount=5000, presentment_currency="EUR")
    books = Books(booked={"txn_2": Booked("bc-h-refundpay-1-1", 1130, 5425)})
    entry = only(planned(payout([back]), books))
    assert rows(entry) == [(1010, 0, 5390), (1130, 5425, 0), (7100, 0, 35)]


def test_settlement_in_the_shoppers_currency_leaves_a_difference_that_a_companion_can_take() -> None:
    charge = line(
        "txn_1", "charge", 10000, 290, currency="EUR", presentment_amount=10000, presentment_currency="EUR"
    )
    made = payout([charge], currency="EUR")
    posting = Posting(ARRIVAL, Decimal("1.0791"))
    entry = only(planned(made, posting=posting))
    assert (entry.currency, entry.exchange_rate) == ("EUR", Decimal("1.0791"))
    assert rows(entry) == [(1010, 9710, 0), (1130, 0, 10000), (6110, 290, 0)]
    # NetSuite took 107.91 off the account, and had put 108.50 there.
    companion = fx.residual(entry, STRIPE, {1130: 10850}, {1130: -10791}, "USD", ARRIVAL)
    assert companion is not None
    assert rows(companion) == [(7100, 59, 0), (1130, 0, 59)]
    assert companion.currency == "USD"
    assert companion.balanced
    assert companion.key == "psp-stripe-acct1-fx-po_1"
    assert fx.residual(entry, STRIPE, {1130: 10791}, {1130: -10791}, "USD", ARRIVAL) is None


def test_a_payout_in_a_currency_of_no_books_waits_unless_a_companion_takes_what_is_left() -> None:
    charge = line(
        "txn_1", "charge", 9200, 290, currency="EUR", presentment_amount=10000, presentment_currency="USD"
    )
    made = payout([charge], currency="EUR")
    books = Books(booked={"txn_1": Booked("bc-h-deposit-7-70", 1130)}, base="USD")
    waits = planned(made, books)
    assert stops(waits) == {"FX_CARRYING_UNKNOWN"}
    assert "payouts.fx_residual: companion" in next(one.message for one in waits.findings if one.blocks)
    plan = planned(made, books, replace(POLICY, residual="companion"))
    assert plan.postable
    entry = only(plan)
    assert rows(entry) == [(1010, 8910, 0), (1130, 0, 9200), (6110, 290, 0)]
    companion = fx.residual(entry, STRIPE, {1130: 10000}, {1130: -9982}, "USD", ARRIVAL)
    assert companion is not None
    assert rows(companion) == [(7100, 18, 0), (1130, 0, 18)]
    gain = fx.residual(entry, STRIPE, {1130: 10000}, {1130: -10010}, "USD", ARRIVAL)
    assert gain is not None
    assert rows(gain) == [(7100, 0, 10), (1130, 10, 0)]


def test_example_f_a_negative_payout_takes_from_the_bank_without_code_of_its_own() -> None:
    made = planned(payout([line("c", "charge", 12000, 378), line("r", "refund", -31000)]))
    entry = only(made)
    assert made.payout.amount == -19378
    assert rows(entry) == [(1010, 0, 19378), (1130, 0, 12000), (1130, 31000, 0), (6110, 378, 0)]
    assert entry.debits == 31378


def test_example_g_the_marketplaces_tax_is_a_wash() -> None:
    parts = [
        ("Order/ItemPrice/Principal", 1490),
        ("Order/ItemPrice/Tax", 104),
        ("Order/ItemWithheldTax/MarketplaceFacilitatorTax-Principal", -104),
        ("Order/ItemFees/Commission", -224),
        ("Order/ItemFees/FBAPerUnitFulfillmentFee", -485),
    ]
    made = payout(
        [line(str(number), word, amount) for number, (word, amount) in enumerate(parts)],
        provider="amazon",
        account="shop",
    )
    assert made.amount == 781
    assert rows(only(planned(made))) == [
        (1010, 781, 0),
        (1135, 0, 1594),
        (6140, 224, 0),
        (6150, 485, 0),
        (2345, 104, 0),
    ]


def test_a_payout_that_fails_after_it_was_posted_goes_to_returned_payouts_and_comes_back_from_there() -> None:
    made = replace(example_a(), failed_on=date(2026, 3, 9), status=PayoutStatus.FAILED)
    first = only(planned(example_a()))
    assert step(made, posted=True).action is Action.FAIL
    second = failed(made, first, STRIPE, date(2026, 3, 9))
    assert isinstance(second, Entry)
    assert rows(second) == [(1160, 567063, 0), (1010, 0, 567063)]
    assert (second.key, second.day) == (first.key + "-failed", date(2026, 3, 9))
    assert step(made, posted=True, failure_posted=True).action is Action.NOTHING
    again = payout([line("back", "payout_reversal", 567063), line("c", "charge", 1000, 59)], "po_2")
    assert rows(only(planned(again))) == [
        (1010, 568004, 0),
        (1130, 0, 1000),
        (6110, 59, 0),
        (1160, 0, 567063),
    ]
    nowhere = failed(made, first, replace(STRIPE, charts=()), date(2026, 3, 9))
    assert isinstance(nowhere, Finding)


def test_a_payout_that_failed_before_anything_was_posted_never_says_that_the_bank_got_it() -> None:
    made = replace(example_a(), status=PayoutStatus.FAILED)
    assert step(made, posted=False).action is Action.POST
    entry = only(planned(made))
    assert rows(entry)[0] == (1160, 567063, 0)
    assert planned(made).postable
    assert 1010 not in {account for account, _, _ in rows(entry)}


def test_what_a_status_means() -> None:
    made = example_a()
    at = {
        status: step(replace(made, status=status), posted=False).action
        for status in (
            PayoutStatus.PENDING,
            PayoutStatus.IN_TRANSIT,
            PayoutStatus.PAID,
            PayoutStatus.CANCELED,
        )
    }
    assert list(at.values()) == [Action.WAIT, Action.WAIT, Action.POST, Action.NOTHING]
    assert step(replace(made, itemisation=Itemisation.PENDING), posted=False).action is Action.WAIT
    assert step(made, posted=True).action is Action.NOTHING
    canceled = replace(made, status=PayoutStatus.CANCELED)
    assert step(canceled, posted=True).action is Action.REVERSE
    # Taken back, it is posted anew: its charges are settled by nothing else, and a later payout brings the money.
    assert step(canceled, posted=False, taken_back=True).action is Action.POST
    assert rows(only(planned(canceled)))[0] == (1160, 567063, 0)
    assert step(canceled, posted=True, failure_posted=True, taken_back=True).action is Action.NOTHING


def test_a_correction_is_a_reversal_and_a_new_version() -> None:
    first = only(planned(example_a()))
    undone, again = reversal(first, date(2026, 3, 10)), corrected(first, 2)
    assert undone.key == "psp-stripe-acct1-payout-po_SYN0304-rev1"
    assert again.key == "psp-stripe-acct1-payout-po_SYN0304-v2"
    assert reversal(again, date(2026, 3, 11), 2).key == "psp-stripe-acct1-payout-po_SYN0304-rev2"
    assert [(a, c, d) for a, d, c in rows(undone)] == rows(first)


def test_a_zero_payout_has_an_entry_without_a_bank_line() -> None:
    made = planned(payout([line("c", "charge", 10000, 300), line("r", "refund", -9700)]))
    assert rows(only(made)) == [(1130, 0, 10000), (1130, 9700, 0), (6110, 300, 0)]
    assert made.postable
    assert planned(payout([])).entries == ()


def test_a_fee_that_is_given_back_is_a_line_of_its_own() -> None:
    made = planned(payout([line("c", "charge", 10000, 320), line("r", "refund", -10000, -320)]))
    assert rows(only(made)) == [(1130, 0, 10000), (1130, 10000, 0), (6110, 320, 0), (6110, 0, 320)]


def test_a_manual_payout_moves_the_sum_and_an_instant_one_its_fee_as_well() -> None:
    made = payout([], amount=50000, automatic=False, itemisation=Itemisation.NEVER)
    assert rows(only(planned(made))) == [(1010, 50000, 0), (1130, 0, 50000)]
    entry = only(planned(replace(made, instant=True, fee=500)))
    assert rows(entry) == [(1010, 50000, 0), (1130, 0, 50500), (6111, 500, 0)]
    assert planned(replace(made, instant=True, fee=500)).postable


def test_what_a_provider_of_whole_units_keeps_stays_in_the_clearing_account() -> None:
    made = payout(
        [line("c", "charge", 1234567, 34567, currency="HUF")], currency="HUF", amount=1200000, whole_units_only=True
    )  # fmt: skip
    assert rows(only(planned(made))) == [(1010, 1200000, 0), (1130, 0, 1234567), (6110, 34567, 0)]
    kept = replace(made, lines=(line("c", "charge", 1234599, 34567, currency="HUF"),))
    entry = only(planned(kept))
    assert (1130, 32, 0) in rows(entry)
    assert planned(kept).postable
    assert [one.part for one in entry.lines].count(Part.REMAINDER) == 1
    assert not planned(replace(kept, whole_units_only=False)).postable
    assert not planned(replace(kept, amount=1199900)).postable


def test_yen_and_dinar_have_their_own_digits() -> None:
    yen = only(planned(payout([line("c", "charge", 1005, 36, currency="JPY")], currency="JPY")))
    assert b'"debit":969,' in canonical(body(yen, 3, POLICY))
    dinar = only(planned(payout([line("c", "charge", 10005, 1, currency="BHD")], currency="BHD")))
    assert b'"debit":10.004,' in canonical(body(dinar, 4, POLICY))


def test_a_payout_of_several_currencies_has_an_entry_for_each() -> None:
    made = payout(
        [
            line("e", "T0006", 10000, 400, currency="EUR"),
            line("x-", "T0200", -9600, currency="EUR"),
            line("x+", "T0200", 10359),
            line("d", "T0006", 5000, 175),
        ],
        provider="paypal",
        account="shop",
    )
    plan = planned(made)
    dollars, euros = plan.entries
    assert rows(dollars) == [(1010, 15184, 0), (1131, 0, 5000), (6110, 175, 0), (1190, 0, 10359)]
    assert rows(euros) == [(1131, 0, 10000), (6110, 400, 0), (1190, 9600, 0)]
    assert euros.key == dollars.key + "-in-EUR"
    assert plan.postable
    short = replace(made, lines=made.lines[:1] + made.lines[2:])
    assert {one.check for one in planned(short).findings if one.blocks} == {"FI2", "FI3"}


def test_tax_on_fees_goes_to_its_own_account() -> None:
    made = planned(payout([line("c", "charge", 10000, 357, fee_tax=57), line("t", "tax", -210)]))
    assert rows(only(made)) == [
        (1010, 9433, 0),
        (1130, 0, 10000),
        (6110, 300, 0),
        (1180, 57, 0),
        (1180, 210, 0),
    ]


def test_everything_else_that_a_balance_can_hold_has_its_own_account() -> None:
    words = {
        "financing_paydown": (-2000, LineClass.LOAN, 2500),
        "contribution": (-100, LineClass.DONATION, 6800),
        "topup": (5000, LineClass.TRANSFER_IN, 1010),
        "payout_minimum_balance_hold": (-700, LineClass.RESERVE_MINBAL, 1130),
        "network_cost": (-30, LineClass.FEE_STANDALONE, 6111),
        "charge_failure": (-4000, LineClass.CHARGE_FAILURE, 1130),
        "partial_capture_reversal": (-250, LineClass.PARTIAL_CAPTURE_REVERSAL, 1130),
        "refund_failure": (310, LineClass.REFUND_RETURNED, 1130),
    }
    made = planned(payout([line(word, word, amount) for word, (amount, _, _) in words.items()]))
    entry = only(made)
    found = {one.cls: (one.signed, one.account) for one in entry.lines if one.cls is not None}
    assert found == {cls: (-amount, account) for amount, cls, account in words.values()}
    assert entry.bank == sum(amount for amount, _, _ in words.values())
    assert made.postable

"""The providers' words: what each means, and that what nobody knows is nothing."""

from __future__ import annotations

import pytest

from bcns_pipeline.rules.payouts.classes import Unmapped, classify
from bcns_pipeline.rules.payouts.model import LineClass as C
from bcns_pipeline_tests.rules.payouts.examples import line, payout

KNOWN = [
    ("stripe", "payout", -100, C.PAYOUT_EVENT),
    ("stripe", "payout_reversal", 100, C.PAYOUT_RETURNED),
    ("stripe", "network_cost", -100, C.FEE_STANDALONE),
    ("stripe", "financing_paydown", -100, C.LOAN),
    ("stripe", "other_adjustment", 100, C.UNCLASSIFIED),
    ("stripe", "transfer", -100, C.UNCLASSIFIED),
    ("stripe", "connect_collection_transfer", -100, C.UNCLASSIFIED),
    ("paypal", "T0006", 100, C.GROSS_SALES),
    ("paypal", "T0006", -100, C.UNCLASSIFIED),
    ("paypal", "T0106", -100, C.FEE_DISPUTE),
    ("paypal", "T0101", -100, C.FEE_STANDALONE),
    ("paypal", "T0400", -100, C.PAYOUT_EVENT),
    ("paypal", "T0400", 100, C.PAYOUT_RETURNED),
    ("paypal", "T1107", -100, C.REFUND),
    ("paypal", "T1202", 100, C.CHARGEBACK_RETURNED),
    ("paypal", "T1503", -100, C.RESERVE),
    ("paypal", "T1900", -100, C.UNCLASSIFIED),
    ("paypal", "balance_brought_forward", 100, C.RESERVE_MINBAL),
    ("adyen", "Settled", 100, C.GROSS_SALES),
    ("adyen", "RefundedReversed", 100, C.REFUND_RETURNED),
    ("adyen", "DepositCorrection", -100, C.RESERVE),
    ("adyen", "Balancetransfer", -100, C.RESERVE_MINBAL),
    ("adyen", "ManualCorrected", 100, C.UNCLASSIFIED),
    ("braintree", "credit", -100, C.REFUND),
    ("amazon", "Refund/ItemPrice/Principal", -100, C.REFUND),
    ("amazon", "Order/ItemPrice/Shipping", 100, C.GROSS_SALES),
    ("amazon", "Order/Promotion/Principal", -100, C.SALES_DISCOUNT),
    ("amazon", "Refund/Promotion/Principal", 100, C.REFUND_RETURNED),
    ("amazon", "Refund/ItemFees/RefundCommission", -100, C.FEE_SELLING),
    ("amazon", "Order/ItemFees/FBAPerUnitFulfillmentFee", -100, C.FEE_FULFILMENT),
    ("amazon", "other-transaction/other-transaction/Current Reserve Amount", -100, C.RESERVE),
    ("amazon", "other-transaction/FREIGHT/anything", -100, C.UNCLASSIFIED),
    ("acquirer", "sale", 100, C.GROSS_SALES),
    ("acquirer", "Gross_Sales", 100, C.GROSS_SALES),
    ("acquirer", "bonus", 100, C.UNCLASSIFIED),
]


@pytest.mark.parametrize(("provider", "word", "gross", "cls"), KNOWN)
def test_a_word_means_what_the_specification_says(provider: str, word: str, gross: int, cls: C) -> None:
    made, unknown = classify(payout([line("a", word, gross)], provider=provider))
    assert made.lines[0].cls is cls
    assert unknown == ([Unmapped(word, ("a",))] if cls is C.UNCLASSIFIED else [])


def test_the_merchants_words_come_before_ours_and_a_pair_of_words_before_one() -> None:
    lines = [
        line("a", "other_adjustment", 1, kind="advance"),
        line("b", "other_adjustment", 1, kind="adjustment"),
        line("c", "contribution", -1),
        line("d", "transfer_failure", -1),
    ]
    own = {
        "Other_Adjustment/advance": C.LOAN,
        "other_adjustment": C.ADJUSTMENT,
        "contribution": C.FEE_STANDALONE,
        "transfer*": C.CONNECT,
    }
    made, unknown = classify(payout(lines), own)
    assert [one.cls for one in made.lines] == [C.LOAN, C.ADJUSTMENT, C.FEE_STANDALONE, C.CONNECT]
    assert unknown == []


def test_what_was_classified_once_is_asked_again_and_not_believed() -> None:
    spoiled = line("a", "mystery", 1, cls=C.GROSS_SALES)
    assert classify(payout([spoiled]))[0].lines[0].cls is C.UNCLASSIFIED

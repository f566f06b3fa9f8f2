"""P1 and P2: payments come to the total, and no more goes back than came in, whatever refunds there are."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.orders.model import Tender
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.rules.refunds.limits import captured, payments_add_up, within_captured
from bcns_pipeline.rules.refunds.model import Refund
from bcns_pipeline_tests.rules.refunds import world
from bcns_pipeline_tests.rules.refunds.world import payment, refund


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def test_payments_that_do_not_come_to_the_total_are_named() -> None:
    short = payments_add_up(refund(1, "10.00", "0.00", [], [payment("stripe", "9.99")]))
    assert isinstance(short, Problem)
    assert (short.code, "9.99" in short.sentence, "10.00" in short.sentence) == (
        "REFUND_DOES_NOT_ADD",
        True,
        True,
    )


def test_a_declined_payment_is_its_own_question() -> None:
    payments = [payment("stripe", "6.00", is_declined=True), payment("storecredit", "4.00")]
    found = payments_add_up(refund(1, "10.00", "0.00", [], payments))
    assert isinstance(found, Problem)
    assert (found.code, "6.00" in found.sentence) == ("REFUND_DECLINED", True)


def test_a_void_of_a_capture_takes_off_and_one_of_an_authorisation_does_not() -> None:
    taken = world.captured("30.00")
    voided = replace(taken, id=2, event="void", reference_id=1)
    held = replace(taken, id=3, event="authorization")
    gone = replace(taken, id=4, event="void", reference_id=3)
    assert captured([taken, held, gone], "USD") == {"stripe": usd(3000)}
    assert captured([taken, voided], "USD") == {"stripe": usd(0)}


def test_store_credit_may_be_given_for_money_that_came_by_card_up_to_the_order_s_total() -> None:
    one = refund(1, "30.00", "0.00", [], [payment("storecredit", "30.00", offline=True)])
    assert within_captured(one, [one], usd(3000), [world.captured("30.00")]) is None
    beyond = within_captured(one, [one], usd(2999), [world.captured("30.00")])
    assert isinstance(beyond, Problem)


@settings(max_examples=60)
@given(
    st.lists(st.integers(1, 5000), min_size=1, max_size=3),
    st.lists(
        st.lists(st.tuples(st.integers(0, 3), st.integers(1, 3000), st.booleans()), min_size=1, max_size=3),
        min_size=1,
        max_size=6,
    ),
)
def test_refunds_that_pass_never_exceed_what_was_captured_by_any_gateway(
    taken: list[int], wanted: list[list[tuple[int, int, bool]]]
) -> None:
    names = ["stripe", "braintree", "adyen", "storecredit"]
    tenders: list[Tender] = [
        world.captured(str(usd(minor).amount), names[at], at + 1) for at, minor in enumerate(taken)
    ]
    charged = usd(sum(taken))
    refunds: list[Refund] = []
    passed: list[Refund] = []
    for number, some in enumerate(wanted, 1):
        payments = [
            payment(names[at], str(usd(minor).amount), is_declined=declined) for at, minor, declined in some
        ]
        paid = sum(minor for _, minor, declined in some if not declined)
        one = refund(number, str(usd(paid).amount), "0.00", [], payments)
        # What was refused is never posted, so it takes nothing from those after it.
        if payments_add_up(replace(one, total=one.paid)) is None:
            if within_captured(one, [*passed, one], charged, tenders) is None:
                passed.append(one)
            refunds.append(one)
    back: dict[str, int] = {}
    for one in (each for some in passed for each in some.payments if not each.declined):
        back[one.provider] = back.get(one.provider, 0) + one.amount.minor
    received = dict(zip(names, taken, strict=False))
    assert all(minor <= received.get(name, 0) for name, minor in back.items() if name != "storecredit")
    assert sum(back.values()) <= charged.minor
    assert len(passed) <= len(refunds)

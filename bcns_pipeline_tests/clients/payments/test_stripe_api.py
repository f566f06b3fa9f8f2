"""Stripe by its API: what is asked, how often, and what is made of it."""

from __future__ import annotations

import json
import math
import threading
import tracemalloc
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcns_pipeline.clients.files.models import BadFile, Document
from bcns_pipeline.clients.payments import stripe_reading
from bcns_pipeline.clients.payments.minor_units import stripe_minor
from bcns_pipeline.clients.payments.models import Itemisation, PayoutSource, PayoutStatus, SourcePayout
from bcns_pipeline.outcomes import Unauthorised, Unavailable
from bcns_pipeline.rules.money import EXPONENTS
from bcns_pipeline_tests.clients.payments.example_a import payout, transactions
from bcns_pipeline_tests.clients.payments.stripe_double import KEY, NOW, StripeDouble, source

SINCE = datetime(2026, 3, 1, tzinfo=UTC)


def many(count: int) -> StripeDouble:
    """One payout of `count` lines of 1.00, and the row that the list has of the payout itself."""
    double = StripeDouble()
    own = transactions()[-1]
    line = transactions()[0]
    double.payouts = [{**payout(), "amount": 100 * count}]
    double.transactions["po_SYN0304"] = [
        {**own, "amount": -100 * count, "net": -100 * count},
        *(
            {**line, "id": f"txn_{n}", "amount": 100, "fee": 0, "net": 100, "fee_details": []}
            for n in range(count)
        ),
    ]
    return double


def example() -> StripeDouble:
    double = StripeDouble()
    double.payouts = [payout()]
    double.transactions["po_SYN0304"] = transactions()
    return double


@pytest.mark.parametrize("count", [1, 99, 100, 101, 250])
def test_a_payout_of_n_lines_costs_a_call_per_hundred_and_two(count: int) -> None:
    found, meter, gate = source(many(count))
    (listed,) = list(found.payouts(SINCE))
    (one,) = found.read_payouts(listed)
    pages = list(found.lines(one))
    settled = found.read_lines(one, pages)
    assert len(settled.lines) == count
    assert settled.rows == count + 1
    assert len(meter.calls) <= math.ceil(count / 100) + 2
    assert gate.most == 1
    assert gate.admitted == len(meter.calls)


def test_what_is_asked_of_stripe() -> None:
    double = example()
    found, meter, _ = source(double)
    (one,) = found.read_payouts(next(found.payouts(SINCE)))
    list(found.lines(one))
    lists, rows = double.asked
    assert (lists.path, dict(lists.params)) == (
        "/v1/payouts",
        {"created[gte]": str(int(SINCE.timestamp())), "expand[]": "data.balance_transaction", "limit": "100"},
    )
    assert dict(rows.params) == {"payout": "po_SYN0304", "expand[]": "data.source", "limit": "100"}
    assert double.headers[0]["Authorization"] == f"Bearer {KEY}"
    assert {call.operation for call in meter.calls} == {"GET /v1/payouts", "GET /v1/balance_transactions"}
    source_: PayoutSource = found
    assert (source_.provider, source_.account) == ("stripe", "acct1")


def test_a_page_is_handed_out_before_the_next_one_is_asked_for() -> None:
    found, meter, _ = source(many(250))
    (one,) = found.read_payouts(next(found.payouts(SINCE)))
    pages = found.lines(one)
    first = next(pages)
    assert len(meter.calls) == 2
    assert json.loads(first.content)["has_more"] is True
    assert (first.origin, first.fetched_at) == ("stripe/api", NOW)
    assert first.name.startswith("GET /v1/balance_transactions?payout=po_SYN0304&")
    assert len(first.sha256) == 64
    with pytest.raises(BadFile, match="last page"):
        found.read_lines(one, [first])
    rest = list(pages)
    with pytest.raises(BadFile, match="in row 1 already"):
        found.read_lines(one, [first, first, *rest])
    assert len(found.read_lines(one, [first, *rest]).lines) == 250


@pytest.mark.parametrize(
    ("change", "itemisation"),
    [
        ({}, Itemisation.COMPLETE),
        ({"reconciliation_status": "in_progress"}, Itemisation.PENDING),
        ({"automatic": False, "reconciliation_status": "not_applicable"}, Itemisation.NEVER),
        ({"method": "instant", "automatic": False}, Itemisation.NEVER),
    ],
)
def test_only_reconciled_automatic_payouts_are_itemised(
    change: dict[str, Any], itemisation: Itemisation
) -> None:
    double = example()
    double.payouts = [{**payout(), **change}]
    found, meter, _ = source(double)
    (one,) = found.read_payouts(next(found.payouts(SINCE)))
    assert one.itemisation is itemisation
    assert bool(list(found.lines(one))) is (itemisation is Itemisation.COMPLETE)
    assert len(meter.calls) == 1 + (itemisation is Itemisation.COMPLETE)


def test_failed_and_reversed_payouts_say_so() -> None:
    double = example()
    double.payouts = [
        {
            **payout(),
            "status": "failed",
            "failure_code": "account_closed",
            "reversed_by": "po_2",
            "amount": -500,
        }
    ]
    found, _, _ = source(double)
    (one,) = found.read_payouts(next(found.payouts(SINCE)))
    assert (one.status, one.failure_code, one.related) == (PayoutStatus.FAILED, "account_closed", ("po_2",))
    assert one.amount == -500
    double.payouts[0]["status"] = "melted"
    with pytest.raises(BadFile, match="melted"):
        found.read_payouts(next(found.payouts(SINCE)))
    # One that can't be read stops no other of its page.
    double.payouts.append({**payout(), "id": "po_other"})
    refused: dict[str, BadFile] = {}
    assert [one.id for one in found.read_payouts(next(found.payouts(SINCE)), refused)] == ["po_other"]
    ((melted, bad),) = refused.items()
    assert (melted, "'melted'" in bad.sentence) == (double.payouts[0]["id"], True)


def read(rows: list[dict[str, Any]], one: SourcePayout | None = None) -> Any:
    whole = (
        one
        or stripe_reading.read_payouts(
            Document(
                "a", "b", json.dumps({"object": "list", "has_more": False, "data": [payout()]}).encode(), NOW
            ),
            "x",
        )[0]
    )
    content = json.dumps({"object": "list", "has_more": False, "data": rows}).encode()
    return stripe_reading.read_lines(whole, [Document("stripe/api", "page", content, NOW)])


def test_an_expanded_source_brings_intent_metadata_and_what_the_shopper_paid() -> None:
    row = {
        **transactions()[0],
        "currency": "usd",
        "exchange_rate": 1.0791,
        "source": {
            "id": "ch_1",
            "object": "charge",
            "amount": 10000,
            "currency": "eur",
            "payment_intent": "pi_1",
            "metadata": {"order_id": "1001", "customer": "12345", "order_date": "20260301"},
            "payment_method_details": {"card": {"brand": "visa", "country": "DE"}},
        },
    }
    refund = {
        **transactions()[42],
        "source": {"id": "re_1", "object": "refund", "amount": 900, "currency": "eur", "charge": "ch_1"},
    }
    line, back = read([row, refund]).lines
    assert (line.presentment_amount, line.presentment_currency, str(line.rate)) == (10000, "EUR", "1.0791")
    assert line.references == ("ch_1", "pi_1")
    assert line.order_hints == ("1001", "Order 1001")
    assert (line.method, line.country) == ("visa", "DE")
    assert (back.presentment_amount, back.references) == (-900, ("re_1", "ch_1"))


def test_of_a_charge_that_was_captured_in_part_the_shopper_paid_that_part() -> None:
    whole = {"id": "ch_1", "object": "charge", "amount": 10000, "amount_captured": 6000, "currency": "usd"}
    row = {**transactions()[0], "amount": 6000, "fee": 0, "net": 6000, "fee_details": [], "source": whole}
    abroad = {**row, "id": "txn_2", "exchange_rate": 1.1, "source": {**whole, "currency": "eur"}}
    same, other = read([row, abroad]).lines
    assert (same.presentment_amount, same.presentment_currency) == (6000, "USD")
    assert (other.presentment_amount, other.presentment_currency) == (6000, "EUR")


def test_the_other_half_of_a_reserve_move_is_put_aside() -> None:
    hold = next(row for row in transactions() if row["type"] == "reserve_hold")
    other = {**hold, "id": "txn_other", "amount": 30000, "net": 30000, "balance_type": "risk_reserved"}
    found = read([*transactions(), other])
    assert sum(line.net for line in found.lines) == 567063
    assert {line.id for line in found.aside} == {"txn_SYNPO", "txn_other"}
    assert found.rows == 52


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"net": 1}, "AMOUNT"),
        ({"currency": "eur"}, "CURRENCY"),
        ({"currency": "xxx"}, "AMOUNT"),
        ({"amount": 95.03}, "SHAPE"),
        ({"amount": None}, "SHAPE"),
        ({"type": None, "reporting_category": None, "created": "yesterday"}, "SHAPE"),
        ({"id": "txn_SYNR1"}, "DUPLICATE"),
        ({"amount": 10**16, "net": 10**16, "fee": 0}, "AMOUNT"),
        ({"created": 1_772_600_000_000}, "AMOUNT"),
    ],
)
def test_a_row_of_another_shape_is_refused(change: dict[str, Any], code: str) -> None:
    rows = transactions()
    rows[4] = {**rows[4], **change}
    with pytest.raises(BadFile) as caught:
        read(rows)
    assert caught.value.code == code
    assert caught.value.file == "page"


def test_a_payout_row_with_another_amount_is_refused() -> None:
    rows = transactions()
    rows[-1] = {**rows[-1], "amount": -567062, "net": -567062}
    with pytest.raises(BadFile, match="567062 minor units") as caught:
        read(rows)
    assert caught.value.code == "TOTALS"


def test_overload_and_broken_answers_are_asked_again() -> None:
    double = example()
    double.faults = [
        httpx.Response(429, headers={"Retry-After": "2"}, json={"error": {"message": "Too many requests"}}),
        httpx.Response(200, content=b'{"object": "list", "has_more": fal'),
        httpx.Response(409, json={"error": {"code": "lock_timeout", "message": "try later"}}),
    ]
    found, meter, _ = source(double)
    assert len(found.read_payouts(next(found.payouts(SINCE)))) == 1
    assert [call.status for call in meter.calls] == [429, 200, 409, 200]


def test_a_wrong_key_is_told_without_the_key() -> None:
    found, _, _ = source(example(), key="rk_live_wrongwrong")
    with pytest.raises(Unauthorised) as caught:
        next(found.payouts(SINCE))
    assert "Invalid API Key" in str(caught.value)
    assert "rk_live" not in str(caught.value)
    assert "sk_test" not in str(caught.value)


def test_a_list_that_walks_in_circles_is_an_error() -> None:
    double = many(150)
    stuck = {"object": "list", "has_more": True, "data": double.transactions["po_SYN0304"][:100]}
    double.faults = [lambda _: httpx.Response(200, json=stuck)] * 2
    found, _, _ = source(double)
    one = SourcePayout("stripe", "acct1", "po_SYN0304", "USD", 15000, PayoutStatus.PAID, date(2026, 3, 4))
    with pytest.raises(Unavailable, match="circles"):
        list(found.lines(one))


def test_the_balance_now_and_at_a_moment_in_the_past() -> None:
    double = example()
    double.balance["available"] = [
        {"amount": 100000, "currency": "usd"},
        {"amount": 12300, "currency": "isk"},
    ]
    double.balance["pending"] = [{"amount": -500, "currency": "usd"}]
    found, _, _ = source(double)
    (now,) = found.read_balances(list(found.balance()))
    assert now.amounts == (("ISK", 123), ("USD", 99500))
    at = datetime(2026, 3, 2, tzinfo=UTC)
    (then,) = found.read_balances(list(found.balance(at)), [at])
    later = sum(row["net"] for row in transactions() if row["created"] >= at.timestamp())
    assert then.amounts == (("ISK", 123), ("USD", 99500 - later))
    assert then.at == at
    assert found.read_balances([]) == []


@pytest.mark.parametrize(("days", "spans"), [(0.25, 1), (1, 1), (7, 7), (7.5, 8), (400, 32)])
def test_what_happened_since_a_moment_is_read_by_spans_that_leave_nothing_out(
    days: float, spans: int
) -> None:
    double, at = StripeDouble(), NOW - timedelta(days=days)
    first, last = int(at.timestamp()), int(NOW.timestamp())
    line = {**transactions()[0], "amount": 100, "fee": 0, "net": 100, "fee_details": []}
    moments = sorted({first, last - 1, *range(first, last, max(1, (last - first) // 1_200))})
    # One a second before is not looked at.
    double.transactions["po_SYN0304"] = [
        {**line, "id": f"txn_{n}", "created": when} for n, when in enumerate([first - 1, *moments])
    ]
    double.balance["available"] = [{"amount": 100 * len(moments) + 7, "currency": "usd"}]
    found, _, gate = source(double)
    pages = list(found.balance(at))
    (told,) = found.read_balances(pages, [at])
    assert told.amounts == (("USD", 7),)
    firsts = [url for url in double.asked[1:] if "starting_after" not in url.params]
    assert len(firsts) == spans
    assert len(pages) == len(double.asked) == len(set(double.asked))
    assert double.asked[0].path == "/v1/balance"
    assert gate.most <= 4


def test_balances_of_many_moments_out_of_one_reading_are_those_of_each_alone() -> None:
    double = StripeDouble()
    line = {**transactions()[0], "fee": 0, "fee_details": []}
    ends = [NOW - timedelta(days=days) for days in (6, 3, 3, 1)]
    # On each end, and a second before and after it.
    moments = [int(end.timestamp()) + off for end in ends for off in (-1, 0, 1)]
    double.transactions["po_SYN0304"] = [
        {**line, "id": f"txn_{n}", "created": when, "amount": 3**n, "net": 3**n}
        for n, when in enumerate(moments)
    ]
    double.balance["available"] = [{"amount": 3**20, "currency": "usd"}]
    found, _, _ = source(double)
    ats: list[datetime | None] = [ends[1], None, *ends]
    together = found.read_balances(list(found.balance(min(ends))), ats)
    assert [one.at for one in together] == [at or NOW for at in ats]
    alone = [found.read_balances(list(found.balance(at)), [at])[0] for at in ats]
    assert [one.amounts for one in together] == [one.amounts for one in alone]
    assert len({one.amounts for one in together}) == 4


def test_spans_are_read_side_by_side() -> None:
    double, together = StripeDouble(), threading.Barrier(4)

    def meet(_: httpx.Request) -> httpx.Response:
        together.wait(timeout=20)
        return httpx.Response(200, json={"object": "list", "has_more": False, "data": []})

    double.faults = [httpx.Response(200, json=double.balance), meet, meet, meet, meet]
    found, _, _ = source(double)
    assert len(list(found.balance(NOW - timedelta(days=4)))) == 5


def test_arrival_is_the_day_in_utc() -> None:
    double = example()
    double.payouts[0]["arrival_date"] = int(datetime(2026, 3, 4, tzinfo=UTC).timestamp())
    found, _, _ = source(double)
    assert found.read_payouts(next(found.payouts(SINCE)))[0].arrival_date == date(2026, 3, 4)


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        (1234, "JPY", 1234),
        (1234, "USD", 1234),
        (12340, "BHD", 12340),
        (123400, "ISK", 1234),
        (123400, "UGX", 1234),
        (500, "MGA", 50000),
        (1000, "HUF", 1000),
    ],
)
def test_digits_are_stripes_own(amount: int, currency: str, minor: int) -> None:
    assert stripe_minor(amount, currency) == minor


def test_digits_that_would_be_lost_are_refused() -> None:
    with pytest.raises(ValueError, match="more digits"):
        stripe_minor(123450, "ISK")
    with pytest.raises(ValueError, match="ISO 4217"):
        stripe_minor(1, "XXX")


@given(st.integers(-(10**12), 10**12), st.sampled_from(sorted(EXPONENTS)))
def test_stripes_digits_add_nothing_and_lose_nothing(amount: int, currency: str) -> None:
    try:
        minor = stripe_minor(amount, currency)
    except ValueError:
        return
    # The amount of money is the same: whichever way of writing has more digits, it has only noughts more.
    fewer, more = sorted((str(abs(amount)), str(abs(minor))), key=len)
    assert more.rstrip("0") == fewer.rstrip("0")
    assert (amount > 0, amount < 0) == (minor > 0, minor < 0)


def test_forints_are_paid_out_in_whole_units() -> None:
    double = example()
    double.payouts[0]["currency"] = "huf"
    found, _, _ = source(double)
    assert found.read_payouts(next(found.payouts(SINCE)))[0].whole_units_only


def test_twenty_five_thousand_lines_take_a_call_per_hundred_and_little_memory() -> None:
    double = many(25_000)
    found, meter, _ = source(double)
    (one,) = found.read_payouts(next(found.payouts(SINCE)))
    # Pages are read as they come, none is held; what remains is the lines.
    pages = found.lines(one)
    first = [next(pages) for _ in range(10)]
    tracemalloc.start()
    with pytest.raises(BadFile, match="last page"):
        found.read_lines(one, first)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1000 * 4096
    assert sum(1 for _ in pages) == 251 - len(first)
    assert len(meter.calls) == 25_000 / 100 + 2


def test_disputes_are_listed_by_the_hundred_and_an_unknown_word_is_no_end() -> None:
    double = StripeDouble()
    words = ("lost", "won", "needs_response", "warning_closed", "a_word_of_next_year")
    began = int(SINCE.timestamp())
    double.disputes = [
        {"id": f"du_{n}", "status": words[n % 5], "created": began + n,
         "evidence_details": {"due_by": began} if n else None}
        for n in range(150)
    ]  # fmt: skip
    found, meter, _ = source(double)
    told = [one for page in found.disputes(SINCE) for one in found.read_disputes(page)]
    assert [one.status.value for one in told[:5]] == ["lost", "won", "open", "open", "open"]
    assert (told[0].due_by, told[1].due_by) == (None, date(2026, 3, 1))
    assert (len(told), len(meter.calls)) == (150, 2)
    double.disputes = [{"id": "du_1", "created": began}]
    with pytest.raises(BadFile, match="a record without status"):
        found.read_disputes(next(found.disputes(SINCE)))
    double.disputes.append({"object": "dispute", "status": "lost", "created": began})
    double.disputes.append({"id": "du_2", "status": "lost", "created": began})
    refused: dict[str, BadFile] = {}
    (one,) = found.read_disputes(next(found.disputes(SINCE)), refused)
    assert (one.id, set(refused)) == ("du_2", {"du_1", ""})


def test_what_an_instant_payout_cost_is_in_its_own_transaction() -> None:
    double = StripeDouble()
    own = {"id": "txn_1", "amount": -9900, "fee": 100, "net": -10000}
    double.payouts = [{**payout(), "amount": 9900, "method": "instant", "balance_transaction": own}]
    found, _, _ = source(double)
    (page,) = found.payouts(SINCE)
    (one,) = found.read_payouts(page)
    assert (one.amount, one.fee, one.itemisation) == (9900, 100, Itemisation.NEVER)
    assert double.asked[-1].params["expand[]"] == "data.balance_transaction"

"""The roll-forward closes in each currency, whatever was captured and paid out in, and reversals open it again.

NetSuite's own balances by currency are added up here from what was booked, so that nothing is compared with itself.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bcns_pipeline.rules.close.clearing import roll_forwards, shown
from bcns_pipeline.rules.close.evidence import Ledger, Outside
from bcns_pipeline.rules.payouts.roll_forward import Movement, RollForward, stale

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 31)
CLEARING = 1130


class Books:
    """What stands in NetSuite and in our own records of one clearing account."""

    def __init__(self) -> None:
        self.booked: list[dict[str, Any]] = []
        self.entries: list[dict[str, Any]] = []
        self.settled: list[dict[str, Any]] = []
        self.ledger: dict[tuple[int, str], list[int]] = defaultdict(lambda: [0, 0])

    def record(self, key: str, amount: int, currency: str) -> None:
        """A capture, or with an amount below 0 a refund."""
        movement = "capture" if amount > 0 else "refund"
        self.booked.append({
            "natural_key": key, "account": CLEARING, "currency": currency, "amount": amount, "day": date(2026, 3, 2),
            "order_id": 1, "movement": movement,
        })  # fmt: skip
        self.ledger[CLEARING, currency][0] += amount

    def entry(
        self, key: str, amount: int, currency: str, *, kind: str = "payout", reverses: str | None = None,
        approved: bool = True, day: int = 10, kept_by: str | None = None,
    ) -> None:  # fmt: skip
        """A line of an entry on the account."""
        self.entries.append({
            "natural_key": key, "kind": kind, "tran_date": date(2026, 3, day), "currency": currency,
            "approved": approved, "reverses": reverses, "account": CLEARING, "role": "clearing",
            "debit": max(amount, 0), "credit": max(-amount, 0), "kept_by": kept_by,
        })  # fmt: skip
        self.ledger[CLEARING, currency][not approved] += amount

    def settles(self, journal: str, key: str, amount: int, currency: str, given: int, of: str | None) -> None:
        """A line of an entry that takes `amount` of `currency` off the account, for a record in the currency `of`."""
        self.settled.append({
            "journal": journal, "key": key, "order_id": 1, "line_id": f"l-{key}", "gross": -amount,
            "currency": currency, "account": None if of is None else CLEARING, "record_currency": of,
            "given": given, "amount": amount,
        })  # fmt: skip

    def rolled(self) -> dict[str, RollForward]:
        """By currency, beside what NetSuite shows."""
        outside = Outside({where: Ledger(*both) for where, both in self.ledger.items()})
        found = roll_forwards(self.booked, self.entries, self.settled, FIRST, LAST, outside)
        return {one.currency: one for one in found}


def test_euros_that_are_paid_out_in_dollars_close_in_both_currencies() -> None:
    """Example B: 100.00 EUR carried at 108.50 USD; the entry takes out what was carried."""
    books = Books()
    books.record("deposit-1", 10_000, "EUR")
    books.record("deposit-2", 5_000, "EUR")
    books.entry("po_1", -10_850, "USD")
    books.settles("po_1", "deposit-1", -10_850, "USD", 10_000, "EUR")
    rolled = books.rolled()
    euros, dollars = rolled["EUR"], rolled["USD"]
    assert (euros.ledger, dollars.ledger) == (15_000, -10_850)
    assert euros.movements[Movement.CONVERTED] == -10_000
    assert dollars.movements[Movement.CONVERTED] == 10_850
    assert [(one.key, one.amount) for one in euros.open_items] == [("deposit-2", 5_000)]
    assert (dollars.open_items, dollars.closing) == ((), 0)
    assert euros.closed
    assert dollars.closed
    lines = {row["line"]: row["amount_minor"] for row in shown(dollars, None, Outside({}))}
    assert lines["converted by payouts"] == 10_850
    assert lines["the same, with what payouts converted (NetSuite keeps both currencies)"] == 0


def test_a_balance_that_a_provider_keeps_is_one_open_item_as_old_as_its_last_payout() -> None:
    """PayPal pays out of a balance: each report brings forward what the one before has carried forward."""
    books = Books()
    who = "paypal MERCH1"
    for number, (brought, carried) in enumerate([(0, 7_500), (7_500, 2_000), (2_000, 4_300)], 1):
        for amount in (-brought, carried):
            books.entry(f"po_{number}", amount, "USD", day=number, kept_by=who)
    rolled = books.rolled()["USD"]
    assert rolled.closed
    (left,) = rolled.open_items
    assert (left.key, left.amount, left.since.day) == (f"balance kept by {who}", 4_300, 3)
    assert left.reference == "po_3"
    # Not a word about it until nothing was heard for long; the rest of an entry is as old as the entry.
    assert stale(rolled, LAST.day - 3) == []
    (told,) = stale(rolled, LAST.day - 4)
    assert who in told.message
    books.entry("po_4", -100, "USD", day=4)
    assert {one.key: one.amount for one in books.rolled()["USD"].open_items} == {
        left.key: 4_300,
        "po_4": -100,
    }


def test_what_waits_for_approval_is_converted_with_its_entry() -> None:
    books = Books()
    books.record("deposit-1", 10_000, "EUR")
    books.entry("po_1", -10_850, "USD", approved=False)
    books.settles("po_1", "deposit-1", -10_850, "USD", 10_000, "EUR")
    rolled = books.rolled()
    assert (rolled["EUR"].closing, rolled["EUR"].awaiting, rolled["EUR"].ledger) == (0, -10_000, 10_000)
    assert [one.unexplained for one in rolled.values()] == [0, 0]
    assert all(one.awaits and not one.closed for one in rolled.values())


def test_a_companion_is_the_rest_of_a_conversion_and_its_reversal_takes_it_back() -> None:
    """Dollars that are paid out in euros: the companion takes what the books still carry, and nothing stays open."""
    books = Books()
    books.record("deposit-1", 10_000, "USD")
    books.entry("po_1", -9_200, "EUR")
    books.settles("po_1", "deposit-1", -9_200, "EUR", 10_000, "USD")
    books.entry("fx_1", -64, "USD", kind="fx_residual")
    assert all(one.closed and not one.open_items for one in books.rolled().values())
    books.entry("fx_1-rev1", 64, "USD", kind="reversal", reverses="fx_1")
    books.entry("po_1-rev1", 9_200, "EUR", kind="reversal", reverses="po_1")
    rolled = books.rolled()
    assert [(one.key, one.amount) for one in rolled["USD"].open_items] == [("deposit-1", 10_000)]
    assert rolled["EUR"].open_items == ()
    assert [one.unexplained for one in rolled.values()] == [0, 0]


def test_a_line_without_a_record_stays_open_on_the_account_of_the_others() -> None:
    books = Books()
    books.record("deposit-1", 10_000, "USD")
    books.entry("po_1", -12_000, "USD")
    books.settles("po_1", "deposit-1", -10_000, "USD", 10_000, "USD")
    books.settles("po_1", "po_1/l9", -2_000, "USD", 0, None)
    (one,) = books.rolled().values()
    assert [(item.key, item.amount) for item in one.open_items] == [("po_1/l9", -2_000)]
    assert one.closed


def test_what_was_taken_over_at_the_cutover_is_open_until_it_is_paid_out() -> None:
    books = Books()
    books.entry("opening", 9_000, "USD", kind="opening")
    books.entry("po_1", -5_000, "USD")
    books.settles("po_1", "opening", -5_000, "USD", 0, None)
    (one,) = books.rolled().values()
    assert one.movements[Movement.TAKEN_OVER] == 9_000
    assert [(item.key, item.amount) for item in one.open_items] == [("opening", 4_000)]
    books.entry("po_2", -4_000, "USD")
    books.settles("po_2", "opening", -4_000, "USD", 0, None)
    (one,) = books.rolled().values()
    assert (one.open_items, one.closed) == ((), True)


CURRENCIES = st.sampled_from(["USD", "EUR", "JPY"])
LIFE = st.tuples(
    CURRENCIES, CURRENCIES, st.integers(1, 10**7), st.integers(1, 10**7), st.booleans(),
    st.sampled_from(["open", "settled", "awaiting", "reversed", "corrected"]), st.integers(-500, 500),
)  # fmt: skip


@settings(max_examples=80)
@given(st.lists(LIFE, max_size=8))
def test_any_mix_of_currencies_closes_to_its_open_items_and_to_netsuite(lives: list[Any]) -> None:
    books, left = Books(), set()
    for number, (of, into, given_, taken, back, end, rest) in enumerate(lives):
        sign, key, journal = (-1 if back else 1), f"record-{number}", f"po_{number}"
        books.record(key, sign * given_, of)
        # A record in the payout's own currency is taken out as it was booked.
        out = -sign * (given_ if of == into else taken)
        versions = {"open": 0, "settled": 1, "awaiting": 1, "reversed": 1, "corrected": 2}[end]
        for version in range(1, versions + 1):
            name = f"{journal}-v{version}"
            books.entry(name, out, into, approved=end != "awaiting")
            books.settles(name, key, out, into, given_, of)
            books.entry(f"fx-{name}", rest, "USD", kind="fx_residual")
            if version == 1 and end in ("reversed", "corrected"):
                books.entry(f"{name}-rev", -out, into, kind="reversal", reverses=name)
                books.entry(f"fx-{name}-rev", -rest, "USD", kind="reversal", reverses=f"fx-{name}")
        if end in ("open", "reversed"):
            left.add((key, of, sign * given_))
    rolled = books.rolled()
    open_ = {(one.key, found.currency, one.amount) for found in rolled.values() for one in found.open_items}
    assert open_ == left
    for found in rolled.values():
        assert found.unexplained == 0
        assert sum(one.amount for one in found.open_items) == found.closing

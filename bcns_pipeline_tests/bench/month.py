"""A month of orders: their captures, invoices, refunds and payouts, until every cent has its place.

Run `python -m bcns_pipeline_tests.bench month [ORDERS]`. Put the shop's month and the arithmetic here, and nothing that
is measured inside the product (`month_lane.py`).

What is measured: cash_application, refund_sync, payout_posting and daily_tie_out, from the first order whose payments
nobody has read to the last day that is tied out (all days in one run), one after the other. That orders are in NetSuite
is made before, by the real flow, without latency; shipments, refunds and payouts are the sandbox's own doing. Three
orders in fifty are refunded (all of it, a unit, or an amount), 333 orders are a day, and each day is a payout.

The fewest calls to NetSuite:
  writes  for each order its deposit, its invoice and what settles one with the other; for each refund its credit and
          its payment; for each payout its entry (the record API has no batch that answers ids per record);
  reads   for each batch of 500 orders what moved, its headers and its records before, in between and after, by pages
          of 1,000 rows; for each run of refunds the same of its orders and records, and their lines; for each run of
          payouts accounts, periods, and its entries' headers and lines; for each day two of its clearing accounts.
Floor = the fewest calls x latency / slots at NetSuite, or the reads of payments x latency / slots at BigCommerce, or
those by the quota of its plan: the largest. Times under load never enter it.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from bcns_pipeline.cli.local_money import money_sections
from bcns_pipeline.cli.local_orders import TIMEZONE
from bcns_pipeline.cli.local_payouts import payouts_section
from bcns_pipeline.config import Mapping
from bcns_pipeline.defs.cash.automation import RUNS_AT_ONCE
from bcns_pipeline.defs.close import reports
from bcns_pipeline.rules.close.tie_out import OrderTie, Reason
from bcns_pipeline.rules.money import Money
from bcns_pipeline.state.engine import create_engine, embedded_url
from bcns_pipeline.state.store import State
from bcns_pipeline_tests.bench.order_bench import (
    BIGCOMMERCE,
    NETSUITE,
    PRO,
    SHOP_SLOTS,
    SLOTS,
    WINDOW,
    Place,
    measured,
    pieces,
    place,
    total,
)

ORDERS, A_DAY, BATCH, PAGE = 2_000, 333, 500, 1_000
# Three in fifty.
REFUNDED = (7, 23, 41)
LANE = "bcns_pipeline_tests.bench.month_lane"
DAY = 86_400
CLEARING = "1130"


@dataclass(frozen=True, slots=True)
class Month:
    """What the shop did. `days` in UTC, as providers count; `ids` in the order placed."""

    days: Sequence[date]
    ids: Sequence[int]
    refunds: int


def main(count: int = ORDERS) -> int:
    """Print one line per figure; returns how many were missed."""
    # One more is kept for the fast lane, whose work this is not.
    with place() as here:
        here.extra["BCNS_NETSUITE_CONCURRENCY"] = str(SLOTS + 1)
        _map(here)
        began = time.monotonic()
        month = sold(here, count)
        print(
            f"{count:,} orders, of which {month.refunds:,} are refunded, in {len(month.days)} payouts; "
            f"{NETSUITE * 1000:.0f} ms a NetSuite call on {SLOTS} slots, {BIGCOMMERCE * 1000:.0f} ms any other; "
            "measured: cash_application, refund_sync, payout_posting, daily_tie_out. Made before, without latency: "
            f"orders in the shop and in NetSuite, and their shipments ({time.monotonic() - began:.0f} s)",
            flush=True,
        )
        here.control.limits(quota=PRO, quota_window_ms=WINDOW * 1000)
        here.weather(calm=False)
        here.control.clear_log()
        lanes = {"cash": together(here, "cash_application")}
        calls = {"cash": here.calls()}
        month = given_back(here, month)
        for name, job in (("refunds", "refund_sync"), ("payouts", "payout_posting")):
            if name == "payouts":
                paid_out(here, month)
            here.control.clear_log()
            lanes[name] = together(here, job, lanes=1)
            calls[name] = here.calls()
        here.control.clear_log()
        days = store_days(month)
        lanes["tie-out"] = together(here, "daily_tie_out", days[0], days[-1], lanes=1)
        calls["tie-out"] = here.calls()
        here.weather(calm=True)
        rows(here, month, lanes, calls)
        right(here, month)
        return here.missed


def _map(here: Place) -> None:
    path, accounting = here.home / "bcns.yaml", here.sandbox.accounting
    document = {**yaml.safe_load(path.read_text()), **money_sections(accounting)}
    path.write_text(yaml.safe_dump({**document, "payouts": payouts_section(accounting)}))


# --- the month ---------------------------------------------------------------------------------------------


def sold(here: Place, count: int) -> Month:
    """Orders over the days up to now, in NetSuite and shipped on the day after they were placed, or today."""
    control, today = here.control, datetime.now(UTC).date()
    many = pieces(count, A_DAY) if count % A_DAY > A_DAY // 2 else max(1, count // A_DAY)
    days = [today - timedelta(days=many - 1 - n) for n in range(many)]
    where = int(here.sandbox.accounting["locations_by_subsidiary"]["1"][0])
    goods = sorted({row["sku"] for row in control.inventory() if row["sku"]})
    control.adjust([{"sku": sku, "location": where, "on_hand": 1_000_000} for sku in goods])
    within = (many - 1) * DAY + int((datetime.now(UTC) - _midnight(today)).total_seconds())
    ids = control.shop_orders(count, restock=True, within_seconds=within)
    here.weather(calm=True)
    here.lane("orders")
    zone = ZoneInfo(TIMEZONE)
    for one in _pages(here, ids):
        placed = datetime.strptime(one["date_created"], "%a, %d %b %Y %H:%M:%S %z")
        shipped = min(placed + timedelta(days=1), datetime.now(UTC)).astimezone(zone).date()
        control.fulfil(f"bc-{here.store}-order-{one['id']}", date=shipped.isoformat())
    return Month(days, ids, sum(n % 50 in REFUNDED for n in range(count)))


def _pages(here: Place, ids: Sequence[int]) -> Any:
    for start in range(0, len(ids), BATCH):
        yield from here.control.shop_state(*ids[start : start + BATCH])


def given_back(here: Place, month: Month) -> Month:
    """Refunds, each on the day of the last order before it: all of an order, a unit of it, or an amount."""
    made, share = 0, len(month.ids) / len(month.days)
    for n, order_id in enumerate(month.ids):
        if n % 50 not in REFUNDED:
            continue
        ago = (len(month.days) - 1 - int(n // share)) * DAY
        here.control.clock(offset_seconds=-ago)
        (order,) = here.control.shop_state(order_id)
        line = {"line_id": order["consignments"]["shipping"][0]["line_items"][0]["id"], "quantity": 1}
        how: list[dict[str, Any]] = [{}, {"lines": [line]}, {"amount": "1.50", "reason": "Goodwill"}]
        here.control.refund_order(order_id, **how[made % 3])
        made += 1
    here.control.clock(offset_seconds=0)
    return Month(month.days, month.ids, made)


def paid_out(here: Place, month: Month) -> None:
    """A payout for each day, of all that came in by its end."""
    for day in month.days:
        here.control.payout_day("stripe", on=day.isoformat(), arrives=0, status="paid")


def store_days(month: Month) -> list[str]:
    """The days on which the store counts these orders."""
    return [str(month.days[0] - timedelta(days=1)), *map(str, month.days)]


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


# --- what it took ------------------------------------------------------------------------------------------


def together(here: Place, job: str, *arguments: str, lanes: int = RUNS_AT_ONCE) -> dict[str, Any]:
    """What lanes that ran side by side took: all runs and CPU, and the memory of the larger one."""
    began = time.time()
    started = [here.start(LANE, job, *arguments) for _ in range(lanes)]
    found = [measured(one) for one in started]
    runs = [run for lane in found for run in lane["runs"]]
    first, last = min(run["began"] for run in runs), max(run["began"] + run["wall"] for run in runs)
    print(
        f"  {job}: {len(runs)} runs, {last - first:.1f} s ({time.time() - began:.1f} with the start of processes)"
    )
    return {
        "runs": runs,
        "wall": last - first,
        "peak_mb": max(lane["peak_mb"] for lane in found),
        "cpu_seconds": sum(lane["cpu_seconds"] for lane in found),
    }


def least(month: Month) -> dict[str, tuple[int, int]]:
    """{part: fewest (writes, reads) at NetSuite}."""
    orders, refunds, days = len(month.ids), month.refunds, len(month.days)
    cash = 0
    for start in range(0, orders, BATCH):
        size = min(BATCH, orders - start)
        # What moved; headers and shipments; headers again, with shipment, deposit and invoice; three records each.
        cash += 1 + 1 + pieces(size, PAGE) + 1 + pieces(3 * size, PAGE) + pieces(4 * size, PAGE)
    back = sum(
        # Headers, what is there, lines (three an order), and the two records of each.
        1 + 1 + pieces(3 * min(BATCH, refunds - start), PAGE) + pieces(2 * min(BATCH, refunds - start), PAGE)
        for start in range(0, refunds, BATCH)
    )
    # Accounts and periods; headers and lines read back, six of an entry.
    paid = 2 + pieces(days, BATCH) + pieces(days * 6, PAGE)
    # What the clearing accounts hold, and what others booked there.
    ties = 2 * len(store_days(month))
    return {
        "cash": (3 * orders, cash),
        "refunds": (2 * refunds, back),
        "payouts": (days, paid),
        "tie-out": (0, ties),
    }


def rows(here: Place, month: Month, lanes: dict[str, dict[str, Any]], calls: dict[str, Counter[str]]) -> None:
    here.line("work", "figure", "floor", "ratio", reached=None)
    fewest, asked, read = 0, 0, 0
    for name, (writes, reads) in least(month).items():
        tokens = total(calls[name], "netsuite.token")
        made = total(calls[name], "netsuite.") - tokens
        queries = total(calls[name], "netsuite.suiteql")
        read += total(calls[name], "bigcommerce.")
        here.line(
            f"{name}: NetSuite calls, {made - queries:,} writes + {queries:,} queries (and {tokens} tokens)",
            f"{made:,}", f"{writes:,} + {reads:,}", f"{made / (writes + reads):.3f}", reached=None,
        )  # fmt: skip
        fewest, asked = fewest + writes + reads, asked + made
    here.line(
        "month: NetSuite calls to the minimum (<= 1.07)", f"{asked:,}", f"{fewest:,}", f"{asked / fewest:.3f}",
        reached=asked <= 1.07 * fewest,
    )  # fmt: skip
    payments = len(month.ids)
    floor = max(fewest * NETSUITE / SLOTS, payments * BIGCOMMERCE / SHOP_SLOTS, (payments / PRO - 1) * WINDOW)
    wall = sum(one["wall"] for one in lanes.values())
    here.line(
        "month: wall (<= 1.2)", f"{wall:.1f} s", f"{floor:.1f} s", f"{wall / floor:.2f}", reached=wall <= 1.2 * floor
    )  # fmt: skip
    here.line("month: calls to BigCommerce", f"{read:,}", f"{payments:,}", "-", reached=None)
    peak = max(one["peak_mb"] for one in lanes.values())
    here.line("month: peak memory", f"{peak:.0f} MB", "-", "-", reached=None)
    cpu = sum(one["cpu_seconds"] for one in lanes.values())
    here.line(
        "month: CPU of our processes",
        f"{cpu:.1f} s",
        "-",
        f"{cpu / len(month.ids) * 1000:.1f} ms",
        reached=None,
    )
    for name, one in lanes.items():
        steps: Counter[str] = Counter()
        for run in one["runs"]:
            steps.update(run["steps"])
        shown = ", ".join(f"{step} {seconds:.1f}" for step, seconds in steps.most_common() if seconds >= 0.1)
        print(
            f"  {name}: {len(one['runs'])} runs; by step (s): {shown}; CPU {one['cpu_seconds']:.1f}; "
            f"{one['peak_mb']:.0f} MB; calls {dict(calls[name])}"
        )


# --- whether it is right -----------------------------------------------------------------------------------


def right(here: Place, month: Month) -> None:
    """Nothing is unknown, nothing waits for a person, and NetSuite's own ledger says the same."""
    engine = create_engine(embedded_url(here.home / ".bcns"))
    try:
        state = State(engine, here.store, run_id="bench")
        today = datetime.now(UTC).date() + timedelta(days=1)
        about = reports.about(state, month.days[0] - timedelta(days=1), today, Mapping())
        ties = reports.ties(state, about)
        questions = Counter(one.code for one in state.exceptions.find())
    finally:
        engine.dispose()
    unknown = sum(one.unknown for one in ties)
    parts: Counter[Reason] = Counter()
    for one in ties:
        parts.update(one.parts)
    said = ", ".join(f"{reason.value} {Money(minor, 'USD').amount}" for reason, minor in parts.items())
    print(f"  every cent of {len(ties):,} orders: {said}; open questions: {dict(questions) or 'none'}")
    placed = parts[Reason.AWAITING_APPROVAL] + parts[Reason.BANK_NOT_EVIDENCED]
    net = sum(one.net for one in ties)
    here.line(
        "month: captures and refunds that a payout's entry settles", f"{_usd(placed)}", f"{_usd(net)}", "-",
        reached=placed == net and len(ties) == len(month.ids),
    )  # fmt: skip
    here.line("month: UNKNOWN", f"{_usd(unknown)}", "0.00", "-", reached=unknown == 0)
    _ledger(here, month, ties)


def _ledger(here: Place, month: Month, ties: Sequence[OrderTie]) -> None:
    """Shop, provider and NetSuite against each other and against us; once all is approved, clearing is empty."""
    shop = Decimal(0)
    for order in _pages(here, month.ids):
        for one in order["transactions"]:
            sign = -1 if one["event"] == "refund" else 1
            shop += sign * Decimal(str(one["amount"])) * (one["status"] == "ok")
    ours = Decimal(sum(one.net for one in ties)) / 100
    entries = here.control.transactions(type="journalEntry")
    here.line(
        "payouts: entries in NetSuite", f"{len(entries)}", f"{len(month.days)}", "-",
        reached=len(entries) == len(month.days),
    )  # fmt: skip
    here.control.approve_journal()
    balances = {number: Decimal(str(one)) for number, one in here.control.ledger()["balances"].items()}
    bank = sum((Decimal(one["amount"]) for one in here.control.payouts_state()), Decimal(0))
    found = {
        "captured less refunded, the shop and us": shop - ours,
        "receivable": balances.get("1200", Decimal(0)),
        "customer deposits": balances.get("2300", Decimal(0)),
        "clearing": balances.get(CLEARING, Decimal(0)),
        "bank less payouts": balances.get("1010", Decimal(0)) - bank,
    }
    off = {name: one for name, one in found.items() if one}
    here.line(
        "month: off by the ledger of NetSuite, the shop and the provider",
        f"{sum(map(abs, off.values()), Decimal(0)):.2f}", "0.00", "-", reached=not off,
    )  # fmt: skip
    if off:
        print(f"  {', '.join(f'{name} {one}' for name, one in off.items())}")


def _usd(minor: int) -> str:
    return f"{Money(minor, 'USD').amount:,}"


if __name__ == "__main__":
    raise SystemExit(1 if main() else 0)

"""Figures of payouts: matching 1,000,000 lines to orders, and 10,000 lives of orders that end with nothing unknown.

Run `python -m bcns_pipeline_tests.bench payouts [lines] [lives]`. Put what is measured of links and rules here; whole
runs against the sandbox are elsewhere. Lines come in payouts of 10,000, and each is matched as the flow does it: its
references are looked up in the state's table of transactions, and what is found is handed to the rules.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import sqlalchemy as sa

from bcns_pipeline.rules.payouts.links import LinkIndex, ShopTransaction, Step, link
from bcns_pipeline.rules.payouts.model import LineClass, PayoutLine
from bcns_pipeline.state.embedded import EmbeddedServer
from bcns_pipeline.state.engine import create_engine
from bcns_pipeline.state.migrate import upgrade
from bcns_pipeline.state.store import State
from bcns_pipeline_tests.rules.payouts.keeping import keep
from bcns_pipeline_tests.rules.payouts.lives import live

STORE = "bench"
FEW, PAYOUT, AT_ONCE = 10_000, 10_000, 5_000
MOST = 1.3
ROUNDS = 7
# One transaction in ten has an id of two parts, as Square's have.
FILL = sa.text("""
insert into bcns.tender (store, transaction_id, order_id, event, method, gateway, gateway_id, amount_minor, currency,
                         status, test, happened_at)
select :store, n, 100000 + n, 'purchase', 'credit_card', 'stripe',
       case when n % 10 = 0 then 'sq_' || n || '|ch_' || n else 'ch_' || n end,
       1000 + n % 9000, 'USD', 'ok', false, now()
from generate_series(cast(:first as bigint), cast(:last as bigint)) n
""")


def lines(first: int) -> list[PayoutLine]:
    """One payout's: the charges of neighbouring orders, in no order."""
    numbers = list(range(first, first + PAYOUT))
    Random(first).shuffle(numbers)
    return [
        PayoutLine(
            f"txn_{n}", "charge", 1000 + n % 9000, 59, 941 + n % 9000, "USD", LineClass.GROSS_SALES,
            references=(f"ch_{n}", f"pi_{n}"),
        )
        for n in numbers
    ]  # fmt: skip


def matched(state: State, given: Sequence[PayoutLine]) -> int:
    """How many of one payout's lines are linked for certain."""
    index = LinkIndex(_known(state, given))
    links = link(given, index)
    return sum(one.step is Step.TRANSACTION for one in links.values())


def _known(state: State, given: Sequence[PayoutLine]) -> Iterator[ShopTransaction]:
    references = sorted({one for line in given for one in line.references})
    orders: set[int] = set()
    for start in range(0, len(references), AT_ONCE):
        for some in state.cash.by_gateway_ids(references[start : start + AT_ONCE]).values():
            orders.update(one.order_id for one in some)
    numbers = sorted(orders)
    for start in range(0, len(numbers), AT_ONCE):
        for tenders in state.cash.tenders(numbers[start : start + AT_ONCE]).values():
            for one in tenders:
                ids = (one.gateway_id,)
                yield ShopTransaction(
                    one.transaction_id, one.order_id, False, one.amount.minor, one.amount.currency, ids
                )


def matching(most: int) -> int:
    """Print lines per second at both sizes, and the ratio; 1 where it is missed."""
    with TemporaryDirectory() as folder, EmbeddedServer(Path(folder)).acquire() as lease:
        engine = create_engine(lease.url)
        upgrade(engine)
        state = State(engine, STORE, run_id="bench")
        seconds: dict[int, list[float]] = {}
        there = 0
        for size in (FEW, most):
            with engine.begin() as conn:
                conn.execute(FILL, {"store": STORE, "first": there + 1, "last": size})
            there = size
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
                conn.exec_driver_sql("vacuum analyze bcns.tender")
            firsts = [1] * ROUNDS if size == FEW else list(range(1, size, PAYOUT))
            matched(state, lines(1))
            seconds[size] = [_timed(state, first) for first in firsts]
        engine.dispose()
    small, large = (statistics.median(taken) / PAYOUT for taken in seconds.values())
    whole = sum(seconds[most]) / most
    ratio = whole / small
    each, at_few = whole * 1e6, small * 1e6
    print(
        f"matching {most:,} lines to orders, in payouts of {PAYOUT:,}: {1 / whole:,.0f} lines/s, {each:.1f} us a line "
        f"(median payout {large * 1e6:.1f}); {at_few:.1f} us at {FEW:,}; ratio {ratio:.2f} (at most {MOST:g}) "
        f"{'reached' if ratio <= MOST else 'missed'}",
        flush=True,
    )
    return int(ratio > MOST)


def _timed(state: State, first: int) -> float:
    given = lines(first)
    begun = time.perf_counter()
    found = matched(state, given)
    taken = time.perf_counter() - begun
    if found != PAYOUT:
        raise AssertionError(f"{PAYOUT - found} lines of the payout from {first} were not linked")
    return taken


def lives(orders: int) -> int:
    """Print what so many lives end with; 1 where anything is unknown."""
    begun = time.perf_counter()
    world = live(2026, orders)
    made = time.perf_counter()
    kept = keep(world)
    taken = time.perf_counter() - made
    unknown = kept.unknown(world)
    good = unknown == 0 and not kept.findings
    count = sum(len(one.lines) for one in world.payouts)
    print(
        f"{orders:,} lives of orders, {count:,} lines in {len(world.payouts)} payouts of 3 currencies: UNKNOWN "
        f"{unknown / 100:.2f}, {len(kept.findings)} findings, {len(kept.entries)} entries in {taken:.1f} s (made in "
        f"{made - begun:.1f} s) {'reached' if good else 'missed'}",
        flush=True,
    )
    return int(not good)


def main(most: int = 1_000_000, orders: int = 10_000) -> int:
    """Print every figure; returns how many were missed."""
    return lives(orders) + matching(most)

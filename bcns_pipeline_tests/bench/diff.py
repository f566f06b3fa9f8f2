"""Figures of the diff: 1,000,000 rows with 1 % changed against a merge, and a plan of 200,000 rows.

Run `python -m bcns_pipeline_tests.bench.diff`. Put only what is measured here, one function per figure;
what must be reached is in issue 2, section 9. Each measure is the median of five, ours and the merge taking
turns, so that a busy machine slows down both.
"""

from __future__ import annotations

import gc
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable

import numpy as np
import pandas as pd

from bcns_pipeline.rules.inventory.diff import Reason, diff
from bcns_pipeline.rules.inventory.frames import levels_frame, members_frame
from bcns_pipeline.rules.inventory.policy import make_policy
from bcns_pipeline.rules.inventory.quantities import TERMS
from bcns_pipeline.rules.inventory.sellable import sellable

ROWS = 1_000_000
CHANGED = 0.01
ROUNDS = 5
MOST = 2.0
KEYS = ["item_id", "location_id"]


def frames(rows: int, changed: float, *, moved: int, shuffled: bool) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Wanted and known: `moved` lines are on one side only, and `shuffled` puts wanted out of order."""
    random = np.random.default_rng(7)
    item = np.repeat(np.arange(1, rows // 2 + 1, dtype=np.int64), 2)
    wanted = pd.DataFrame(
        {
            "item_id": item,
            "location_id": np.tile(np.array([1, 2], dtype=np.int64), rows // 2),
            "sellable": random.integers(0, 500, rows),
            "changed_at": pd.Series(["2026-11-20 10:00:00"], dtype=object).repeat(rows).to_numpy(),
        }
    )
    known = wanted.rename(columns={"sellable": "confirmed"})
    spoiled = random.choice(rows, int(rows * changed), replace=False)
    known.loc[spoiled, "confirmed"] += 1
    known["sent"] = known["confirmed"]
    if moved:
        wanted = wanted.drop(index=random.choice(rows, moved, replace=False))
        known = known.drop(index=random.choice(rows, moved, replace=False))
    if shuffled:
        wanted = wanted.sample(frac=1, random_state=1)
    return wanted.reset_index(drop=True), known.reset_index(drop=True)


def in_turns(*works: Callable[[], object], rounds: int = ROUNDS) -> list[float]:
    """Median seconds of each work, after one round that does not count."""
    seconds: list[list[float]] = [[] for _ in works]
    for attempt in range(rounds + 1):
        for place, work in enumerate(works):
            gc.collect()
            start = time.perf_counter()
            result = work()
            taken = time.perf_counter() - start
            del result
            if attempt:
                seconds[place].append(taken)
    return [statistics.median(one) for one in seconds]


def against_a_merge(*, moved: int, shuffled: bool) -> tuple[float, float]:
    """Seconds of the diff with its reason codes, and of the merge that issue 2 names."""
    wanted, known = frames(ROWS, CHANGED, moved=moved, shuffled=shuffled)
    a, b = wanted[[*KEYS, "sellable"]].copy(), known[[*KEYS, "confirmed"]].copy()
    found = diff(wanted, known, complete=True)
    merged = a.merge(b, on=KEYS, how="outer", indicator=True)
    both = merged["_merge"] == "both"
    differs = int((both & (merged["sellable"] != merged["confirmed"])).sum())
    if len(found) != len(merged) or int((found["reason"] == Reason.CHANGED.value).sum()) != differs:
        raise AssertionError("the diff and the merge do not find the same")
    ours, theirs = in_turns(
        lambda: diff(wanted, known, complete=True),
        lambda: a.merge(b, on=KEYS, how="outer", indicator=True),
    )
    return ours, theirs


def whole_plan() -> tuple[list[float], float]:
    """Seconds of columns, sellable and diff for 100,000 items at 2 locations and 5,000 kits; peak MB."""
    items, kits = 100_000, 5_000
    random = np.random.default_rng(7)
    policy = make_policy([((1,), 1), ((6,), 2)], quantity="on_hand_minus_committed", buffer=1)
    texts = {term: random.integers(0, 500, 2 * items).astype(str).tolist() for term in TERMS}
    moments = [f"2026-{1 + n % 9}-1{n % 7} 1{n % 10}:{n % 60:02}:{n * 7 % 60:02}" for n in range(2 * items)]
    ids = np.repeat(np.arange(1, items + 1), 2).tolist()
    places = np.tile([1, 6], items).tolist()
    members = members_frame(
        parent_id=np.repeat(np.arange(items + 1, items + kits + 1), 3).tolist(),
        item_id=(np.arange(3 * kits) * 7 % items + 1).tolist(),
        quantity=["2"] * (3 * kits),
        member_type=["InvtPart"] * (3 * kits),
        member_inactive=[False] * (3 * kits),
    )

    def read() -> pd.DataFrame:
        return levels_frame(
            item_id=ids, netsuite_location=places, terms=texts, changed_at=moments,
            read_seq=np.ones(2 * items, dtype=np.int64), policy=policy,
        )[0]  # fmt: skip

    levels = read()
    wanted = sellable(levels, members, policy, complete=True)
    other = wanted["sellable"] + 1
    known = wanted[[*KEYS, "changed_at"]].assign(confirmed=other, sent=other)
    seconds = in_turns(
        read,
        lambda: sellable(levels, members, policy, complete=True),
        lambda: diff(wanted, known, complete=True),
    )
    tracemalloc.start()
    diff(sellable(levels, members, policy, complete=True), known, complete=True)
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    return seconds, peak


def main() -> int:
    """Print one line per figure; 1 where the set ratio is missed."""
    missed = False
    cases = (
        ("same lines in order", 0, False),
        ("1,000 lines on one side only", 1000, False),
        ("shuffled", 1000, True),
    )
    for name, moved, shuffled in cases:
        ours, theirs = against_a_merge(moved=moved, shuffled=shuffled)
        reached = ours <= MOST * theirs
        missed |= not reached
        print(
            f"diff of {ROWS:,} rows, 1 % changed, {name}: {ours * 1000:.0f} ms, "
            f"merge {theirs * 1000:.0f} ms, ratio {ours / theirs:.2f} (at most {MOST:g}) "
            f"{'reached' if reached else 'missed'}"
        )
    (read, sold, compared), peak = whole_plan()
    print(
        f"plan of 210,000 rows with 5,000 kits: columns {read * 1000:.0f} ms, sellable {sold * 1000:.0f} ms, "
        f"diff {compared * 1000:.0f} ms, peak {peak:.0f} MB above the input"
    )
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())

"""The race for the last units as a figure: units oversold with orders netted and without, over many merchant's days.

Put the printing here. The model is in bcns_pipeline_tests/rules/inventory/race.py.
"""

from __future__ import annotations

from dataclasses import fields

from bcns_pipeline_tests.rules.inventory.race import Outcome, Pace, race

SEEDS = 5
# A store with a sale every few seconds on eight SKUs, and adjustments that take half a minute to arrive: far worse
# than any real one, so that what is left can be seen at all.
HARD = Pace(cadence=300.0, sending=30.0, between_orders=15.0, between_movements=60.0)


def main(seeds: int = SEEDS) -> int:
    """Print a line per setting; returns how many rows were missed."""
    missed = 0
    for name, pace, hours in (("ordinary", Pace(), 24.0), ("hard", HARD, 3.0)):
        for netting in (True, False):
            total = _total([race(seed, netting=netting, hours=hours, pace=pace) for seed in range(seeds)])
            good = (total.oversold == 0) is netting
            missed += not good
            print(
                f"race, {name} pace, orders {'netted' if netting else 'not netted'}: {total.oversold:,} units oversold "
                f"by what was pushed (must be {'0' if netting else 'more than 0'}: {'reached' if good else 'missed'}); "
                f"{total.in_flight:,} while an adjustment was on its way, {total.stale:,} before a count was known; "
                f"{total.not_exact:,} quiet levels not exact; {total.orders:,} orders, {total.pushes:,} lines sent, "
                f"{seeds} times {hours:g} hours"
            )
    return missed


def _total(days: list[Outcome]) -> Outcome:
    return Outcome(*(sum(getattr(day, field.name) for day in days) for field in fields(Outcome)))

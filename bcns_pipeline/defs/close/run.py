"""What one run of the close is about: its owners, its days, and the names of its reports' assets.

Put here what the steps share about a run. Do not put asking, comparing or writing here.
"""

from datetime import date, timedelta

import dagster as dg
from pydantic import Field

from bcns_pipeline.defs.close import reports
from bcns_pipeline.defs.days import days_of, each, zone_of
from bcns_pipeline.defs.modes import ModeConfig
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.resources.failures import PermanentFailure
from bcns_pipeline.rules.close.reports import SPECS, About

FLOW = "close"
OWNERS = ["team:finance"]


def key_of(name: str) -> dg.AssetKey:
    """The asset of a report."""
    return dg.AssetKey(["reports", name.replace("-", "_")])


REPORTS = [key_of(name) for name in SPECS]


class MonthConfig(ModeConfig):
    """The run config of what is made of a month."""

    month: str = Field("", description="as 2026-11; empty = the month before this one")


def day_by_day(run: dg.DagsterRun, connections: Connections) -> list[About]:
    """What is asked for, a day at a time: each day of the run, none of one without days."""
    days = days_of(run)
    return [] if days is None else [_about(connections, day, day + timedelta(days=1)) for day in each(days)]


def about(run: dg.DagsterRun, config: MonthConfig, connections: Connections) -> About:
    """What is asked for, as one: the days of the run, else the month. Raises PermanentFailure."""
    days = days_of(run)
    if days is not None:
        return _about(connections, days[0], days[1] + timedelta(days=1))
    try:
        first = date.fromisoformat(f"{config.month}-01") if config.month else None
    except ValueError:
        raise PermanentFailure(f"{config.month!r} is no month; write it as 2026-11.") from None
    if first is None:
        today = connections.state.now().astimezone(zone_of(connections.mapping)).date()
        first = (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    return _about(connections, first, (first + timedelta(days=32)).replace(day=1))


def _about(connections: Connections, since: date, until: date) -> About:
    return reports.about(connections.state, since, until, connections.mapping)

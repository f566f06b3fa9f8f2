"""Business days as partitions, and jobs that run with a day as well as without one.

Put here what every flow by day needs. Do not put a flow's own selection or schedule here.

A run without a partition drains what waits, and a run with one re-reads that day. Two rules of Dagster 1.13.27
stand in the way, and this is the one place that knows them (docs/adr/005-days.md): a partitioned asset that
depends on a partitioned one can't run without a partition, so of a chain only every other asset is by day; and a
job that Dagster takes to be partitioned can't have a config mapping, so ours leave the days to their assets.
"""

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from bcns_pipeline.config import Mapping

# Without a cutover there is no first day of ours; nothing of BigCommerce that we could be asked for is older.
FIRST_DAY = date(2015, 1, 1)
# A run for days takes all that is of them at once, however long that takes.
WHOLE_RANGE = 100_000
# First and last day of a run, both included.
Days = tuple[date, date]
_FIRST, _LAST = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"


def zone_of(mapping: Mapping) -> ZoneInfo:
    """The zone in which the store counts its days; UTC where the mapping names none."""
    return ZoneInfo(mapping.store.timezone or "UTC")


def day_partitions(mapping: Mapping) -> dg.DailyPartitionsDefinition:
    """The store's days, from the cutover to today; today is open, so it counts (`end_offset=1`)."""
    first = mapping.cutover.at or FIRST_DAY
    return dg.DailyPartitionsDefinition(
        start_date=first.strftime("%Y-%m-%d"), timezone=zone_of(mapping).key, end_offset=1
    )


def by_day(
    asset: dg.AssetsDefinition, days: dg.DailyPartitionsDefinition, *, at_once: bool = False
) -> dg.AssetsDefinition:
    """`asset` with these days as its partitions; `at_once`: a backfill is one run for its whole range.

    A run costs seconds, so that two years of days with few orders would take hours. Such an asset asks `days_of`.
    """
    parted = asset.map_asset_specs(lambda spec: spec.replace_attributes(partitions_def=days))
    # The decorator's own parameter warns that it is in beta, each time that the definitions are loaded.
    return parted.with_attributes(backfill_policy=dg.BackfillPolicy.single_run()) if at_once else parted


def bounds(day: date, zone: ZoneInfo, last: date | None = None) -> tuple[datetime, datetime]:
    """[start, end) of a business day, or of all days to `last`, aware. Days of 23 and 25 hours come out right."""
    after = (last or day) + timedelta(days=1)
    return datetime.combine(day, time.min, zone), datetime.combine(after, time.min, zone)


def each(days: Days) -> list[date]:
    """Every day from the first to the last."""
    first, last = days
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def tags_of(days: Days) -> dict[str, str]:
    """The tags that make a run be about these days, as Dagster writes them for a backfill."""
    first, last = days
    return {_FIRST: first.isoformat(), _LAST: last.isoformat()}


def days_of(run: dg.DagsterRun) -> Days | None:
    """The days that a run is about, or None for one that drains what waits."""
    first, last = run.tags.get(_FIRST), run.tags.get(_LAST)
    if first and last:
        return date.fromisoformat(first), date.fromisoformat(last)
    day = run.tags.get("dagster/partition")
    return (date.fromisoformat(day), date.fromisoformat(day)) if day else None


def day_job(
    name: str, selection: dg.AssetSelection, config: dg.ConfigMapping, description: str
) -> UnresolvedAssetJobDefinition:
    """As `dg.define_asset_job`, for assets of which some are by day, with our one small run config."""
    return _DayJob(
        name=name,
        selection=selection,
        config=config,
        description=description,
        tags={},
        run_tags=None,
        metadata=None,
        partitions_def=None,
        executor_def=None,
        hooks=None,
        op_retry_policy=None,
        owners=None,
        automation_condition=None,
    )


class _DayJob(UnresolvedAssetJobDefinition):
    """Resolves like any asset job, but leaves the partitions to the assets and keeps the config mapping."""

    def resolve(self, *args: Any, **kwargs: Any) -> dg.JobDefinition:
        plain = dg.define_asset_job(self.name, self.selection, description=self.description)
        return plain.resolve(*args, **kwargs)._copy(config=self.config, partitions_def=None)  # noqa: SLF001

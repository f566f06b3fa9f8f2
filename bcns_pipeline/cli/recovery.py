"""Orders looked at again, adopted, or found again after a loss: plan first, and only then apply.

Put here how these three are asked for on the command line. What they do is in defs/recovery, where the Dagster
UI has the same as jobs. Without --apply nothing is written anywhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from datetime import datetime
from pathlib import Path

import dagster as dg

from bcns_pipeline.cli.accounts import bigcommerce_client
from bcns_pipeline.cli.connect import remembered
from bcns_pipeline.cli.console import say, show_table
from bcns_pipeline.cli.money import summed
from bcns_pipeline.cli.status import zone_of
from bcns_pipeline.config import load_mapping, load_or_default
from bcns_pipeline.defs.orders.reperform import Remade, reperform
from bcns_pipeline.defs.recovery.replay import effects, made_again, replay
from bcns_pipeline.defs.recovery.selection import parse_selection, select
from bcns_pipeline.rules.exceptions import CATALOGUE
from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.settings import Settings, load_settings

ROWS_SHOWN = 100


def replay_orders(
    *, order: str, file: Path | None, since: str, until: str, code: str, query: str, reason: str, apply: bool
) -> None:
    """Show what a replay of these orders would do, and with `apply` write it down. Raises BadInput."""
    settings = load_settings()
    zone = zone_of(settings) or "UTC"
    orders = f"{order} {_read(file)}" if file is not None else order
    chosen = parse_selection(orders=orders, code=code, since=since, until=until, query=query, zone=zone)
    mapping, _ = load_or_default(settings.config)
    with remembered(settings, sealed=True) as state:
        found = effects(state, select(state, chosen, lambda start, end: _listed(settings, start, end)))
        again = made_again(state, mapping, found)
        counts = Counter(one.what for one in found)
        if apply:
            counts = replay(state, found, actor=settings.actor, reason=reason.strip() or "bcns replay")
    if not found:
        if chosen.code is not None and chosen.code not in CATALOGUE:
            raise BadInput([f"{chosen.code} is no code of an exception, and no order stands under it."])
        say("No order is meant.")
        return
    show_table(
        ["order", "what a replay does", "where it stands", "made again from stored bytes"],
        [
            (str(one.order_id), one.what, one.why, _again(again.get(one.order_id, ())))
            for one in found[:ROWS_SHOWN]
        ],
    )
    if len(found) > ROWS_SHOWN:
        say(f"… and {len(found) - ROWS_SHOWN:,} more.")
    for amount in summed(one.state.total for one in found if one.state is not None):
        say(f"{amount} charged in all")
    said = ", ".join(f"{count:,} {what}" for what, count in sorted(counts.items()))
    if apply:
        say(f"Written down: {said}. The sensor orders_waiting, or `bcns run orders`, takes them up.")
    else:
        say(f"Would be: {said}. Nothing was written; add --apply.")


def reperform_order(order_id: int) -> int:
    """Say whether an order's writes and their plans can be made again, byte for byte: the record, and each edit of it.

    1 where one of them can't. Raises BadInput.
    """
    settings = load_settings()
    mapping = load_mapping(settings.config)
    with remembered(settings, sealed=True) as state:
        found = reperform(state, mapping, [order_id])
    for one in found:
        say(f"order {order_id}, plan {one.plan_id or '-'}, {one.action or 'nothing'}; digests are keyed")
        for name, then, now in (("its lines", one.sent, one.made), ("its plan", one.planned, one.again)):
            say(f"  {name}, as sent:    {then or '-'}")
            say(f"  {name}, made again: {now or '-'}")
        say("  equal, byte for byte" if one.equal else f"  NOT EQUAL: {one.why}")
    return 0 if all(one.equal for one in found) else 1


def _again(found: Iterable[Remade]) -> str:
    return "; ".join(
        f"{one.action} equal: plan {one.plan_id}, {one.planned[:12]}" if one.equal else one.why
        for one in found
    )


def adopt_orders(by: str, since: str, *, accept_differences: bool, apply: bool) -> int:
    """Run the job `adopt_orders`; 0, or 1 where it failed. Raises BadInput."""
    from bcns_pipeline.defs.recovery.adoption import parse_ways

    parse_ways(by)
    config = {"by": by, "since": since, "accept_differences": accept_differences}
    return _job("adopt_orders", {**config, "mode": _mode(apply)}, ("orders", "money"), apply=apply)


def rebuild_state(*, apply: bool) -> int:
    """Run the job `rebuild_state`; 0, or 1 where it failed."""
    return _job("rebuild_state", {"mode": _mode(apply)}, ("orders", "gone"), apply=apply)


def _job(job: str, config: dict[str, object], tables: Iterable[str], *, apply: bool) -> int:
    from bcns_pipeline.cli.flows import connected, dagster_instance, execute

    with connected(orders=True), dagster_instance() as instance:
        result = execute(job, instance, run_config=config, say=say)
    if not result.success:
        return 1
    found = _output(result)
    for name in tables:
        table = found.get(name)
        if isinstance(table, dg.TableMetadataValue) and table.records:
            columns = [column.name for column in table.schema.columns]
            show_table(
                columns, [[str(one.data[name]) for name in columns] for one in table.records], title=name
            )
    if not apply:
        say("Nothing was linked; add --apply.")
    return 0


def _output(result: dg.ExecuteInProcessResult) -> dict[str, object]:
    """The metadata of the job's only step."""
    for event in result.all_events:
        if event.event_type_value == "STEP_OUTPUT":
            return dict(event.step_output_data.metadata)
    return {}


def _mode(apply: bool) -> str:
    return "apply" if apply else "plan"


def _read(file: Path) -> str:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise BadInput([f"{file} can't be read; name a text file with one order id a line."]) from None
    if not text.strip():
        raise BadInput([f"{file} is empty; write one order id a line."])
    return text


def _listed(settings: Settings, since: datetime, until: datetime | None) -> list[int]:
    with closing(bigcommerce_client(settings.require("bigcommerce"))) as shop:
        return [one.id for one in shop.orders.ids(since, until or shop.now())]

"""Recovery in the Dagster UI: replay orders, adopt those that somebody else posted, rebuild what was lost.

Put jobs and their run config here. What they do is beside this file. They share the pool of the order flow, so
that none of them runs while orders are being posted. Mode `plan`, the default, writes nothing.
"""

from collections import Counter
from typing import Any

import dagster as dg
from pydantic import Field

from bcns_pipeline.defs.modes import Mode, ModeConfig, mode_config
from bcns_pipeline.defs.recovery.adoption import (
    DIFFERS,
    LINKED,
    adopt,
    find_adoptable,
    hold_back,
    parse_ways,
    read_since,
)
from bcns_pipeline.defs.recovery.rebuild import rebuild
from bcns_pipeline.defs.recovery.replay import effects, made_again, replay
from bcns_pipeline.defs.recovery.selection import parse_selection, select
from bcns_pipeline.defs.tables import SHOWN, table
from bcns_pipeline.outcomes import Lane
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.resources.failures import PermanentFailure, outside_errors, stop_run_retries
from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.rules.money import Money

# The pool of the order flow's own steps.
POOL = "orders"


class ReplayConfig(ModeConfig):
    """Orders are named in one way: by ids, an error code, a query, or when they were placed."""

    mode: str = Mode.PLAN.value
    orders: str = Field("", description="ids, as 1001, 1002")
    code: str = Field("", description="orders with an open exception of this code, as SHIP_METHOD_UNMAPPED")
    query: str = Field("", description="as status_id=11")
    since: str = Field("", description="placed on this day or later, as 2026-11-20; that moment, with a time")
    until: str = Field("", description="and before this one")


class AdoptConfig(ModeConfig):
    """Orders that another connector posted, and where it put their number."""

    mode: str = Mode.PLAN.value
    by: str = Field(
        "otherrefnum",
        description="where the number is, as otherrefnum, externalid:WEB-{id}, field:custbody_web",
    )
    since: str = Field("", description="placed on this day or later, as 2026-11-20")
    accept_differences: bool = Field(False, description="link orders whose total is another one in NetSuite")


class RebuildConfig(ModeConfig):
    """Mode plan says what would be linked."""

    mode: str = Mode.PLAN.value


@dg.op(
    name="replay",
    pool=POOL,
    out=dg.Out(dg.Nothing),
    description="Orders to be looked at again by the next run.",
)
def replay_op(context: dg.OpExecutionContext, config: ReplayConfig, connections: Connections) -> None:
    """Choose, say what it would do, and in mode apply write it down."""
    connections.require("bigcommerce", "netsuite", orders=True)
    zone = connections.mapping.store.timezone or "UTC"
    try:
        chosen = parse_selection(
            orders=config.orders, code=config.code, query=config.query,
            since=config.since, until=config.until, zone=zone,
        )  # fmt: skip
    except BadInput as bad:
        raise PermanentFailure.of_faults(bad.faults) from None
    shop = connections.bigcommerce(Lane.BULK)
    with outside_errors():
        ids = select(
            connections.state,
            chosen,
            lambda since, until: [one.id for one in shop.orders.ids(since, until or shop.now())],
        )
    found = effects(connections.state, ids)
    counts = Counter(one.what for one in found)
    again = made_again(connections.state, connections.mapping, found)
    if Mode(config.mode) is Mode.APPLY:
        counts = replay(
            connections.state, found, actor=connections.settings.actor, reason="job replay_orders"
        )
    said = ", ".join(f"{count:,} {what}" for what, count in sorted(counts.items())) or "no order is meant"
    context.log.info(f"replay: {said}")
    differs = {
        order_id: "; ".join(one.why for one in writes if not one.equal)
        for order_id, writes in again.items()
        if not all(one.equal for one in writes)
    }
    rows = [
        (one.order_id, one.what, one.why, differs.get(one.order_id, "equal" if one.order_id in again else ""))
        for one in found[:SHOWN]
    ]
    context.add_output_metadata(
        {
            "summary": said,
            "orders": table(("order", "what", "why", "made_again"), rows),
            "audit_head": connections.state.head_hash(),
            "chosen": len(found),
            "made_again_equal": len(again) - len(differs),
            "made_again_different": len(differs),
        }
    )


@dg.op(
    name="adopt",
    pool=POOL,
    out=dg.Out(dg.Nothing),
    description="Links orders that NetSuite has from elsewhere.",
)
def adopt_op(context: dg.OpExecutionContext, config: AdoptConfig, connections: Connections) -> None:
    """Find, show, and in mode apply link; nothing is sent to either system."""
    connections.require("bigcommerce", "netsuite", orders=True)
    mode = Mode(config.mode)
    try:
        ways = parse_ways(config.by)
        since = (
            parse_selection(since=config.since, zone=connections.mapping.store.timezone or "UTC").since
            if config.since
            else None
        )
    except BadInput as bad:
        raise PermanentFailure.of_faults(bad.faults) from None
    with outside_errors():
        if since is not None:
            context.log.info(read_since(connections, since).sentence)
        found = find_adoptable(connections, ways)
        _plan, applied = adopt(connections, found, mode=mode, accept_differences=config.accept_differences)
    counts = Counter(one.verdict for one in found)
    said = (
        ", ".join(f"{count:,} {verdict}" for verdict, count in sorted(counts.items())) or "no order to adopt"
    )
    context.log.info(f"adoption: {len(found):,} orders looked for = {said}")
    if mode is Mode.APPLY:
        context.log.info(f"{applied.linked:,} linked; {applied.read_back.sentence}")
        left = hold_back(connections, found, accept_differences=config.accept_differences)
        if left:
            ids = ", ".join(map(str, left[:10])) + (" …" if len(left) > 10 else "")
            context.log.warning(
                f"{len(left):,} orders whose number NetSuite has are not linked and wait for a person ({ids}): "
                "correct the records, accept differences, or resolve ORDER_NOT_ADOPTED."
            )
    rows = [
        (
            one.order.order_id,
            one.verdict,
            one.record.tran_id if one.record else "",
            str(one.order.total),
            one.why,
        )
        for one in found[:SHOWN]
    ]
    context.add_output_metadata(
        {
            "summary": said,
            "audit_head": connections.state.head_hash(),
            "linked": applied.linked,
            "orders": table(("order", "verdict", "record", "charged", "why"), rows),
            "money": table(("verdict", "currency", "amount"), _money(found)),
        }
    )


@dg.op(
    name="rebuild",
    pool=POOL,
    out=dg.Out(dg.Nothing),
    description="What we know of orders, from NetSuite's keys.",
)
def rebuild_op(context: dg.OpExecutionContext, config: RebuildConfig, connections: Connections) -> None:
    """Scan, and in mode apply link; nothing is sent to either system."""
    connections.require("bigcommerce", "netsuite", orders=True)
    with outside_errors():
        done = rebuild(connections, mode=Mode(config.mode))
    context.log.info(done.sentence)
    metadata: dict[str, Any] = {
        "summary": done.sentence,
        "audit_head": connections.state.head_hash(),
        "linked": len(done.linked),
        "orders": table(("order", "record"), [(one, done.found[one].tran_id) for one in done.linked[:SHOWN]]),
        "gone": table(("order", "record"), [(one, done.found[one].tran_id) for one in done.gone[:SHOWN]]),
    }
    if done.applied is not None:
        context.log.info(done.applied.read_back.sentence)
        metadata["read_back"] = done.applied.read_back.sentence
    context.add_output_metadata(metadata)


def _money(found: list[Any]) -> list[tuple[str, str, str]]:
    sums: dict[tuple[str, str], Money] = {}
    for one in found:
        if one.verdict in (LINKED, DIFFERS):
            key = (one.verdict, one.order.total.currency)
            sums[key] = sums.get(key, Money.zero(key[1])) + one.order.total
    return [(verdict, currency, str(amount.amount)) for (verdict, currency), amount in sorted(sums.items())]


@dg.job(
    config=mode_config([replay_op], ReplayConfig),
    hooks={stop_run_retries},
    description="Orders that a person names are looked at again; what NetSuite has is never written twice.",
)
def replay_orders() -> None:
    """One step."""
    replay_op()


@dg.job(
    config=mode_config([adopt_op], AdoptConfig),
    hooks={stop_run_retries},
    description="Orders that another connector put into NetSuite are linked, never written.",
)
def adopt_orders() -> None:
    """One step."""
    adopt_op()


@dg.job(
    config=mode_config([rebuild_op], RebuildConfig),
    hooks={stop_run_retries},
    description="After the database was lost: our records in NetSuite are found by their keys and linked.",
)
def rebuild_state() -> None:
    """One step."""
    rebuild_op()


JOBS = [replay_orders, adopt_orders, rebuild_state]

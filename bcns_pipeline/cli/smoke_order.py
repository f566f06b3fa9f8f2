"""One order, end to end: planned, posted, compared line by line, and run again without a write.

Put here what makes it a PASS. Do not put planning or sending here: the flow's own job runs, through Dagster. What
NetSuite shows is read anew, by a client of our own, and compared with what the plan said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from decimal import Decimal

from bcns_pipeline.cli.accounts import netsuite_client
from bcns_pipeline.cli.connect import opened_engine, pinned_accounts, remembered
from bcns_pipeline.cli.console import say, show_table
from bcns_pipeline.cli.queries_orders import operations_by, plan_lines_of, writes_since
from bcns_pipeline.clients.netsuite.models import SalesLine
from bcns_pipeline.config import load_or_default
from bcns_pipeline.defs.recovery.replay import ERASED, effects, replay
from bcns_pipeline.rules.natural_keys import edit_key, order_key
from bcns_pipeline.rules.orders.draft import Expected, ExpectedLine
from bcns_pipeline.settings import Settings, load_settings
from bcns_pipeline.state.order_models import IN_NETSUITE, OrderState
from bcns_pipeline.state.store import State

FLOW = "orders"
RunFlow = Callable[[str], int]
Row = tuple[str, str, str, str]
EQUAL, DIFFERS = "equal", "DIFFERS"


def smoke_order(order_id: int, *, plan_only: bool = False, run: RunFlow | None = None) -> int:
    """Plan, apply, compare and run again for one order; 0 = PASS, 1 = FAIL with the reason. Raises BadInput.

    The flow runs as always, so that other orders that are due go with it. An order that is in NetSuite already is
    compared, and nothing is written. With `plan_only` nothing is sent.
    """
    start = run or _through_dagster
    settings = load_settings()
    settings.require("bigcommerce"), settings.require("netsuite")
    if not _used(settings) and start("plan") != 0:
        return _fail("the flow could not run; its own messages say why.")
    with remembered(settings, sealed=True) as state:
        found = effects(state, [order_id])
        if found[0].what == ERASED:
            return _fail(found[0].why)
        replay(state, found, actor=settings.actor, reason="bcns smoke order")
        if start("plan") != 0:
            return _fail("the plan could not be made; the run's own messages say why.")
        order = state.orders.get(order_id)
        fault = _plan_fault(state, order_id, order)
        if fault:
            return _fail(fault)
        if plan_only:
            return _pass("it would be posted as planned; nothing was sent (--plan-only).")
        if start("apply") != 0:
            return _fail("the run failed; its own messages say why.")
        order = state.orders.get(order_id)
        fault = _post_fault(order, order_id)
        if fault or order is None:
            return _fail(fault or "it is gone.")
        rows, differing = compare(settings, state, order)
        show_table(["line", "written", "NetSuite shows", ""], rows)
        if differing:
            return _fail(f"{differing} of {len(rows)} rows differ: `bcns explain order {order_id}`.")
        # Our own reference changed the order in the store: the next run sees that, and writes nothing for it.
        mark = writes_since(state, order_id, 0)
        replay(state, effects(state, [order_id]), actor=settings.actor, reason="bcns smoke order, again")
        if start("apply") != 0:
            return _fail("the second run failed; its own messages say why.")
        again = writes_since(state, order_id, max(mark, default=0))
        if again:
            return _fail(f"the second run wrote again: operations {', '.join(map(str, again))}.")
        say("again: 0 writes")
    return _pass("posted once, equal to the cent line by line, and nothing written twice.")


def compare(settings: Settings, state: State, order: OrderState) -> tuple[list[Row], int]:
    """(row per line and sum: what was written, what NetSuite shows, verdict), and how many rows differ."""
    expected = _expected(state, order)
    number = int(order.netsuite_id or 0)
    form = load_or_default(settings.config)[0].netsuite.scope_form
    with closing(netsuite_client(settings.require("netsuite"), scope_form=form)) as books:
        shown = books.sales.totals([number]).get(number)
        lines = sorted(books.sales.lines([number]), key=lambda one: (one.sequence, one.line))
    if shown is None:
        return [("record", str(order.netsuite_number), "not there", DIFFERS)], 1
    wanted = order.expected_total or order.total
    rows = [
        _row("total", wanted.amount, shown.foreign_total),
        _row("total charged", order.total.amount, shown.foreign_total),
    ]
    if expected is not None:
        tax = shown.tax or Decimal(0)
        rows.append(_row("tax by NetSuite", expected.tax, tax, within=expected.tolerance))
        rows += _lines(expected, lines)
    return rows, sum(verdict != EQUAL for *_, verdict in rows)


def _row(name: str, written: Decimal, shown: Decimal, *, within: Decimal = Decimal(0)) -> Row:
    return name, str(written), str(shown), EQUAL if abs(written - shown) <= within else DIFFERS


def _lines(expected: Expected, lines: Sequence[SalesLine]) -> Iterator[Row]:
    """Each line that was written against an equal one that NetSuite shows; what is left over there is not ours."""
    left = [one for one in lines if one.item is not None and not one.is_tax and not one.is_shipping]
    for line in expected.lines:
        there = next((one for one in left if _same(line, one)), None)
        if there is not None:
            left.remove(there)
        said = f"{line.quantity or ''} item {line.item} {line.amount}".strip()
        yield line.key, said, said if there else "no such line", EQUAL if there else DIFFERS
    for one in left:
        # NetSuite adds lines without money of its own, such as the members of a kit.
        if one.amount:
            yield "not ours", "nothing", f"{one.quantity or ''} item {one.item} {one.amount}".strip(), DIFFERS


def _same(line: ExpectedLine, shown: SalesLine) -> bool:
    quantity = line.quantity is None or shown.quantity == line.quantity
    return shown.item == line.item and shown.amount == line.amount and quantity


def _expected(state: State, order: OrderState) -> Expected | None:
    """What was written last, from its own operation; None for an order that somebody else made."""
    keys = [order_key(state.store, order.order_id)]
    if order.applied_hash:
        keys.append(edit_key(state.store, order.order_id, order.applied_hash))
    found = [one for one in operations_by(state, natural_keys=keys) if one.state == "confirmed"]
    payloads = [one for one in state.outbox.payloads(found) if one and "expected" in one]
    return Expected.read(payloads[-1]["expected"]) if payloads else None


def _plan_fault(state: State, order_id: int, order: OrderState | None) -> str | None:
    if order is None:
        return f"BigCommerce has no order {order_id}, or it can't be read; see `bcns exceptions`."
    if order.disposition in IN_NETSUITE:
        say(f"plan: order {order_id} is in NetSuite as {order.netsuite_number or order.netsuite_id} already")
        return None
    lines = [
        one for one in plan_lines_of(state, order_id) if one.mode == "plan" and one.kind == "sales_order"
    ]
    if not lines:
        said = order.reason or "the plan's table says what stands in its way"
        return f"it would not be posted ({order.disposition}): {said}."
    say(f"plan: {lines[-1].action} under {lines[-1].natural_key}, {order.total}: {lines[-1].reason}")
    return None


def _post_fault(order: OrderState | None, order_id: int) -> str | None:
    if order is None or order.netsuite_id is None:
        why = order.reason if order and order.reason else "it was not due, or its write is still on its way"
        return f"it was not posted: {why}."
    if order.read_back_at is None:
        return "it was posted and not read back; see `bcns status`."
    number = order.netsuite_number or order.netsuite_id
    say(f"post: order {order_id} is {order.record_type} {number}, NetSuite shows {order.read_total}")
    return None


def _used(settings: Settings) -> bool:
    with opened_engine(settings) as engine:
        return pinned_accounts(engine) is not None


def _through_dagster(mode: str) -> int:
    from bcns_pipeline.cli.flows import run_flow

    return run_flow(FLOW, mode=mode)


def _pass(text: str) -> int:
    say(f"PASS: {text}")
    return 0


def _fail(text: str) -> int:
    say(f"FAIL: {text}")
    return 1

"""A person's decision: an exception that needs one, or a write that was held because it moves much money.

Put approvals and refusals here. Do not put here what an approval lets through: the flow that asked reads the
answer in its next run. Who staged a write by hand does not approve it (design 5.13).
"""

from __future__ import annotations

from collections.abc import Sequence

from bcns_pipeline.cli.connect import remembered
from bcns_pipeline.cli.console import age, say, show_table, stamp
from bcns_pipeline.cli.money import summed
from bcns_pipeline.cli.questions import why_closed
from bcns_pipeline.cli.status import zone_of
from bcns_pipeline.rules.exceptions import CATALOGUE
from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.natural_keys import order_id_of
from bcns_pipeline.settings import load_settings
from bcns_pipeline.state.operations import OPEN, Operation, Overtaken, SelfApproval
from bcns_pipeline.state.order_models import Decision
from bcns_pipeline.state.store import State

STATES = (*OPEN, "confirmed", "failed", "superseded")
ROWS_SHOWN = 200
ORDER = "sales_order"


def approve_exception(number: int, reason: str, *, dismiss: bool) -> None:
    """Write a person's decision down: who, why, when. Raises BadInput for an unknown or closed number."""
    settings = load_settings()
    _must_say_why(reason)
    with remembered(settings) as state:
        zone = zone_of(settings)
        row = state.exceptions.resolve(
            number, "dismissed" if dismiss else "approved", reason.strip(), actor=settings.actor
        )
        if row is None:
            raise BadInput([why_closed(state, number, zone)])
    word = "dismissed" if dismiss else "approved"
    say(f"{word} by {settings.actor} at {stamp(row.resolved_at, zone)}: {row.code} {row.subject}")
    say(f"  {row.message}")
    entry = CATALOGUE.get(row.code)
    if entry is not None and entry.dismissed:
        # Whichever word it was answered by.
        say(f"  {entry.dismissed}")
        return
    again = dismiss or (entry is not None and entry.heals)
    say("  It is asked again where the next run still finds it." if again else "  The next run goes by it.")


def approve_operations(number: int | None, plan: int | None, reason: str, *, dismiss: bool) -> None:
    """Let held writes go, one or all of a plan, or give them up. All or none. Raises BadInput."""
    settings = load_settings()
    _must_say_why(reason)
    if (number is None) == (plan is None):
        raise BadInput(["Name one operation by its number, or all that a plan holds with --plan."])
    with remembered(settings) as state:
        found = _held(state, number, plan)
        faults = []
        try:
            with state.scope.transaction() as conn:
                for one in found:
                    if dismiss:
                        state.outbox.cancel(one, reason.strip(), actor=settings.actor, conn=conn)
                    else:
                        state.outbox.approve(one, reason.strip(), actor=settings.actor, conn=conn)
                state.orders.decide(_orders(state, found, dismiss, settings.actor, reason), conn=conn)
        except (SelfApproval, Overtaken) as error:
            faults.append(f"{error}; nothing was changed.")
        if faults:
            raise BadInput(faults)
    word = "given up" if dismiss else "approved"
    for one in found:
        say(
            f"{word} by {settings.actor}: operation {one.id} {one.kind} {one.natural_key} {_money(one) or ''}"
        )
    for amount in summed(_money(one) for one in found):
        say(f"  {amount} in all")
    if not dismiss:
        flows = ", ".join(f"`bcns run {flow}`" for flow in sorted({one.flow for one in found}))
        say(f"  They go with the next run ({flows}).")


def show_operations(states: Sequence[str], flow: str | None, plan: int | None) -> None:
    """Operations in these states (open ones by default), with the money they move. Raises BadInput."""
    unknown = [one for one in states if one not in STATES]
    if unknown:
        raise BadInput([f"There is no state {one!r}; {', '.join(STATES)} are." for one in unknown])
    settings = load_settings()
    with remembered(settings) as state:
        zone = zone_of(settings)
        found = state.outbox.find(states=tuple(states) or OPEN, flow=flow, plan_id=plan)
    if not found:
        say("No such operation.")
        return
    rows = [
        (one.id, one.flow, one.kind, one.natural_key, one.state, _money(one), one.attempts,
         stamp(one.staged_at, zone), age(one.staged_at), one.reason)
        for one in found[-ROWS_SHOWN:]
    ]  # fmt: skip
    columns = ["no.", "flow", "kind", "key", "state", "money", "attempts", "staged", "ago", "why"]
    show_table(columns, rows)
    if len(found) > ROWS_SHOWN:
        say(f"… and {len(found) - ROWS_SHOWN:,} older ones; name a --flow, --state or --plan.")
    for amount in summed(_money(one) for one in found):
        say(f"{amount} in all")


def _held(state: State, number: int | None, plan: int | None) -> list[Operation]:
    if plan is not None:
        found = state.outbox.find(states=("held",), plan_id=plan)
        if not found:
            raise BadInput([f"Plan {plan} holds no operation; `bcns operations --state held` lists them."])
        return found
    known = state.outbox.find(states=STATES, ids=[number or 0])
    if not known:
        raise BadInput(
            [f"There is no operation {number}; `bcns operations --state held` lists those that wait."]
        )
    if known[0].state != "held":
        raise BadInput([f"Operation {number} is {known[0].state} and waits for no approval."])
    return known


def _orders(
    state: State, found: Sequence[Operation], dismiss: bool, actor: str, reason: str
) -> list[Decision]:
    """An approved order is on its way; one given up is held until it changes or is replayed."""
    decisions = []
    for one in found:
        order_id = order_id_of(state.store, one.natural_key) if one.kind == ORDER else None
        if order_id is not None and dismiss:
            said = f"{actor} gave its write up: {reason.strip()}"
            decisions.append(Decision(order_id, "held", "NOT_APPROVED", said))
        elif order_id is not None:
            decisions.append(Decision(order_id, "planned"))
    return decisions


def _must_say_why(reason: str) -> None:
    if not reason.strip():
        raise BadInput(["--reason is empty; say why, because it goes into the audit chain."])


def _money(one: Operation) -> Money | None:
    return None if one.amount_minor is None or not one.currency else Money(one.amount_minor, one.currency)

"""Open questions and waiting work are told to whom they concern, once, and called off when they are over.

Put the sensor and its memory here. Do not put here what is told when (rules/alerts.py), in which words
(rules/alert_text.py), nor how a message is sent (telling.py). What was delivered is remembered before anything that
was not is raised, so that a sink that is down makes the tick red and no other sink hear a thing twice.
"""

from datetime import UTC, datetime

import dagster as dg

from bcns_pipeline.defs.platform.failed import heal_recovered
from bcns_pipeline.defs.platform.telling import Teller
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.alerts import Alert, Open, Waiting, alerts, backlog_problems, remember
from bcns_pipeline.rules.exceptions import CATALOGUE, Severity
from bcns_pipeline.rules.money import Money
from bcns_pipeline.state.exceptions import ExceptionRow, Question
from bcns_pipeline.state.inbox import Resource
from bcns_pipeline.state.store import State

TOLD = "alerts/told"
FLOW = "platform"
BACKLOG = "BACKLOG"
# By the flow that works it off: what the inbox calls its work, and whose operations it sends.
WORK: dict[str, tuple[Resource, tuple[str, ...]]] = {
    "orders": ("order", ("orders", "order_references")),
    "customers": ("customer", ("customers",)),
    "fulfilment": ("fulfilment", ("fulfilment",)),
}


class Undelivered(Exception):
    """Some messages did not reach their sink; they are tried again with the next tick."""


@dg.sensor(
    name="exception_alerts",
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells each owner of new, aged and healed exceptions, one message per code; watches the backlogs.",
)
def exception_alerts(context: dg.SensorEvaluationContext, connections: Connections) -> dg.SkipReason:
    """One look at what is open. Raises Undelivered where a sink did not take its message."""
    connections.require("bigcommerce", "netsuite")
    state, now = connections.state, datetime.now(UTC)
    watch_backlogs(connections, now)
    heal_recovered(context.instance, connections)
    policy, memory = connections.mapping.alerts.policy(), state.cursors.get(TOLD)
    wanted = alerts([_open(row) for row in state.exceptions.find()], memory, now, policy)
    delivered: list[Alert] = []
    failed: dict[str, str] = {}
    with Teller(connections) as teller:
        for alert in wanted:
            if alert.sink in failed:
                continue
            problem = teller.tell(alert, context.log.warning)
            if problem is None:
                delivered.append(alert)
            else:
                failed[alert.sink] = problem
    if delivered:
        state.cursors.move(TOLD, remember(memory, delivered, now))
    if failed:
        raise Undelivered("; ".join(f"{sink}: {why}" for sink, why in sorted(failed.items())))
    return dg.SkipReason(f"{len(delivered):,} messages sent" if delivered else "nothing new")


def watch_backlogs(connections: Connections, now: datetime) -> None:
    """Open BACKLOG for flows beyond their limit, and heal the others."""
    state = connections.state
    found = backlog_problems(_waiting(state, now), now, connections.mapping.alerts.policy().backlog)
    kind = CATALOGUE[BACKLOG]
    subjects = [problem.fact for problem in found.values()]
    if not subjects and not state.exceptions.is_open(FLOW, BACKLOG):
        return
    with state.scope.transaction() as conn:
        state.exceptions.keep_only(FLOW, BACKLOG, subjects, conn=conn)
        questions = [
            Question(BACKLOG, one.fact, one.sentence, severity=kind.severity, owner=kind.owner)
            for one in found.values()
        ]
        state.exceptions.open_many(FLOW, questions, conn=conn)


def _waiting(state: State, now: datetime) -> list[Waiting]:
    """What each flow has to do: events nobody has dealt with, orders not decided or due again, writes not sent."""
    found = []
    for flow, (resource, senders) in WORK.items():
        inbox = state.inbox.waiting(resource)
        parts = [(inbox.count, inbox.oldest), state.outbox.backlog(senders)]
        if flow == "orders":
            parts.append(state.orders.backlog(now))
        count = sum(many for many, _ in parts)
        oldest = [since for _, since in parts if since is not None]
        found.append(Waiting(flow, count, min(oldest, default=None)))
    return found


def _open(row: ExceptionRow) -> Open:
    amount = None
    if row.amount_minor is not None and row.currency is not None:
        amount = Money(row.amount_minor, row.currency)
    severity: Severity = "error" if row.severity == "error" else "warning"
    return Open(
        row.id,
        row.flow,
        row.code,
        severity,
        row.subject,
        row.opened_at,
        amount,
        assigned=row.assigned_to is not None,
        message=row.message,
    )

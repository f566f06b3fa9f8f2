"""What notices: the poll that fills the inbox, and the sensor that turns what waits into runs.

Put sensors here. Do not put the walk over changed orders here (defs/polling.py), nor what becomes of an order. A
sensor has a budget of pages and seconds and raises what goes wrong: a tick that failed is red, and its cursor stands.
"""

import time
from datetime import UTC, datetime

import dagster as dg

from bcns_pipeline.config import Mapping
from bcns_pipeline.defs.late import EDITS
from bcns_pipeline.defs.modes import going
from bcns_pipeline.defs.polling import poll_orders
from bcns_pipeline.outcomes import Lane
from bcns_pipeline.resources.connections import Connections

# Dagster gives a sensor 60 seconds (facts/dagster.md B3); a page takes about one.
PAGES, SECONDS = 20, 35.0
# So many runs may wait or work at once: one posts while the next one reads. Where a whole batch waits, one more:
# one writes back, too.
RUNS_AT_ONCE = 2
# Where a run failed and nothing new has come, what waits is tried again this often.
TRY_AGAIN_SECONDS = 300
JOB = "order_sync"
# Dagster looks every 5 s. A floor of 5 s makes it pass over each look that comes a moment early, which is every other.
LOOK_SECONDS = 2
# A shopper waits for an order: where several runs wait to be started, which takes seconds each, it is the first.
TAGS = {"bcns/lane": "orders", "dagster/priority": "10"}


def poll_sensor(mapping: Mapping) -> dg.SensorDefinition:
    """Lists what changed in BigCommerce every `orders.poll.seconds`; webhooks are quicker, and may get lost."""

    @dg.sensor(
        name="order_poll",
        minimum_interval_seconds=mapping.orders.poll.seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Orders that changed in BigCommerce, into the inbox. It writes nothing outside and starts no run.",
    )
    def order_poll(context: dg.SensorEvaluationContext, connections: Connections) -> dg.SkipReason:
        """One walk over the window since the last one, within the budget."""
        if connections.mapping.order_faults():
            return dg.SkipReason("the mapping file does not say how orders are posted: see `bcns doctor`")
        connections.require("bigcommerce", "netsuite", orders=True)
        polled = poll_orders(connections, pages=PAGES, seconds=SECONDS, lane=Lane.FAST)
        context.log.info(polled.sentence)
        return dg.SkipReason(polled.sentence)

    return order_poll


@dg.sensor(
    name="orders_waiting",
    job_name=JOB,
    minimum_interval_seconds=LOOK_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Starts order_sync as soon as the inbox has an order, or one that waits or a second look is due.",
)
def orders_waiting(
    context: dg.SensorEvaluationContext, connections: Connections
) -> dg.RunRequest | dg.SkipReason:
    """One run for what waits now. Its key is made of the newest event, so that a failed run blocks no later one."""
    if connections.mapping.order_faults():
        return dg.SkipReason("the mapping file does not say how orders are posted: see `bcns doctor`")
    connections.require("bigcommerce", "netsuite", orders=True)
    state, now = connections.state, datetime.now(UTC)
    waiting = state.inbox.waiting("order")
    due = len(state.orders.due(now, limit=1, edits="none", allowed=connections.order_policy.statuses))
    due += len(state.outbox.find(flow="orders", states=("planned", "ambiguous"), limit=1))
    due += len(EDITS.due(state, limit=1)[0])
    runs = going(context, JOB)
    # What a run on its way has written it reads back itself.
    due += 0 if runs else len(state.orders.unread(limit=1))
    if not waiting.free and not due:
        return dg.SkipReason("no order waits")
    if runs >= RUNS_AT_ONCE + (waiting.free >= connections.mapping.orders.batch):
        return dg.SkipReason(f"{runs} runs of {JOB} are on their way already")
    again = int(time.time() // TRY_AGAIN_SECONDS)
    return dg.RunRequest(run_key=f"orders/{waiting.newest_seq}/{runs}/{again}", tags=TAGS)


def sensors(mapping: Mapping) -> list[dg.SensorDefinition]:
    """The sensors of intake."""
    return [poll_sensor(mapping), orders_waiting]

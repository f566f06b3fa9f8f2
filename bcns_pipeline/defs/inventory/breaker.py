"""The stop-sale switch: pushing pauses when too much would change at once, until a person has looked.

Put here how a tripped breaker is remembered and cleared. When it trips is a rule (rules/inventory). Nothing else
stops: reading, planning and every other flow go on, so that the person sees what it is about.
"""

from bcns_pipeline.defs.inventory.planning import Planned
from bcns_pipeline.defs.inventory.run import FLOW
from bcns_pipeline.defs.inventory.trouble import question
from bcns_pipeline.resources.connections import Connections

CODE = "INVENTORY_BREAKER"
SUBJECT = "flow:inventory"
PASSED = "inventory.breaker_passed"


def hold(connections: Connections, planned: Planned) -> str | None:
    """Why nothing may be sent now, or None. Both lanes share one breaker.

    An approval lets one plan through that trips the limits; a dismissal only clears the exception, and the next
    plan that trips opens it again.
    """
    state = connections.state
    known = state.exceptions.find(flow=FLOW, code=CODE, subject=SUBJECT, open_only=False)
    latest = known[-1] if known else None
    if latest is not None and latest.resolved_at is None:
        return latest.message
    if planned.tripped is None:
        return None
    if latest is not None and latest.resolution == "approved" and latest.id != state.cursors.get(PASSED):
        state.cursors.move(PASSED, latest.id)
        return None
    state.exceptions.open(FLOW, question(CODE, SUBJECT, planned.tripped))
    return planned.tripped

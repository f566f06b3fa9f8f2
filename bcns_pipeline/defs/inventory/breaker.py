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

    An approval is for the next run of the full flow, whether that still trips the limits or not, so that it does
    not wait for some other flood weeks later; in the fast lane only a plan that trips uses it. A dismissal only
    clears the exception, and the next plan that trips opens it again.
    """
    state = connections.state
    known = state.exceptions.find(flow=FLOW, code=CODE, subject=SUBJECT, open_only=False)
    latest = known[-1] if known else None
    if latest is not None and latest.resolved_at is None:
        return latest.message
    if latest is not None and latest.resolution == "approved":
        passed = state.cursors.get(PASSED) or {"exception": None, "run": None}
        unused = passed["exception"] != latest.id
        if unused and (planned.tripped or planned.plan.flow == FLOW):
            state.cursors.move(PASSED, {"exception": latest.id, "run": planned.plan.run_id})
        # What a run heals, and the retry of a step, belong to the plan that was let through.
        if unused or passed["run"] == planned.plan.run_id:
            return None
    if planned.tripped is None:
        return None
    state.exceptions.open(FLOW, question(CODE, SUBJECT, planned.tripped))
    return planned.tripped

"""Lines whose order was not known when their payout was posted: looked for again, until they are found.

Put the second look here. The entry stays as it is, for the cash was real; only what is known of its lines grows. A
proposal that a person has accepted takes effect here, too.
"""

from bcns_pipeline.defs.payouts.accepted import asked
from bcns_pipeline.defs.payouts.drafting import links_of
from bcns_pipeline.defs.payouts.ledger import Ledger
from bcns_pipeline.defs.payouts.linking import held_against
from bcns_pipeline.defs.payouts.run import FLOW
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.payouts.model import SETTLES
from bcns_pipeline.state.payout_models import POSTED

UNMATCHED = "PAYOUT_LINE_UNMATCHED"


def relink(connections: Connections, ledger: Ledger) -> int:
    """Look at the posted payouts with unmatched lines again; how many have none any more. Raises OutsideError."""
    state = connections.state
    subjects = {one.subject for one in state.exceptions.find(flow=FLOW, code=UNMATCHED)}
    if not subjects:
        return 0
    found = [one for one in state.payouts.having(POSTED) if one.subject in subjects]
    done = []
    for one in found:
        stored = state.payouts.lines(one)
        held = held_against(connections, one, stored, ledger, proof=False)
        proposals = asked(connections, one, held.proposed)
        with state.scope.transaction() as conn:
            state.payouts.link(one, links_of(stored, held, held.payout), conn=conn)
            state.exceptions.open_many(FLOW, proposals, conn=conn)
        if all(line.order_id is not None for line in held.payout.lines if line.cls in SETTLES):
            done.append(one.subject)
    state.exceptions.heal(FLOW, UNMATCHED, done)
    return len(done)

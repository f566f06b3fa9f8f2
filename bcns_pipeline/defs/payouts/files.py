"""Dropped settlement files: read whole or not at all, and moved once what they say is remembered.

Put the handling of the drop folder here. A process that dies between remembering and moving leaves the file where it
was; the next run knows its bytes by their hash and moves it. A file that can't be taken is kept, in the state and in
`rejected/`, with one exception that names file, row and reason; a good file of the same name ends that.
"""

from collections.abc import Sequence

from bcns_pipeline.clients.files.models import BadFile
from bcns_pipeline.clients.payments.models import Settlement
from bcns_pipeline.defs.payouts.convert import lines_of, payout_of
from bcns_pipeline.defs.payouts.keep import Taken, keep_head, keep_lines
from bcns_pipeline.defs.payouts.run import FLOW, question
from bcns_pipeline.defs.stored import receive
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.payouts.model import Payout
from bcns_pipeline.state.payout_models import PayoutState, Received

REJECTED = "SETTLEMENT_REJECTED"


def take_files(connections: Connections, taken: Taken) -> None:
    """Everything that waits in the drop folder for settlement files; nothing where there is none."""
    folder = connections.payout_files()
    if folder is None:
        return
    for path in folder.waiting():
        received: Received | None = None
        try:
            document = folder.read(path)
            received = receive(connections, document)
            if received.fate == "taken":
                taken.again += 1
                connections.state.exceptions.heal(FLOW, REJECTED, [f"file:{path.name}"])
            else:
                _keep(connections, received, connections.settlement_reader.file(document), path.name, taken)
        except BadFile as bad:
            if received is not None:
                connections.state.settlements.settle(received, "rejected", bad.sentence)
            taken.rejected[path.name] = bad.sentence
            asked = question(REJECTED, f"file:{path.name}", bad.sentence, row=bad.row, why=bad.code)
            connections.state.exceptions.open(FLOW, asked)
            folder.reject(path, bad.sentence)
            continue
        folder.done(path)


def _keep(
    connections: Connections, received: Received, found: Sequence[Settlement], name: str, taken: Taken
) -> None:
    state = connections.state
    with state.scope.transaction() as conn:
        for settlement in found:
            told = payout_of(settlement.payout, received.fetched_at.date())
            known = state.payouts.find(told.provider, told.account, told.id, conn=conn)
            if known is None or _says_otherwise(known, told):
                known = keep_head(connections, told, received, taken, conn)
            lines = lines_of(settlement, connections.payout_policy.order_hints)
            keep_lines(connections, known, lines, [received], settlement.rows, taken, conn)
            taken.listed += 1
        state.settlements.settle(received, "taken", conn=conn)
        state.exceptions.heal(FLOW, REJECTED, [f"file:{name}"], conn=conn)
    taken.files += 1


def _says_otherwise(known: PayoutState, told: Payout) -> bool:
    """A report that comes after the API's word adds nothing to the head unless it contradicts it."""
    return (known.amount_minor, known.currency, known.arrival_date) != (
        told.amount,
        told.currency,
        told.arrival_date,
    )

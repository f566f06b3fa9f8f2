"""Weak links: proposed to a person, and taken once somebody has accepted them.

Put here what a proposal is called and how its answer is found. Do not decide here what is a weak link
(rules/payouts/links.py).
"""

from collections.abc import Mapping

from bcns_pipeline.defs.payouts.run import FLOW, question
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.payouts.links import Link
from bcns_pipeline.state.exceptions import ExceptionRow, Question
from bcns_pipeline.state.payout_models import PayoutState

PROPOSED = "PAYOUT_LINK_PROPOSED"


def subject_of(state: PayoutState, line: str) -> str:
    """What a proposal about one line is about."""
    return f"{state.subject}/{line}"


def accepted(connections: Connections, state: PayoutState, weak: Mapping[str, Link]) -> dict[str, Link]:
    """Of these proposals, those that a person has approved, for the very order that is proposed."""
    found = {}
    for line, made in weak.items():
        for row in _answers(connections, state, line):
            if row.resolution == "approved" and row.detail.get("order_id") == made.order_id:
                found[line] = made
    return found


def asked(connections: Connections, state: PayoutState, proposed: Mapping[str, Link]) -> list[Question]:
    """The proposals of one payout that nobody has answered yet."""
    found = []
    for line, made in proposed.items():
        answered = [
            row
            for row in _answers(connections, state, line)
            if row.resolved_at is not None and row.detail.get("order_id") == made.order_id
        ]
        if not answered:
            said = (
                f"Line {line} of payout {state.payout_id} may be of order {made.order_id}: same amount, within a "
                "quarter of an hour, and no other fits."
            )
            found.append(
                question(
                    PROPOSED,
                    subject_of(state, line),
                    said,
                    order_id=made.order_id,
                    transaction_id=made.transaction_id,
                    line=line,
                )
            )
    return found


def proposals(weak: Mapping[str, Link], links: Mapping[str, Link]) -> dict[str, Link]:
    """Those that are still to be answered."""
    return {line: made for line, made in weak.items() if line not in links}


def _answers(connections: Connections, state: PayoutState, line: str) -> list[ExceptionRow]:
    return connections.state.exceptions.find(
        flow=FLOW, code=PROPOSED, subject=subject_of(state, line), open_only=False
    )

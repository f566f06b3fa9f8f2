"""What the close asks people: cents without a reason, accounts that do not close, goods that do not come back.

Put here which finding becomes whose question, and when one is over. Do not put findings here (rules/close).
"""

from collections.abc import Sequence
from datetime import date

from bcns_pipeline.defs import chart
from bcns_pipeline.defs.close.goods import NOT_RECEIVED
from bcns_pipeline.defs.close.liabilities import first_of
from bcns_pipeline.defs.close.outside import goods
from bcns_pipeline.defs.close.run import FLOW
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.close.evidence import Outside, unexplained
from bcns_pipeline.rules.close.goods import GOODS, late
from bcns_pipeline.rules.close.names import called
from bcns_pipeline.rules.close.stored_value import DRIFT, drifted
from bcns_pipeline.rules.close.tie_out import OrderTie
from bcns_pipeline.rules.exceptions import CATALOGUE
from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.payouts.roll_forward import RollForward, stale
from bcns_pipeline.state.exceptions import Question

UNKNOWN, UNEXPLAINED, STALE = "CENT_UNKNOWN", "CLEARING_UNEXPLAINED", "STALE_CLEARING"


def of_orders(connections: Connections, found: Sequence[OrderTie]) -> list[str]:
    """Ask about each order with an unknown cent, and end the question of each that has none; subjects of the former."""
    asked = [
        _question(
            UNKNOWN,
            f"order:{one.order_id}",
            f"Order {one.order_id} of {one.day}: nothing says where {Money(one.unknown, one.currency)} is.",
            Money(one.unknown, one.currency),
        )
        for one in found
        if one.unknown
    ]
    settled = [f"order:{one.order_id}" for one in found if not one.unknown]
    exceptions = connections.state.exceptions
    with connections.state.scope.transaction() as conn:
        exceptions.open_many(FLOW, asked, conn=conn)
        exceptions.heal(FLOW, UNKNOWN, settled, conn=conn)
    return [one.subject for one in asked]


def of_clearing(connections: Connections, found: Sequence[RollForward], outside: Outside) -> list[str]:
    """Ask about each clearing account that does not close or holds what is too old; what closes heals."""
    names = chart.names(connections.state)
    told = unexplained(found, outside, names)
    days = connections.payout_policy.stale_days
    told += [
        ((one.account, one.currency), old)
        for one in found
        for old in stale(one, days, called(names, one.account))
    ]
    asked = [
        _question(one.code, f"clearing:{account}/{currency}", one.message, one.amount)
        for (account, currency), one in told
    ]
    exceptions = connections.state.exceptions
    with connections.state.scope.transaction() as conn:
        exceptions.open_many(FLOW, asked, conn=conn)
        for code in (UNEXPLAINED, STALE):
            exceptions.keep_only(FLOW, code, [one.subject for one in asked if one.code == code], conn=conn)
    return [one.message for _, one in told]


def of_liabilities(connections: Connections, outside: Outside) -> list[str]:
    """Ask about each account of stored value that can't be right; nothing is said where NetSuite was not asked."""
    if outside.liabilities is None:
        return []
    state, steady = connections.state, connections.mapping.cash.moved_by_us_alone()
    told = drifted(outside.liabilities, first_of(state, steady), steady, chart.names(state))
    asked = [
        _question(one.code, f"liability:{account}/{currency}", one.message, one.amount)
        for (account, currency), one in told
    ]
    with state.scope.transaction() as conn:
        state.exceptions.open_many(FLOW, asked, conn=conn)
        state.exceptions.keep_only(FLOW, DRIFT, [one.subject for one in asked], conn=conn)
    return [one.message for one in asked]


def of_goods(connections: Connections, last: date) -> list[str]:
    """Ask about each refund whose goods are late; what came, or is awaited no more, heals.

    Nothing is said where NetSuite was not asked. Where the mapping file does not ask any more, nobody is asked.
    """
    state, days = connections.state, connections.mapping.cash.refunds.goods_days
    if days is None:
        state.exceptions.keep_only(FLOW, NOT_RECEIVED, [])
        return []
    said, _ = goods(state, last)
    # An older day that is looked at again says nothing about today.
    if said is None or "not_asked" in said or not state.clearing.is_newest(last, GOODS):
        return []
    told = late(said, last, days)
    refunds = state.refunds.many([one.refund for one in told])
    asked = [
        _question(NOT_RECEIVED, f"refund:{one.refund}", one.sentence(last), refunds[one.refund].total)
        for one in told
    ]
    with state.scope.transaction() as conn:
        state.exceptions.open_many(FLOW, asked, conn=conn)
        state.exceptions.keep_only(FLOW, NOT_RECEIVED, [one.subject for one in asked], conn=conn)
    return [one.message for one in asked]


def _question(code: str, subject: str, message: str, amount: Money | None) -> Question:
    kind = CATALOGUE[code]
    return Question(
        code,
        subject,
        message,
        severity=kind.severity,
        owner=kind.owner,
        amount_minor=None if amount is None else amount.minor,
        currency=None if amount is None else amount.currency,
    )

"""Extract: payouts that providers made since the last look, and what each is made of, kept before it is read.

Put here what is asked of a provider's API and where its cursor stands. Nothing is decided here. Each page is stored
before it is read; a payout is read once, as soon as its provider can itemise it, and again when a run is about the
day on which it arrived.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from bcns_pipeline.clients.files.models import BadFile
from bcns_pipeline.clients.payments.models import PayoutSource, SourcePayout
from bcns_pipeline.defs.days import Days, zone_of
from bcns_pipeline.defs.payouts.convert import lines_of, payout_of
from bcns_pipeline.defs.payouts.disputes import take_disputes
from bcns_pipeline.defs.payouts.files import REJECTED, take_files
from bcns_pipeline.defs.payouts.keep import Taken, keep_head, keep_lines
from bcns_pipeline.defs.payouts.run import FLOW, question
from bcns_pipeline.defs.polling import cutover_of
from bcns_pipeline.defs.stored import StoredDocuments, receive
from bcns_pipeline.outcomes import Rejected, Unauthorised
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.payouts.model import Itemisation, PayoutLine, PayoutStatus
from bcns_pipeline.state.payout_models import Move, PayoutState

# A payout arrives up to a week after it was made (it is listed by that day), and may still fail within five business
# days, with holidays between them.
OVERLAP = timedelta(days=21)
DOES_NOT_SUM = "PAYOUT_DOES_NOT_SUM"
# What no cutover bounds is read so far back.
FIRST_LOOK = timedelta(days=30)
_FINAL = frozenset({PayoutStatus.PAID, PayoutStatus.FAILED, PayoutStatus.CANCELED})


def take(connections: Connections, days: Days | None, progress: Callable[[str], None]) -> Taken:
    """Files, then providers with an API; with `days`, only what arrives then is itemised, and that anew.

    Raises OutsideError.
    """
    taken = Taken()
    take_files(connections, taken)
    for source in connections.payout_sources():
        found = _list(connections, source, days, taken)
        progress(taken.sentence)
        for one in _to_itemise(connections, source, days):
            # Without pages a manual payout is complete: nobody can say what it pays.
            listed = found.get(one.payout_id) or _listed(connections, one)
            if listed is not None and one.itemisation != Itemisation.PENDING:
                _itemise(connections, source, one, listed, taken)
                progress(taken.sentence)
        take_disputes(connections, source, taken)
    return taken


def cursor_of(source: PayoutSource) -> str:
    """Where it is written down up to when a merchant account's payouts were listed."""
    return f"payouts/{source.provider}/{source.account}"


def _list(
    connections: Connections, source: PayoutSource, days: Days | None, taken: Taken
) -> dict[str, SourcePayout]:
    """Every payout since the cursor, with overlap; the cursor moves with them."""
    state, now = connections.state, datetime.now(UTC)
    today = now.astimezone(zone_of(connections.mapping)).date()
    found: dict[str, SourcePayout] = {}
    for document in source.payouts(_since(connections, source, now, days)):
        taken.pages += 1
        received = receive(connections, document)
        refused: dict[str, BadFile] = {}
        with state.scope.transaction() as conn:
            for one in source.read_payouts(document, refused):
                taken.listed += 1
                found[one.id] = one
                known = state.payouts.find(one.provider, one.account, one.id, conn=conn)
                # The day on which we first heard of a failure stays the day of its entry.
                heard = known.details.get("failed_on") if known is not None else None
                failed_on = date.fromisoformat(heard) if heard else today
                keep_head(connections, payout_of(one, failed_on), received, taken, conn)
            for payout, bad in refused.items():
                subject = f"payout:{source.provider}/{source.account}/{payout}"
                taken.rejected[subject] = bad.sentence
                asked = question(REJECTED, subject, bad.sentence, row=bad.row, why=bad.code)
                state.exceptions.open(FLOW, asked, conn=conn)
    if days is None:
        state.cursors.move(cursor_of(source), {"version": 1, "until": now.isoformat()})
    return found


def _since(connections: Connections, source: PayoutSource, now: datetime, days: Days | None) -> datetime:
    """Behind the cursor by the overlap, and not after the oldest payout whose fate is open."""
    if days is not None:
        return datetime.combine(days[0], datetime.min.time(), UTC) - OVERLAP
    kept: Any = connections.state.cursors.get(cursor_of(source))
    if isinstance(kept, dict) and kept.get("version") == 1:
        since = datetime.fromisoformat(kept["until"]) - OVERLAP
    else:
        since = (cutover_of(connections.mapping) or now - FIRST_LOOK) - OVERLAP
    unsettled = [
        one.created_at
        for one in connections.state.payouts.having(["new", "fetched", "held"])
        if _is_of(one, source)
        and one.created_at is not None
        and (one.source_status not in _FINAL or one.itemisation == Itemisation.PENDING)
    ]
    return min([since, *unsettled])


def _to_itemise(connections: Connections, source: PayoutSource, days: Days | None) -> list[PayoutState]:
    payouts = connections.state.payouts
    if days is None:
        found = payouts.unread()
    else:
        found = payouts.having(since=days[0], until=days[1] + timedelta(days=1))
    return [one for one in found if _is_of(one, source)]


def _itemise(
    connections: Connections, source: PayoutSource, one: PayoutState, listed: SourcePayout, taken: Taken
) -> None:
    """One payout's lines; none of one that nobody can itemise. What can't be read, or is refused, is a question about
    it alone.
    """
    received = []
    try:
        for document in source.lines(listed):
            taken.pages += 1
            received.append(receive(connections, document))
    except Unauthorised:
        raise
    except Rejected as refused:
        said = f"{one.provider} does not say what payout {one.payout_id} is made of: {refused}."
        _unread(connections, one, REJECTED, said, taken, why=refused.code)
        return
    lines: tuple[PayoutLine, ...] = ()
    rows = 0
    if received:
        try:
            settlement = connections.settlement_reader.itemised(
                listed, StoredDocuments(connections, received)
            )
        except BadFile as bad:
            code = DOES_NOT_SUM if bad.code == "TOTALS" else REJECTED
            _unread(connections, one, code, bad.sentence, taken, row=bad.row, why=bad.code)
            return
        lines = lines_of(settlement, connections.payout_policy.order_hints)
        rows = settlement.rows
    with connections.state.scope.transaction() as conn:
        keep_lines(connections, one, lines, received, rows, taken, conn)
        connections.state.exceptions.heal_codes(FLOW, [REJECTED, DOES_NOT_SUM], [one.subject], conn=conn)


def _unread(
    connections: Connections, one: PayoutState, code: str, said: str, taken: Taken, **detail: object
) -> None:
    taken.rejected[one.subject] = said
    with connections.state.scope.transaction() as conn:
        connections.state.exceptions.open(FLOW, question(code, one.subject, said, **detail), conn=conn)
        connections.state.payouts.move([Move(one.id, "new", code, said)], conn=conn)


def _listed(connections: Connections, one: PayoutState) -> SourcePayout | None:
    """The payout as a page said it that we have; None for one that a file told of."""
    pages = connections.state.payouts.documents(one, role="list")
    if not pages or pages[-1].origin.startswith("drop/"):
        return None
    (document,) = StoredDocuments(connections, pages[-1:])
    found = connections.settlement_reader.listed(document, one.account)
    return next((payout for payout in found if payout.id == one.payout_id), None)


def _is_of(one: PayoutState, source: PayoutSource) -> bool:
    return (one.provider, one.account) == (source.provider, source.account)

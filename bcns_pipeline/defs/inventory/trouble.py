"""Trouble: what a run could not do, as exceptions with an owner that heal by themselves.

Put here which finding becomes which exception, and what heals it. The catalogue of codes with owner, cause and
fix is in rules/exceptions; what becomes of a line is decided where it is sent or read back.
"""

from collections.abc import Iterable

from bcns_pipeline.defs.inventory.run import FLOW
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.exceptions import CATALOGUE
from bcns_pipeline.rules.identity import Matched
from bcns_pipeline.rules.schedule import parse_cron
from bcns_pipeline.state.exceptions import Question
from bcns_pipeline.state.inventory_views import pending_longer_than

# So many SKUs stand in the text of a grouped exception; all of them are in the plan's lines.
SHOWN = 10


def question(code: str, subject: str, message: str, **detail: object) -> Question:
    """An exception of this code, with the catalogue's severity and owner."""
    entry = CATALOGUE[code]
    return Question(code, subject, message, severity=entry.severity, owner=entry.owner, detail=detail)


def note_identities(connections: Connections, matched: Matched, *, whole: bool) -> None:
    """SKUs that are used twice or blank are blocked alone; they heal when a look at everything finds them mended."""
    ambiguous = [
        question(
            "SKU_AMBIGUOUS",
            f"item:{one.item_id}",
            f"The SKU {one.sku or '(none)'} of NetSuite item {one.item_id} is {one.why}: no stock is sent for it.",
            item=one.item_id,
            sku=one.sku,
        )
        for one in matched.ambiguous
    ]
    _replace(connections, "SKU_AMBIGUOUS", ambiguous, whole=whole)
    untracked = [
        question(
            "SKU_UNTRACKED",
            f"sku:{sku}",
            f"BigCommerce does not track the stock of {sku}: nothing is sent for it.",
        )
        for sku in matched.untracked
    ]
    _replace(connections, "SKU_UNTRACKED", untracked, whole=whole)


def note_kits(connections: Connections, refusal: str | None) -> None:
    """Kits without readable members get no number: unknown is not zero."""
    found = (
        [question("KITS_UNREADABLE", "table:itemmember", f"Kit members can't be read: {refusal}")]
        if refusal
        else []
    )
    _replace(connections, "KITS_UNREADABLE", found, whole=True)


def note_places(connections: Connections, problems: Iterable[str]) -> None:
    """Locations that are out of use or can't be read."""
    found = [
        question("LOCATION_SUSPENDED", f"place:{number}", text) for number, text in enumerate(problems, 1)
    ]
    _replace(connections, "LOCATION_SUSPENDED", found, whole=True)


def note_push(
    connections: Connections, refused: list[tuple[str, str]], drifted: list[str], *, whole: bool
) -> None:
    """What BigCommerce refused, what is out of step for too long, and what shows less than was confirmed."""
    found = [
        question("STOCK_REFUSED", f"sku:{sku}", f"BigCommerce refused the stock of {sku}: {said}")
        for sku, said in refused
    ]
    _replace(connections, "STOCK_REFUSED", found, whole=whole)
    stale = pending_longer_than(connections.state, _stale_minutes(connections))
    found = [
        question("SKU_STALE", f"sku:{sku}", f"The stock of {sku} is out of step for {minutes:,.0f} minutes.")
        for sku, minutes in stale
    ]
    _replace(connections, "SKU_STALE", found, whole=True)
    if whole or drifted:
        some = ", ".join(drifted[:SHOWN]) + (" …" if len(drifted) > SHOWN else "")
        said = f"BigCommerce shows less than was confirmed for {len(drifted):,} SKUs (sold, or changed by hand): {some}"
        found = [question("STOCK_DRIFT", "flow:inventory", said, skus=drifted[:1000])] if drifted else []
        _replace(connections, "STOCK_DRIFT", found, whole=whole)


def _replace(connections: Connections, code: str, found: list[Question], *, whole: bool) -> None:
    exceptions = connections.state.exceptions
    exceptions.open_many(FLOW, found)
    if whole:
        exceptions.keep_only(FLOW, code, [one.subject for one in found])


def _stale_minutes(connections: Connections) -> float:
    inventory = connections.mapping.inventory
    return inventory.stale_after_cadences * parse_cron(inventory.schedule).longest_gap_minutes()

"""Trouble: what a run could not do, as exceptions with an owner that heal by themselves.

Put here which finding becomes which exception, and what heals it. The catalogue of codes with owner, cause and
fix is in rules/exceptions; what becomes of a line is decided where it is sent or read back.
"""

from collections.abc import Iterable, Sequence

import pandas as pd

from bcns_pipeline.defs.inventory.linked import item_links
from bcns_pipeline.defs.inventory.run import FLOW
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.exceptions import CATALOGUE
from bcns_pipeline.rules.identity import Matched
from bcns_pipeline.rules.inventory.freshness import Pending, held_to
from bcns_pipeline.rules.inventory.kits import NOT_READ
from bcns_pipeline.rules.schedule import parse_cron
from bcns_pipeline.state.exceptions import Question
from bcns_pipeline.state.inventory_views import pending_longer_than

# So many SKUs stand in the text of a grouped exception; all of them are in the plan's lines.
SHOWN = 10


def question(code: str, subject: str, message: str, **detail: object) -> Question:
    """An exception of this code, with the catalogue's severity and owner."""
    entry = CATALOGUE[code]
    return Question(code, subject, message, severity=entry.severity, owner=entry.owner, detail=detail)


def note_identities(connections: Connections, matched: Matched | None, *, whole: bool) -> None:
    """SKUs that are used twice or blank are blocked alone; they heal when a look at everything finds them mended."""
    if matched is None:
        if whole:
            _replace(connections, "SKU_AMBIGUOUS", [], whole=True)
        return
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


def note_netting(connections: Connections, problem: str | None) -> None:
    """Why sold units are not held back as they should be."""
    found = [question("NETTING_LIMITED", "flow:inventory", problem)] if problem else []
    _replace(connections, "NETTING_LIMITED", found, whole=True)


def note_excepted(
    connections: Connections,
    unread: pd.DataFrame,
    kits: pd.DataFrame,
    computed: Iterable[int],
    *,
    whole: bool,
) -> None:
    """Items without a number: `unread` (item_id, term, value), `kits` (item_id, why); `computed` ones heal."""
    if not whole:
        # A run that reads a part meets kits of which it has not read every member: no fault of theirs.
        kits = kits[kits["why"] != NOT_READ]
    links = item_links(connections)
    affected = links[links["item_id"].isin([*unread["item_id"], *kits["item_id"]])]
    skus = dict(zip(affected["item_id"].tolist(), affected["sku"].tolist(), strict=True))

    def name(item: int) -> str:
        return f"{skus[item]} (NetSuite item {item})" if item in skus else f"NetSuite item {item}"

    quantities = [
        question(
            "QUANTITY_UNREADABLE",
            f"item:{item}",
            f"NetSuite gives {value!r} as {term} of {name(item)}: its last number stands.",
            item=item,
        )
        for item, term, value in unread.itertuples(index=False)
    ]
    unresolved = [
        question("KIT_UNRESOLVED", f"item:{item}", f"The kit {name(item)} has no number: {why}.", item=item)
        for item, why in kits.itertuples(index=False)
    ]
    for code, found in (("QUANTITY_UNREADABLE", quantities), ("KIT_UNRESOLVED", unresolved)):
        _replace(connections, code, found, whole=whole)
        if not whole and connections.state.exceptions.is_open(FLOW, code):
            connections.state.exceptions.heal(FLOW, code, [f"item:{item}" for item in computed])


def note_push(
    connections: Connections,
    refused: list[tuple[str, str]],
    stuck: Sequence[str],
    drifted: list[str],
    level: Sequence[str],
    *,
    whole: bool,
) -> None:
    """What BigCommerce refused or does not show, what is out of step for too long, and what shows too little.

    `drifted` SKUs show less than was confirmed, `level` ones were looked at and do not.
    """
    waiting = out_of_step(connections)
    pending = {f"sku:{one.sku}" for one in waiting}
    found = [
        question("STOCK_REFUSED", f"sku:{sku}", f"BigCommerce refused the stock of {sku}: {said}")
        for sku, said in refused
    ]
    _keep_while_pending(connections, "STOCK_REFUSED", found, pending)
    found = [
        question(
            "STOCK_UNCONFIRMED",
            f"sku:{sku}",
            f"BigCommerce took the stock of {sku} and does not show it yet.",
        )
        for sku in stuck
    ]
    _keep_while_pending(connections, "STOCK_UNCONFIRMED", found, pending)
    found = [
        question(
            "SKU_STALE",
            f"sku:{one.sku}",
            f"The stock of {one.sku} is out of step for {one.minutes:,.0f} minutes, "
            f"{one.objective.minutes:,.0f} are allowed.",
            freshness=one.objective.name,
        )
        for one in waiting
        if one.late
    ]
    _replace(connections, "SKU_STALE", found, whole=True)
    if not whole:
        # A sample speaks of what it has looked at; the rest stays as it was found.
        known = connections.state.exceptions.find(flow=FLOW, code="STOCK_DRIFT")
        drifted = sorted({sku for row in known for sku in row.detail["skus"]} - set(level) | set(drifted))
    some = ", ".join(drifted[:SHOWN]) + (" …" if len(drifted) > SHOWN else "")
    said = f"BigCommerce shows less than was confirmed for {len(drifted):,} SKUs (sold, or changed by hand): {some}"
    found = [question("STOCK_DRIFT", "flow:inventory", said, skus=drifted[:1000])] if drifted else []
    _replace(connections, "STOCK_DRIFT", found, whole=True)


def _keep_while_pending(
    connections: Connections, code: str, found: list[Question], pending: set[str]
) -> None:
    """A SKU stays in question until it is in step again, whichever run brings that about."""
    exceptions = connections.state.exceptions
    exceptions.open_many(FLOW, found)
    keep = pending | {one.subject for one in found}
    exceptions.keep_only(FLOW, code, sorted(keep))


def _replace(connections: Connections, code: str, found: list[Question], *, whole: bool) -> None:
    exceptions = connections.state.exceptions
    exceptions.open_many(FLOW, found)
    if whole:
        exceptions.keep_only(FLOW, code, [one.subject for one in found])


def out_of_step(connections: Connections) -> list[Pending]:
    """SKUs whose confirmed value is not the wanted one, the longest first, each with what its class allows."""
    inventory = connections.mapping.inventory
    rest = inventory.stale_after_cadences * parse_cron(inventory.schedule).longest_gap_minutes()
    return held_to(pending_longer_than(connections.state, 0.0), inventory.objectives(), rest)

"""A time without events is read again: every order that changed in it into the inbox, and the proof of it.

Put the walk and its certificate here. Do not put here why events were missing (mending.py), nor what an order
means. The walk has no end, so that an order that changes while we walk is met again; then a second, independent
list of what was placed in the window is held against the inbox, because a walk cannot prove itself.
"""

import json
from collections.abc import Callable
from datetime import timedelta

from bcns_pipeline.defs.polling import not_read
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.exceptions import CATALOGUE
from bcns_pipeline.rules.intake import Certificate, Window, certify
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.state.documents import NewDocument
from bcns_pipeline.state.exceptions import Question
from bcns_pipeline.state.inbox import Event

FLOW = "intake"
KIND = "completeness_certificate"
# So much later than now may the end of a walk be: nothing is changed in the future.
OPEN_END = timedelta(days=1)
# So many missing ids are named in an exception; the certificate has all.
NAMED = 20


def fill(
    connections: Connections, window: Window, cause: str, progress: Callable[[str], None]
) -> Certificate:
    """Record what changed since `window.start`, then certify the window. Raises OutsideError.

    An order that we have read as it is now is not recorded again. What the second list shows and the inbox never
    heard of is recorded as well, but missing on the certificate: INTAKE_GAP stays open until one is complete.
    """
    state, shop = connections.state, connections.bigcommerce().orders
    in_store: set[int] = set()
    for page in shop.changed(window.start, window.until + OPEN_END):
        ids = {one.id for one in page.orders}
        unheard = {int(one) for one in state.inbox.missing("order", [str(one) for one in ids])}
        news = unheard | {one.id for one in not_read(state, page.orders)}
        state.inbox.record([Event("order", str(one), "backfill") for one in sorted(news)])
        in_store |= ids
        progress(f"{len(in_store):,} orders changed since {window.start:%Y-%m-%d %H:%M} UTC")
    in_store |= {one.id for one in shop.ids(window.start, window.until)}
    unheard = {int(one) for one in state.inbox.missing("order", [str(one) for one in in_store])}
    certificate = certify("orders", window, in_store, in_store - unheard, cause=cause)
    _keep(connections, certificate, in_store)
    return certificate


def certificate_text(certificate: Certificate) -> str:
    """The certificate as a person downloads it: JSON, without the ids that are there."""
    return json.dumps(certificate.document(), indent=2, sort_keys=True)


def question(code: str, problem: Problem, subject: str) -> Question:
    """An exception of this code with the catalogue's severity and owner."""
    kind = CATALOGUE[code]
    return Question(code, subject, problem.sentence, severity=kind.severity, owner=kind.owner)


def _keep(connections: Connections, certificate: Certificate, in_store: set[int]) -> None:
    """The certificate with its ids as a document, its digest in the audit chain, and what is missing as a question."""
    state = connections.state
    body = {**certificate.document(), "ids": sorted(in_store)}
    key = f"orders:{certificate.window.start.isoformat()}:{certificate.window.until.isoformat()}"
    content = json.dumps(body, sort_keys=True).encode()
    missing = [str(one) for one in certificate.missing]
    with state.scope.transaction() as conn:
        state.documents.store([NewDocument("bcns", KIND, key, content)], conn=conn)
        state.audit.append(
            conn,
            "intake.certified",
            key,
            {
                "cause": certificate.cause,
                "in_store": certificate.in_store,
                "missing": len(missing),
                "digest": certificate.digest,
            },
        )
        state.inbox.record([Event("order", one, "backfill") for one in missing], conn=conn)
        state.exceptions.keep_only(FLOW, "INTAKE_GAP", ["gap:orders"] if missing else [], conn=conn)
        if missing:
            rest = f" and {len(missing) - NAMED:,} more" if len(missing) > NAMED else ""
            sentence = (
                f"Of {certificate.in_store:,} orders between {certificate.window.start:%Y-%m-%d %H:%M} and "
                f"{certificate.window.until:%Y-%m-%d %H:%M} UTC, {len(missing):,} did not arrive: "
                f"{', '.join(missing[:NAMED])}{rest}."
            )
            problem = Problem("INTAKE_GAP", sentence)
            state.exceptions.open(FLOW, question("INTAKE_GAP", problem, "gap:orders"), conn=conn)

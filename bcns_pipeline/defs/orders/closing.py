"""Verify: the cents by which a tax of NetSuite's own differs, closed by a rounding line where the merchant wants it so.

Put here how the line becomes an operation. How much it may close is the rules' (rules/orders/compare.py). Where tax is
posted as charged nothing is ever closed afterwards: a difference there was made by somebody, and is a question. No
plan has the line, so what it is made from is kept under its own key.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import TypeAdapter

from bcns_pipeline import config
from bcns_pipeline.defs.orders.evidence import CODE_VERSION, mapping_document
from bcns_pipeline.defs.orders.run import EDIT
from bcns_pipeline.rules.natural_keys import edit_key
from bcns_pipeline.rules.orders.compare import closing_line, drift
from bcns_pipeline.rules.orders.draft import Expected, ExpectedLine
from bcns_pipeline.rules.orders.facts import Shown
from bcns_pipeline.rules.orders.policy import SALES_ORDER, OrderPolicy
from bcns_pipeline.rules.orders.tax import tax_mode
from bcns_pipeline.state.documents import NewDocument
from bcns_pipeline.state.operations import Intent
from bcns_pipeline.state.store import State

# NetSuite has no name for a line without our field; the read-back then finds it by its item.
LINE = "rounding"
KIND = "order_cents"


@dataclass(frozen=True, slots=True)
class Cents:
    """An order whose record shows another total than the version written last (`version`, a content hash) has to.

    `mapping` and `code_version` are as in `evidence.Evidence`.
    """

    order_id: int
    channel_id: int
    record: str
    netsuite_id: str
    version: str
    expected: Expected = field(repr=False)
    shown: Shown = field(repr=False)
    mapping: str = ""
    code_version: str = CODE_VERSION


_CENTS = TypeAdapter(Cents)


def closing_key(store: str, order_id: int, version: str | None) -> str:
    """Key of the operation that closes the cents of a version; there is one for each."""
    return edit_key(store, order_id, f"cents{version}")


def closing(store: str, one: Cents, policy: OrderPolicy) -> Intent | None:
    """The operation that brings the record to the charged total. None where that is not wanted, or too much."""
    channel = policy.channel(one.channel_id)
    if channel is None or tax_mode(policy, channel) != "ns_recalc" or one.record != SALES_ORDER:
        return None
    body = closing_line(one.expected, one.shown, policy)
    if body is None or policy.rounding_item is None:
        return None
    rest = -drift(one.expected, one.shown)
    line = ExpectedLine(LINE, policy.rounding_item, 1, rest.amount)
    # The tax is NetSuite's, by the merchant's own word; from now on it has to stay what it is.
    after = replace(one.expected, tax=one.shown.tax, residual=rest.amount, lines=(*one.expected.lines, line))
    payload = {
        "record": one.record,
        "method": "patch",
        "id": one.netsuite_id,
        "body": body,
        "order_id": one.order_id,
        "version": one.version,
        "expected": after.document(),
        "closes": False,
    }
    return Intent(
        EDIT,
        closing_key(store, one.order_id, one.version),
        payload,
        group_key=f"order:{one.order_id}",
        amount_minor=rest.minor,
        currency=rest.currency,
    )


def keep(state: State, mapping: config.Mapping, made: Sequence[Cents], conn: Any) -> None:
    """Keep what these rounding lines were made from."""
    if not made:
        return
    sections, mark = mapping_document(mapping)
    documents = [sections]
    for one in made:
        key, body = closing_key(state.store, one.order_id, one.version), replace(one, mapping=mark)
        documents.append(NewDocument("bcns", KIND, key, _CENTS.dump_json(body)))
    state.documents.store_changed(documents, conn=conn)


def kept(state: State, keys: Collection[str]) -> dict[str, Cents]:
    """{key: what its rounding line was made from}; one of which nothing was kept is missing."""
    ids = {one.id: key for key, one in state.documents.latest(KIND, keys).items()}
    bodies = state.documents.load_many(list(ids))
    return {ids[one]: _CENTS.validate_json(body) for one, body in bodies.items() if body is not None}

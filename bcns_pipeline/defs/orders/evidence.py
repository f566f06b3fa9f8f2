"""What a plan of orders was made from besides the orders' own documents: so that it can be made again, to the byte.

Put here what is kept beside a plan, and how it comes back. Do not make anything again here (reperform.py). Of the
mapping file those sections are kept, under their digest, that a line depends on. There is no personal data in it:
customers stand in it by NetSuite's id or by our own key.
"""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version as installed
from typing import Any

from pydantic import TypeAdapter

from bcns_pipeline import config
from bcns_pipeline.defs.orders.details import KIND as DETAILS
from bcns_pipeline.defs.orders.facts import Known
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.orders.draft import Expected
from bcns_pipeline.rules.orders.facts import Account, CustomerRef, Items, Shown
from bcns_pipeline.rules.orders.model import Order
from bcns_pipeline.rules.orders.needs import needs
from bcns_pipeline.state.documents import NewDocument
from bcns_pipeline.state.plans import Plan
from bcns_pipeline.state.store import State

PLAN, MAPPING = "order_plan", "order_mapping"
SECTIONS = {"store", "cutover", "channels", "orders", "customers"}
CODE_VERSION = installed("bcns-pipeline")


@dataclass(frozen=True, slots=True)
class Basis:
    """What an edit was made from besides the order's newest version.

    `shown` is the record as NetSuite showed it, `written` the id of the document of the version that it held, and
    `must_show` what a closed record has to go on showing.
    """

    shown: Shown
    written: int | None = None
    must_show: Expected | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """`documents` are ids of the versions that were planned, `details` of what was read beside them, both by order.

    `mapping` is the digest of `SECTIONS` as they were, under which they are kept. `customers` say who pays, by order;
    `edits` has those orders whose record was there already. `currencies` (NetSuite's ids) are those that an order's
    customer had, where it was there and they were read.
    """

    code_version: str
    mapping: str
    account: Account
    items: Items
    documents: Mapping[int, int]
    details: Mapping[int, int]
    customers: Mapping[int, CustomerRef] = field(repr=False)
    edits: Mapping[int, Basis] = field(default_factory=dict, repr=False)
    currencies: Mapping[int, frozenset[int]] = field(default_factory=dict)


_EVIDENCE = TypeAdapter(Evidence)


def keep(
    connections: Connections,
    plan: Plan,
    known: Known,
    orders: Collection[Order],
    documents: Mapping[int, int],
    edits: Mapping[int, Basis],
    currencies: Mapping[int, frozenset[int]],
) -> None:
    """Keep what the lines of these `orders` were made from; `documents` are ids of their versions, by order."""
    state, (sections, mark) = connections.state, mapping_document(connections.mapping)
    payers = {one.id: known.payer(one) for one in orders}
    detailed = {f"order:{one.id}": one.id for one in orders if needs(one, connections.order_policy)}
    evidence = Evidence(
        CODE_VERSION,
        mark,
        known.account,
        known.items,
        {one.id: documents[one.id] for one in orders},
        {detailed[key]: one.id for key, one in state.documents.latest(DETAILS, detailed).items()},
        {one: payer for one, payer in payers.items() if isinstance(payer, CustomerRef)},
        edits,
        {one.id: currencies[one.id] for one in orders if one.id in currencies},
    )
    state.documents.store_changed(
        [
            sections,
            NewDocument("bcns", PLAN, _key(plan.id), _EVIDENCE.dump_json(evidence)),
        ]
    )


def evidence_of(state: State, plan_ids: Collection[int]) -> dict[int, Evidence]:
    """{plan: what it was made from}; a plan of which nothing was kept is missing."""
    by_key = {_key(one): one for one in plan_ids}
    kept = {one.id: by_key[key] for key, one in state.documents.latest(PLAN, by_key).items()}
    bodies = state.documents.load_many(list(kept))
    return {kept[one]: _EVIDENCE.validate_json(body) for one, body in bodies.items() if body is not None}


def mapping_at(state: State, mark: str) -> config.Mapping | None:
    """The sections that orders depend on, as they were under that digest; None where they were never kept."""
    found = state.documents.latest(MAPPING, [f"{MAPPING}:{mark}"]).get(f"{MAPPING}:{mark}")
    return None if found is None else config.Mapping.model_validate_json(state.documents.load(found.id))


def mapping_document(mapping: config.Mapping) -> tuple[NewDocument, str]:
    """The sections of a mapping file that a line of an order depends on, to be kept, and their digest."""
    plain: Any = mapping.model_dump(mode="json", by_alias=True, include=SECTIONS)
    body = json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()
    mark = hashlib.sha256(body).hexdigest()
    return NewDocument("bcns", MAPPING, f"{MAPPING}:{mark}", body), mark


def _key(plan_id: int) -> str:
    return f"plan:{plan_id}"

"""Metafields of orders, many orders a call where the store takes that, else one by one.

Put reading and writing of metafields here. A metafield belongs to the API account that made it, and its key is
unique per account, namespace and order. How many fit into a call is not documented: the caller chooses, and
gets TOO_LARGE (413) for too many. Facts: `facts/bigcommerce.md` 3.11.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, Final

from bcns_pipeline.clients.bigcommerce import documents
from bcns_pipeline.clients.bigcommerce.api import MAX_ROWS, Document, Subject, readable, stuck
from bcns_pipeline.clients.bigcommerce.changes import SECOND
from bcns_pipeline.clients.bigcommerce.errors import SAVED
from bcns_pipeline.clients.bigcommerce.models import Metafield
from bcns_pipeline.clients.bigcommerce.parsing import cursor_page
from bcns_pipeline.clients.http.body import Params
from bcns_pipeline.outcomes import Ambiguous, Outcome, RateLimited, Refused, Rejected, Sent

_ALL: Final = "/v3/orders/metafields"
_ONE: Final = "/v3/orders/{id}/metafields"
_PARALLEL: Final = 4
_KEPT: Final = ("id", "resource_id", "namespace", "key", "value")
_NO_SUCH_PATH: Final = frozenset({404, 405})


class OrderMetafields(Subject):
    """Metafields of orders; part of `BigCommerceOrders`."""

    # Whether this store has the calls for many orders at once; found out at the first write.
    _many = True

    def metafields(
        self, wanted: Collection[tuple[str, str]], *, modified_since: datetime | None = None
    ) -> list[Metafield]:
        """The `wanted` metafields (namespace, key) over all orders: the filter knows no order ids."""
        pages = self._pages(_ALL, wanted, modified_since)
        return [one for page in pages for one in page]

    def metafield_values(
        self, placed: Mapping[int, datetime], wanted: Collection[tuple[str, str]]
    ) -> dict[int, dict[str, dict[str, str]]]:
        """{order: {namespace: {key: value}}} of the `wanted` metafields, for orders `placed` then.

        No metafield is older than its order, so one list over all orders has those of recent ones. Where it
        grows beyond a tenth of the calls that asking for each order takes, each is asked for.
        """
        values: dict[int, dict[str, dict[str, str]]] = {one: {} for one in placed}
        listed = self._listed(placed, wanted)
        for one in self._each(placed, wanted) if listed is None else listed:
            if one.order_id in values:
                values[one.order_id].setdefault(one.namespace, {})[one.key] = one.value
        return values

    def _listed(
        self, placed: Mapping[int, datetime], wanted: Collection[tuple[str, str]]
    ) -> list[Metafield] | None:
        if len(placed) == 1:
            return None
        found: list[Metafield] = []
        pages = self._pages(_ALL, wanted, min(placed.values()) - SECOND)
        for number, page in enumerate(pages):
            if number > len(placed) // 10:
                return None
            found += page
        return found

    def _each(
        self, placed: Mapping[int, datetime], wanted: Collection[tuple[str, str]]
    ) -> Iterator[Metafield]:
        def of(order_id: int) -> list[Metafield]:
            try:
                return [one for page in self._pages(_ONE, wanted, order_id=order_id) for one in page]
            except Rejected as refused:
                # Deleted since it was read; whoever reads it again is told so.
                if refused.status == 404:
                    return []
                raise

        with ThreadPoolExecutor(_PARALLEL, thread_name_prefix="metafields") as pool:
            for some in pool.map(of, placed):
                yield from some

    def create_metafields(self, wanted: Sequence[Metafield]) -> Outcome:
        """Create all of these in one call.

        A Refused names what was not created as "order:118" in `named`; the others were. 409 and 422 mean that the key
        is there already or that the order is not. Where the store has no such call, one call per metafield gives the
        same.
        """
        if not wanted:
            raise ValueError("no metafields")
        if self._many:
            bodies = [{"resource_id": one.order_id, **_new(one)} for one in wanted]
            outcome = self._api.write_many("POST", _ALL, bodies, f"POST {_ALL}", _KEPT)
            if not isinstance(outcome, Refused):
                return outcome
            if outcome.status not in _NO_SUCH_PATH:
                return _naming(outcome, wanted)
            # Not remembered before a single one goes through: 404 may also mean that the order is gone.
        outcomes = [
            self._api.write("POST", _ONE.format(id=one.order_id), _new(one), f"POST {_ONE}", _KEPT)
            for one in wanted
        ]
        if self._many and any(isinstance(one, Sent) for one in outcomes):
            self._many = False
        return _together(wanted, outcomes)

    def _pages(
        self,
        path: str,
        wanted: Collection[tuple[str, str]],
        modified_since: datetime | None = None,
        order_id: int | None = None,
    ) -> Iterator[list[Metafield]]:
        """Page by page, so that who has seen enough stops. Of an order, `resource_id` need not be said."""
        operation, of = f"GET {path}", {} if order_id is None else {"resource_id": order_id}
        asked: Params = {
            "namespace:in": ",".join(sorted({namespace for namespace, _ in wanted})),
            "key:in": ",".join(sorted({key for _, key in wanted})),
            "date_modified:min": documents.stamp(modified_since),
            "limit": MAX_ROWS,
        }
        position: Mapping[str, Any] = {}
        end: tuple[list[Document], Document | None] = ([], None)
        while True:
            rows, following = self._api.get(
                path.format(id=order_id), {**asked, **position}, cursor_page, end, operation=operation
            )
            with readable(operation):
                found = [_metafield({**of, **row}) for row in rows]
            yield [one for one in found if (one.namespace, one.key) in wanted]
            if not rows or following is None:
                return
            if following == position:
                raise stuck(operation, "a cursor points at itself")
            position = following


def _new(one: Metafield) -> Document:
    return {
        "permission_set": one.permission_set,
        "namespace": one.namespace,
        "key": one.key,
        "value": one.value,
    }


def _metafield(row: Mapping[str, Any]) -> Metafield:
    return Metafield(
        order_id=int(row["resource_id"]),
        key=str(row["key"]),
        value=str(row.get("value", "")),
        namespace=str(row["namespace"]),
        permission_set=str(row.get("permission_set") or "read"),
        id=int(row["id"]),
    )


def _naming(outcome: Refused, wanted: Sequence[Metafield]) -> Refused:
    """The orders of which something was not saved; a refusal that tells of nothing saved means all."""
    saved = {one.removeprefix(SAVED) for one in outcome.named if one.startswith(SAVED)}
    failed = [one.order_id for one in wanted if f"{one.order_id}/{one.namespace}/{one.key}" not in saved]
    return Refused(
        outcome.status, outcome.code, outcome.detail, tuple(dict.fromkeys(f"order:{n}" for n in failed))
    )


def _together(wanted: Sequence[Metafield], outcomes: Sequence[Outcome]) -> Outcome:
    """What many single writes amount to. What is unclear about one is unclear about the whole."""
    unclear = [one for one in outcomes if isinstance(one, Ambiguous)]
    if unclear:
        return Ambiguous(f"{len(unclear)} of {len(outcomes)} metafields: {unclear[0].reason}")
    limited = [one for one in outcomes if isinstance(one, RateLimited)]
    if limited and len(limited) == len(outcomes):
        return limited[0]
    if limited:
        return Ambiguous(f"{len(limited)} of {len(outcomes)} metafields were put off")
    refused = [one for one in outcomes if isinstance(one, Refused)]
    if refused:
        pairs = zip(wanted, outcomes, strict=True)
        named = dict.fromkeys(f"order:{field.order_id}" for field, one in pairs if isinstance(one, Refused))
        first = refused[0]
        return Refused(first.status, first.code, first.detail, tuple(named))
    rows = [
        {"resource_id": field.order_id, **one.answer}
        for field, one in zip(wanted, outcomes, strict=True)
        if isinstance(one, Sent)
    ]
    return Sent({"data": rows})

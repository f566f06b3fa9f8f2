"""NetSuite's stock as one flow sees it: the reads of `inventory.py` bound to a client and an account.

Put here what saves the flow from knowing sources and SKU fields at every call. No new queries here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from bcns_pipeline.clients.netsuite import inventory, items
from bcns_pipeline.clients.netsuite.client import NetSuiteClient
from bcns_pipeline.clients.netsuite.levels import columns, read_levels_page
from bcns_pipeline.clients.netsuite.models import ChangedItem, LevelsPage, MembersPage, NetSuiteLocation
from bcns_pipeline.clients.netsuite.suiteql import MAX_LIMIT


class NetSuiteStock:
    """Reads of one account. `sku_field` is the item column with the SKU; `parallel` streams at a time."""

    def __init__(self, client: NetSuiteClient, *, sku_field: str, source: str, parallel: int) -> None:
        self._client = client
        self._sku_field = sku_field
        self._source = source
        self._parallel = parallel

    def clock(self) -> str:
        """NetSuite's own time, the frame of every watermark."""
        return self._client.clock()

    def locations(self) -> list[NetSuiteLocation]:
        """Every location; Rejected where the role may not read them."""
        return self._client.locations()

    def levels(
        self,
        locations: Sequence[int],
        draw_seq: Callable[[], int],
        *,
        changed_since: str | None = None,
        item_ids: Sequence[int] | None = None,
        known_ids: Iterable[int] = (),
        after: int | None = None,
    ) -> Iterator[LevelsPage]:
        """Pages of stock, see `inventory.read_levels`; `known_ids` balance the streams of a full read."""
        known = list(known_ids)
        return inventory.read_levels(
            self._client,
            locations=locations,
            draw_seq=draw_seq,
            sku_field=self._sku_field,
            source=self._source,
            changed_since=changed_since,
            item_ids=item_ids,
            ranges=inventory.balanced_ranges(known, self._parallel) if known else None,
            parallel=self._parallel,
            after=after,
        )

    def members(self, locations: Sequence[int], changed_since: str | None = None) -> Iterator[MembersPage]:
        """Members of kits and groups, see `inventory.read_members`."""
        source = inventory.SOURCES[0] if self._source in {"auto", "item"} else self._source
        return items.read_members(
            self._client,
            changed_since=changed_since,
            locations=locations,
            sku_field=self._sku_field,
            source=source,
        )

    def changed_items(self, since: str) -> Iterator[ChangedItem]:
        """Items whose record changed since `since`."""
        return items.read_changed_items(self._client, since, sku_field=self._sku_field)

    def costs(self, item_ids: Sequence[int]) -> dict[int, Decimal]:
        """What a unit of these items costs, where NetSuite knows; Rejected where the role may not read it."""
        return items.read_costs(self._client, item_ids)

    @staticmethod
    def decode(body: bytes, read_seq: int, source: str, location: int | None) -> LevelsPage:
        """A page of stock again from the body that was kept as read."""
        return columns(replace(read_levels_page(body, MAX_LIMIT, 0), read_seq=read_seq), source, location)

"""The body of an adjustment call: its lines checked and encoded, ahead of the call where that saves time.

Put here what an adjustment looks like on its way out. No HTTP, and no decision what a quantity should be.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from bcns_pipeline.clients.bigcommerce.models import MAX_QUANTITY, Adjustment, AdjustmentColumns
from bcns_pipeline.clients.http.body import Encoded

MAX_ADJUSTMENTS: Final = 2000


def adjustment_body(items: Sequence[Adjustment], reason: str) -> Encoded:
    """The body for these lines. ValueError for no items, more than 2000, or a quantity outside 0 to 2,147,483,647."""
    if not 0 < len(items) <= MAX_ADJUSTMENTS:
        raise ValueError(f"an adjustment takes 1 to {MAX_ADJUSTMENTS} items, not {len(items)}")
    if not isinstance(items, AdjustmentColumns):
        lines = []
        for item in items:
            kind, identity = item.identity()
            _refuse(item.quantity, f"{kind} {identity}")
            lines.append({"location_id": item.location_id, kind: identity, "quantity": item.quantity})
        return Encoded.of({"reason": reason, "items": lines})
    _refuse(min(items.quantity), "the lowest")
    _refuse(max(items.quantity), "the highest")
    columns = zip(items.location_id, items.kind, items.identity, items.quantity, strict=True)
    text = ",".join(
        [
            f'{{"location_id":{location:d},"{kind}":{identity:d},"quantity":{quantity:d}}}'
            for location, kind, identity, quantity in columns
        ]
    )
    return Encoded({"reason": reason}, f'{{"reason":{json.dumps(reason)},"items":[{text}]}}'.encode())


def _refuse(quantity: int, whose: str) -> None:
    if not 0 <= quantity <= MAX_QUANTITY:
        raise ValueError(f"{whose}: quantity {quantity} is outside 0 to {MAX_QUANTITY}")

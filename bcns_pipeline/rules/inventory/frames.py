"""From columns as a reader gives them to the frames that the rules compute on.

Put the turning of text into exact columns here. Do not compute a sellable number here. One unreadable
quantity takes its own item out, never the others: unknown is not empty, and not 0 either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from bcns_pipeline.rules.inventory.policy import Policy
from bcns_pipeline.rules.inventory.quantities import TERMS, Flags, read_quantities

# Item types that carry stock (facts/netsuite.md 5). A kit's other members, such as services, never limit it.
STOCKED_TYPES: Final = ("InvtPart", "Assembly")
KIT_TYPES: Final = ("Kit", "Group")


def levels_frame(
    *,
    item_id: Sequence[int],
    netsuite_location: Sequence[int],
    terms: Mapping[str, Sequence[str | None]],
    changed_at: Sequence[str | None],
    read_seq: Sequence[int],
    policy: Policy,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Stock as read, exact, and what could not be read of it.

    First frame: int64 item_id, netsuite_location (0 = no row in any mapped location), the six terms scaled
    (digits past the eighth go against selling), read_seq; changed_at (object). Second frame: item_id, term,
    value, one row per unreadable quantity; all rows of these items are missing from the first.
    """
    columns: dict[str, object] = {
        "item_id": np.asarray(item_id, dtype=np.int64),
        "netsuite_location": np.asarray(netsuite_location, dtype=np.int64),
    }
    bad = np.zeros(len(item_id), dtype=np.bool_)
    faults: list[tuple[int, str, str]] = []
    for term in TERMS:
        texts = terms[term]
        # What lowers the result is rounded up, everything else down: no unit is ever sold by rounding.
        columns[term], unreadable = read_quantities(texts, round_up=term in policy.expression.subtracted)
        faults += [(item_id[row], term, str(texts[row])) for row in np.flatnonzero(unreadable).tolist()]
        bad |= unreadable
    columns["changed_at"] = pd.Series(list[Any](changed_at), dtype=object)
    columns["read_seq"] = np.asarray(read_seq, dtype=np.int64)
    frame = pd.DataFrame(columns)
    if faults:
        frame = frame[~frame["item_id"].isin(frame["item_id"][bad])].reset_index(drop=True)
    unread = pd.DataFrame(faults, columns=["item_id", "term", "value"]).astype({"item_id": "int64"})
    return frame, unread


def members_frame(
    *,
    parent_id: Sequence[int],
    item_id: Sequence[int],
    quantity: Sequence[str | None],
    member_type: Sequence[str],
    member_inactive: Sequence[bool],
) -> pd.DataFrame:
    """Members of kits and groups: int64 parent_id, item_id, quantity (scaled, rounded up; 0 = unreadable);
    bool stocked (it limits the kit; members that are kits themselves do too) and inactive.
    """
    need, unreadable = read_quantities(quantity, round_up=True)
    kinds: Flags = np.isin(np.asarray(member_type, dtype=object).astype(str), (*STOCKED_TYPES, *KIT_TYPES))
    return pd.DataFrame(
        {
            "parent_id": np.asarray(parent_id, dtype=np.int64),
            "item_id": np.asarray(item_id, dtype=np.int64),
            "quantity": np.where(unreadable, 0, need),
            "stocked": kinds,
            "inactive": np.asarray(member_inactive, dtype=np.bool_),
        }
    )


def no_members() -> pd.DataFrame:
    """The frame of an account without kits."""
    return members_frame(parent_id=[], item_id=[], quantity=[], member_type=[], member_inactive=[])

"""The item links as the steps of one run share them: read once, and again after they were written.

Put only the keeping here. How links are found is in identify.py, and what they are in state/links.py.
"""

import pandas as pd

from bcns_pipeline.resources.connections import Connections

KEPT = "inventory.links"


def item_links(connections: Connections) -> pd.DataFrame:
    """All item links: int64 item_id, product_id, variant_id; sku, tracking; ordered by item_id. Don't change it."""
    kept = connections.scratch.get(KEPT)
    if kept is None:
        kept = connections.scratch[KEPT] = connections.state.links.items()
    links: pd.DataFrame = kept
    return links


def forget_links(connections: Connections) -> None:
    """Links were written: the next look reads them anew."""
    connections.scratch.pop(KEPT, None)

"""Metafields of orders: what an app notes on an order beside the shop's own fields.

Put the records, their endpoints and their rules here. Do not put other resources here. Sources:
facts/bigcommerce.md 3.11. One app works with this store, so all of them are its own.
"""

from __future__ import annotations


class MetafieldBook:
    """All metafields of orders."""

"""The merchant's mapping file: import from here. `models.py` has the file, a module each its sections, `text.py`
reading and faults."""

from bcns_pipeline.config.inventory import InventoryMapping, LocationMap
from bcns_pipeline.config.models import Mapping, json_schema, load_mapping, load_or_default
from bcns_pipeline.config.orders import OrdersMapping

__all__ = [
    "InventoryMapping",
    "LocationMap",
    "Mapping",
    "OrdersMapping",
    "json_schema",
    "load_mapping",
    "load_or_default",
]

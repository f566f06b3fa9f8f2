"""The merchant's mapping file: import from here. `models.py` has the keys, `text.py` reading and faults."""

from bcns_pipeline.config.models import (
    InventoryMapping,
    LocationMap,
    Mapping,
    json_schema,
    load_mapping,
    load_or_default,
)

__all__ = ["InventoryMapping", "LocationMap", "Mapping", "json_schema", "load_mapping", "load_or_default"]

"""What the record types of transactions have in common: their records stand in the ledger.

Put here how a record is found. Do not put rules of a type here (salesorder.py, fulfilment.py, ...).
"""

from __future__ import annotations

from bcns_pipeline.sandbox.netsuite.context import Context
from bcns_pipeline.sandbox.netsuite.definition import Definition
from bcns_pipeline.sandbox.netsuite.ledger import Transaction


class Transactions:
    """A record type whose records are transactions."""

    def __init__(self, definition: Definition, context: Context) -> None:
        self.definition = definition
        self.context = context

    def find(self, key: str) -> int | None:
        """The internal id that a path names."""
        found = self.context.ledger.find(self.definition.name, key)
        return None if found is None else found.id

    def get(self, number: int) -> Transaction:
        """The record with this id, which must be there."""
        found = self.context.ledger.get(number)
        assert found is not None
        return found

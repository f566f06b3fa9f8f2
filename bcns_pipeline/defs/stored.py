"""Documents of providers and banks as the state keeps them: stored before they are read, opened one at a time.

Put here how bytes go into the state and come back. Do not put reading here (`resources/settlements.py`).
"""

from collections.abc import Sequence
from typing import overload

from bcns_pipeline.clients.files.models import Document
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.state.payout_models import Received


def receive(connections: Connections, document: Document) -> Received:
    """Keep a document's bytes; committed before anybody reads them, so that evidence stays of what can't be read."""
    return connections.state.settlements.receive(
        document.content,
        document.sha256,
        origin=document.origin,
        name=document.name,
        fetched_at=document.fetched_at,
    )


class StoredDocuments(Sequence[Document]):
    """Documents by their places, each opened when it is asked for: 250 pages of a payout never lie side by side."""

    def __init__(self, connections: Connections, received: Sequence[Received]) -> None:
        self._state = connections.state
        self._received = list(received)

    def __len__(self) -> int:
        return len(self._received)

    @overload
    def __getitem__(self, place: int) -> Document: ...

    @overload
    def __getitem__(self, place: slice) -> list[Document]: ...

    def __getitem__(self, place: int | slice) -> Document | list[Document]:
        if isinstance(place, slice):
            return [self._open(one) for one in self._received[place]]
        return self._open(self._received[place])

    def _open(self, one: Received) -> Document:
        content = self._state.settlements.content(one)
        return Document(one.origin, one.name, content, one.fetched_at)

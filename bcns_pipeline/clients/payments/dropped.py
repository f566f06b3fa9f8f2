"""Dropped settlement files as a PayoutSource: the same protocol as an API's.

Put here how documents that were dropped answer for one merchant account. Where they come from is the caller's matter
(a drop folder, or the state's stored bytes).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime

from bcns_pipeline.clients.files.models import BadFile, Document
from bcns_pipeline.clients.payments.kinds import read_balances, read_file
from bcns_pipeline.clients.payments.models import Settlement, SourceBalance, SourcePayout
from bcns_pipeline.clients.payments.profile import FileProfile


class DroppedSource:
    """One merchant account at one provider, told by files. `documents` gives all files that may name it."""

    def __init__(
        self, provider: str, account: str, documents: Callable[[], Iterable[Document]], profile: FileProfile
    ) -> None:
        self._provider, self._account = provider, account
        self._documents = documents
        self._profile = profile

    @property
    def provider(self) -> str:
        """The provider's name in natural keys."""
        return self._provider

    @property
    def account(self) -> str:
        """The merchant account's name in natural keys."""
        return self._account

    def payouts(self, since: datetime) -> Iterator[Document]:
        """Every file that came since then; a file says by itself which payouts it has."""
        for document in self._documents():
            if document.fetched_at >= since:
                yield document

    def read_payouts(self, document: Document) -> list[SourcePayout]:
        """This account's payouts in one file."""
        return [found.payout for found in self._own(document)]

    def lines(self, payout: SourcePayout) -> Iterator[Document]:
        """The file that has `payout`: the first one, because what comes later is a repetition or a correction."""
        for document in self._documents():
            if any(found.payout.id == payout.id for found in self._own(document)):
                yield document
                return

    def read_lines(self, payout: SourcePayout, documents: Iterable[Document]) -> Settlement:
        """`payout` with its lines; BadFile where the file has another payout of that id, or none."""
        for document in documents:
            for found in self._own(document):
                if found.payout.id == payout.id:
                    if found.payout != payout:
                        raise BadFile(
                            "SHAPE", f"payout {payout.id} is not what it was told as", file=document.name
                        )
                    return found
        raise BadFile("SHAPE", f"no file has payout {payout.id} of {self._account}")

    def balance(self, at: datetime | None = None) -> Iterator[Document]:  # noqa: ARG002 - the protocol's
        """Every file that tells this account's balance; which of them counts is decided when they are read."""
        for document in self._documents():
            if self._balances(document):
                yield document

    def read_balance(self, documents: Sequence[Document], at: datetime | None = None) -> SourceBalance | None:
        """The last balance told at or before `at` (the last one of all without it); None where there is none."""
        until = at or datetime.max.replace(tzinfo=UTC)
        told = [one for document in documents for one in self._balances(document) if one.at <= until]
        return max(told, key=lambda one: one.at, default=None)

    def _own(self, document: Document) -> list[Settlement]:
        return [
            found
            for found in read_file(document, self._profile)
            if (found.payout.provider, found.payout.account) == (self._provider, self._account)
        ]

    def _balances(self, document: Document) -> list[SourceBalance]:
        return [
            one
            for one in read_balances(document, self._profile)
            if (one.provider, one.account) == (self._provider, self._account)
        ]

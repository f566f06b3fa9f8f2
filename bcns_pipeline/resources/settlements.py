"""Readers of what providers and banks send, whichever way it came: pure functions of stored bytes.

Put here which reader belongs to which origin. Do not put reading here (`clients/payments`, `clients/bank`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bcns_pipeline.clients.bank.kinds import read_statements
from bcns_pipeline.clients.bank.models import Statement
from bcns_pipeline.clients.files.models import BadFile, Document
from bcns_pipeline.clients.payments import stripe_reading
from bcns_pipeline.clients.payments.kinds import read_file
from bcns_pipeline.clients.payments.models import Settlement, SourcePayout
from bcns_pipeline.clients.payments.profile import FileProfile
from bcns_pipeline.clients.payments.stripe import ORIGIN as STRIPE
from bcns_pipeline.config.payouts import PayoutsMapping


def accounts_of(payouts: PayoutsMapping) -> dict[str, str]:
    """{provider: its merchant account}, the first one where the mapping file has several."""
    found: dict[str, str] = {}
    for name, one in payouts.providers.items():
        found.setdefault(one.provider or name, one.account)
    return found


def profile_of(payouts: PayoutsMapping) -> FileProfile:
    """What no file says by itself."""
    files = payouts.files
    return FileProfile(
        accounts_of(payouts), files.braintree_fees, files.stripe_zone, dict(files.paypal_digits)
    )


@dataclass(frozen=True, slots=True)
class SettlementReader:
    """Reads documents of any origin. Raises BadFile for bytes that can't be taken."""

    profile: FileProfile

    def file(self, document: Document) -> list[Settlement]:
        """Every payout of a dropped file, whichever provider wrote it."""
        return read_file(document, self.profile)

    def statements(self, document: Document) -> list[Statement]:
        """Every statement of a dropped bank file."""
        return read_statements(document)

    def listed(self, document: Document, account: str) -> list[SourcePayout]:
        """The payouts that a page of an API, or a file, names."""
        if document.origin == STRIPE:
            return stripe_reading.read_payouts(document, account)
        return [one.payout for one in self.file(document)]

    def itemised(self, payout: SourcePayout, documents: Sequence[Document]) -> Settlement:
        """`payout` with its lines, from the documents that itemise it."""
        if documents and documents[0].origin == STRIPE:
            return stripe_reading.read_lines(payout, documents)
        for document in documents:
            for found in self.file(document):
                one = found.payout
                if (one.provider, one.account, one.id) == (payout.provider, payout.account, payout.id):
                    return found
        raise BadFile("SHAPE", f"no document has payout {payout.id} of {payout.account}")

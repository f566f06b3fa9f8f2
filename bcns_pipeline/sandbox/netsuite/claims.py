"""What of a transaction is settled by what: applications of deposits, payments and credits, and what is left open.

Put the keeping of applied amounts here. Do not put who may apply what here (applying.py) nor postings
(postings.py). A credit (deposit, payment, credit memo, a journal's credit of receivables) settles a debit (invoice,
a journal's debit of receivables), or is paid back. Amounts are in the transactions' common currency; what they
are worth in the base currency is each side's own, so that the last application of a side takes all that is left.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from bcns_pipeline.sandbox.netsuite.ledger import ZERO

# A transaction and its line; 0 is the main line, else it is a journal's.
Key = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Claim:
    """One application, made on the transaction `owner`. A refund's claim has no debit: it is money that left."""

    owner: int
    credit: Key
    debit: Key | None
    amount: Decimal
    credit_base: Decimal
    debit_base: Decimal


class Claims:
    """All applications of one account."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Nothing is applied, as after a new seed."""
        self._by_owner: dict[int, Sequence[Claim]] = {}
        self._on: dict[Key, list[Claim]] = defaultdict(list)

    def of(self, owner: int) -> Sequence[Claim]:
        """The applications that a transaction makes."""
        return self._by_owner.get(owner, ())

    def on(self, key: Key) -> Sequence[Claim]:
        """The applications that settle a transaction, or a journal's line."""
        return self._on.get(key, ())

    def on_any(self, number: int) -> list[Claim]:
        """The applications on any line of a transaction."""
        return [claim for key, claims in self._on.items() if key[0] == number for claim in claims]

    def used(self, key: Key) -> Decimal:
        """How much of it is settled, in its currency."""
        return sum((claim.amount for claim in self.on(key)), ZERO)

    def used_base(self, key: Key) -> Decimal:
        """How much of its worth in the base currency is settled."""
        return sum(
            (claim.credit_base if claim.credit == key else claim.debit_base for claim in self.on(key)), ZERO
        )

    def set(self, owner: int, claims: Iterable[Claim]) -> set[int]:
        """What a transaction applies is this from now on; returns all other transactions that it touches."""
        before, after = self.of(owner), tuple(claims)
        for claim in before:
            for key in keys(claim):
                self._on[key].remove(claim)
        for claim in after:
            for key in keys(claim):
                self._on[key].append(claim)
        self._by_owner[owner] = after
        touched = {key[0] for claim in (*before, *after) for key in keys(claim)}
        return touched - {owner}


def keys(claim: Claim) -> Iterable[Key]:
    """Both sides of an application, as far as it has them."""
    return (claim.credit,) if claim.debit is None else (claim.credit, claim.debit)

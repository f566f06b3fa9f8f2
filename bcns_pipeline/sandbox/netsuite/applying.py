"""Who may settle what: the `apply` and `deposit` sublists of payments, applications, credit memos and refunds.

Put the checks of an application here. Do not put the keeping of applied amounts here (claims.py). Sources:
facts/netsuite.md 3.3 and 3.6: `apply` is keyed by `doc`, and of a journal by its `line` too. Both sides belong to
one customer, one currency and one subsidiary, and nobody applies more than is open on either side.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bcns_pipeline.sandbox.netsuite import chart
from bcns_pipeline.sandbox.netsuite.claims import Claim, Key
from bcns_pipeline.sandbox.netsuite.context import Context
from bcns_pipeline.sandbox.netsuite.definition import Fields, Property, Sublist, flag, number, reference, text
from bcns_pipeline.sandbox.netsuite.errors import Refused, bad_reference
from bcns_pipeline.sandbox.netsuite.kinds import CREDIT_MEMO, DEPOSIT, INVOICE, JOURNAL, PAYMENT
from bcns_pipeline.sandbox.netsuite.ledger import ZERO, Transaction
from bcns_pipeline.sandbox.netsuite.pricing import rounded
from bcns_pipeline.sandbox.netsuite.reading import Ref

APPLY = Sublist(
    Fields.of(
        {
            "apply": flag(),
            "doc": reference("transaction"),
            "line": Property("integer"),
            "amount": number(),
            "applyDate": Property("date", read_only=True),
            "due": number(read_only=True),
            "total": number(read_only=True),
            "refNum": text(read_only=True),
            "type": text(read_only=True),
        }
    ),
    existing=("doc", "line"),
)
DEPOSITS = Sublist(APPLY.fields, existing=("doc",))
CREDIT_KINDS = (CREDIT_MEMO, PAYMENT)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One line of `apply`: without amount it takes as much as goes, with `apply` false it takes nothing any more."""

    key: Key
    amount: Decimal | None
    path: str
    apply: bool = True


class Applying:
    """Reads applications of a request and turns them into claims."""

    def __init__(self, context: Context) -> None:
        self.context = context

    # -- what is open ----------------------------------------------------------------------------------------

    def total(self, key: Key) -> tuple[Decimal, Decimal]:
        """What a document, or a journal's line, is over: in its currency and in the base currency."""
        transaction = self.context.ledger.get(key[0])
        if transaction is None or transaction.voided:
            return ZERO, ZERO
        if transaction.kind is JOURNAL:
            amount = next((abs(one.amount) for one in transaction.entries if one.id == key[1]), ZERO)
            precision = self.context.base_precision(transaction.subsidiary)
            return amount, rounded(amount * transaction.exchange_rate, precision)
        return transaction.totals.total, transaction.totals.base

    def open(self, key: Key, but: int | None = None) -> Decimal:
        """What is left of it, where the applications of the transaction `but` do not count."""
        own = sum((c.amount for c in self.context.claims.on(key) if c.owner == but), ZERO)
        return self.total(key)[0] - self.context.claims.used(key) + own

    def worth(self, key: Key, amount: Decimal, taken: Decimal, taken_base: Decimal) -> Decimal:
        """The base worth of a part: what is left where the part is all that is left.

        `taken` of it is settled already, worth `taken_base`.
        """
        total, base = self.total(key)
        if taken + amount == total:
            return base - taken_base
        transaction = self.context.ledger.get(key[0])
        assert transaction is not None
        return rounded(base * amount / total, self.context.base_precision(transaction.subsidiary))

    # -- requests --------------------------------------------------------------------------------------------

    def wanted(
        self, given: Iterable[Mapping[str, Any]], owner: Transaction, *, debits: bool, path: str = "apply"
    ) -> list[Wanted]:
        """The lines of a sublist, with documents that the form would offer.

        Raises `Refused` for what can't be settled here.
        """
        found = []
        for place, raw in enumerate(given):
            where = f"{path}.items[{place}]"
            doc = raw.get("doc")
            if doc is None:
                raise Refused("USER_ERROR", "You must enter a value for doc.", f"{where}.doc")
            key = self._key(doc, raw.get("line"), owner, debits=debits, path=where, deposit=path == "deposit")
            amount = raw.get("amount")
            if amount is not None and amount <= 0:
                raise Refused("USER_ERROR", "The amount to apply must be positive.", f"{where}.amount")
            if amount is not None:
                self._digits(owner, amount, f"{where}.amount")
            found.append(Wanted(key, amount, where, raw.get("apply") is not False))
        if len({one.key for one in found}) < len(found):
            raise Refused("USER_ERROR", "A transaction is applied twice.", path)
        return found

    def merged(
        self, given: Iterable[Mapping[str, Any]] | None, owner: Transaction, *, replace: bool
    ) -> list[Wanted]:
        """What a payment or credit memo applies after a change: lines are known by document, others are added."""
        before = {} if replace else {c.debit: c.amount for c in self.context.claims.of(owner.id) if c.debit}
        found = {key: Wanted(key, amount, "apply") for key, amount in before.items()}
        found |= {one.key: one for one in self.wanted(given or (), owner, debits=True)}
        return [one for one in found.values() if one.apply]

    def _digits(self, owner: Transaction, amount: Decimal, path: str) -> None:
        precision = self.context.account.currencies[owner.currency].precision
        if rounded(amount, precision) != amount:
            raise Refused("USER_ERROR", f"The amount {amount} has more digits than its currency.", path)

    def _key(
        self, doc: Ref, line: int | None, owner: Transaction, *, debits: bool, path: str, deposit: bool
    ) -> Key:
        """The document that a request means, if it may be settled by this one."""
        found = self.context.ledger.get(doc.id)
        kinds = (DEPOSIT,) if deposit else (INVOICE,) if debits else CREDIT_KINDS
        fits = found is not None and (found.currency, found.subsidiary) == (owner.currency, owner.subsidiary)
        if found is None or not fits or found.voided:
            raise bad_reference(doc.id, "doc", f"{path}.doc")
        if found.kind is JOURNAL and not deposit and not found.pending:
            keys = [
                (found.id, one.id)
                for one in found.entries
                if one.account == chart.AR
                and one.entity == owner.entity
                and (one.debit if debits else one.credit)
                and line in (None, one.id)
            ]
            if keys:
                return next((key for key in keys if self.open(key, owner.id) > 0), keys[0])
        if found.kind not in kinds or found.entity != owner.entity:
            raise bad_reference(doc.id, "doc", f"{path}.doc")
        return found.id, 0

    # -- claims ----------------------------------------------------------------------------------------------

    def settle(self, wanted: Sequence[Wanted], owner: Transaction, credit: Key) -> list[Claim]:
        """Claims of a credit on debits: never more than is open on either side. Raises `Refused`."""
        claims: list[Claim] = []
        but = owner.id
        others = [c for c in self.context.claims.on(credit) if c.owner != but]
        taken = sum((c.amount for c in others), ZERO)
        taken_base = sum((c.credit_base for c in others), ZERO)
        left = self._total_of(owner, credit) - taken
        for one in wanted:
            due = self.open(one.key, but)
            amount = min(due, left) if one.amount is None else one.amount
            if amount > due:
                raise too_much(amount, due, one.path)
            if amount > left:
                raise Refused(
                    "USER_ERROR",
                    f"The amount applied can't exceed what is unapplied of this transaction, which is {left}.",
                    f"{one.path}.amount",
                )
            if amount <= 0:
                continue
            credit_base = self._own_worth(owner, credit, amount, taken, taken_base)
            claims.append(
                Claim(owner.id, credit, one.key, amount, credit_base, self._debit_worth(one.key, amount, but))
            )
            left, taken, taken_base = left - amount, taken + amount, taken_base + credit_base
        return claims

    def pay_back(self, wanted: Sequence[Wanted], owner: Transaction) -> list[Claim]:
        """A refund's claims on credits: never more than is open. Raises `Refused`."""
        claims = []
        for one in wanted:
            due = self.open(one.key, owner.id)
            amount = due if one.amount is None else one.amount
            if amount > due or amount <= 0:
                raise too_much(amount, due, one.path)
            taken = self.context.claims.used(one.key)
            worth = self.worth(one.key, amount, taken, self.context.claims.used_base(one.key))
            claims.append(Claim(owner.id, one.key, None, amount, worth, ZERO))
        return claims

    def _total_of(self, owner: Transaction, credit: Key) -> Decimal:
        """A transaction that is being made is not in the ledger yet."""
        return owner.totals.total if credit[0] == owner.id else self.total(credit)[0]

    def _own_worth(
        self, owner: Transaction, credit: Key, amount: Decimal, taken: Decimal, taken_base: Decimal
    ) -> Decimal:
        if credit[0] != owner.id:
            return self.worth(credit, amount, taken, taken_base)
        if taken + amount == owner.totals.total:
            return owner.totals.base - taken_base
        return rounded(amount * owner.exchange_rate, self.context.base_precision(owner.subsidiary))

    def _debit_worth(self, key: Key, amount: Decimal, but: int) -> Decimal:
        others = [c for c in self.context.claims.on(key) if c.owner != but]
        taken = sum((c.amount for c in others), ZERO)
        return self.worth(key, amount, taken, sum((c.debit_base for c in others), ZERO))

    def keep(self, owner: Transaction, claims: Sequence[Claim]) -> None:
        """The applications of a saved transaction are these; whatever they touch shows it."""
        context = self.context
        touched = context.claims.set(owner.id, claims)
        for one in sorted(touched):
            other = context.ledger.get(one)
            if other is not None:
                other.status = self.status(other)
                other.modified = context.clock.account()
                context.ledger.show(other)

    def status(self, transaction: Transaction) -> str:
        """The letter of a document by what is open of it."""
        if transaction.voided:
            return "V"
        left = transaction.totals.total - self.context.claims.used((transaction.id, 0))
        if transaction.kind in (INVOICE, CREDIT_MEMO):
            return "B" if left <= 0 else "A"
        if transaction.kind is DEPOSIT:
            return "C" if left <= 0 else "A" if banked(transaction) is None else "B"
        if transaction.kind is PAYMENT:
            return "B" if banked(transaction) is None else "C"
        return transaction.status


def banked(transaction: Transaction) -> Ref | None:
    """The account that money was put into; None while it lies among the undeposited funds."""
    found: Ref | None = transaction.values.get("account")
    return None if transaction.values.get("undepFunds") == "T" else found


def too_much(amount: Decimal, due: Decimal, path: str) -> Refused:
    """More than is open."""
    return Refused(
        "USER_ERROR",
        f"The amount {amount} can't exceed the amount remaining, which is {due}.",
        f"{path}.amount",
    )


def shown_apply(context: Context, owner: Transaction) -> list[dict[str, Any]]:
    """The lines of `apply` as GET shows them: what the transaction settles."""
    found = []
    for claim in context.claims.of(owner.id):
        key = claim.debit or claim.credit
        doc = context.ledger.get(key[0])
        if doc is None or doc.kind is DEPOSIT:
            # Deposits that a refund pays back are never shown (facts/netsuite.md 3.6).
            continue
        found.append(
            {
                "apply": True,
                "doc": Ref(doc.id, doc.number),
                "line": key[1],
                "amount": claim.amount,
                "applyDate": owner.day,
                "due": claim.amount + max(doc.totals.total - context.claims.used(key), ZERO),
                "total": doc.totals.total,
                "refNum": doc.number,
                "type": doc.kind.label,
            }
        )
    return found

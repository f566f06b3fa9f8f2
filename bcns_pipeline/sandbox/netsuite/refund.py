"""Customer refunds: money that goes back to a customer out of credit memos, payments or deposits.

Put the rules of the type here. Do not put the checks of an application here (applying.py). Source:
facts/netsuite.md 3.6: `apply` names credits and `deposit` deposits, which GET never shows and nobody changes later.
The amount is what it pays back, never more than is open there.
"""

from __future__ import annotations

from typing import Any

from bcns_pipeline.sandbox.netsuite.applying import APPLY, DEPOSITS
from bcns_pipeline.sandbox.netsuite.banks import MONEY_FIELDS, check_bank
from bcns_pipeline.sandbox.netsuite.context import Context
from bcns_pipeline.sandbox.netsuite.definition import Definition, Fields, number, reference, sublist
from bcns_pipeline.sandbox.netsuite.errors import Refused
from bcns_pipeline.sandbox.netsuite.kinds import REFUND
from bcns_pipeline.sandbox.netsuite.ledger import ZERO, Transaction
from bcns_pipeline.sandbox.netsuite.moneyrecord import HEADER, MoneyRecords

BANK_FIELDS = {name: rule for name, rule in MONEY_FIELDS.items() if name != "undepFunds"}
DEFINITION = Definition(
    name=REFUND.record,
    group="transaction",
    fields=Fields.of(
        {
            **HEADER,
            **BANK_FIELDS,
            "arAcct": reference("account"),
            "total": number(read_only=True),
            "apply": sublist(),
            "deposit": sublist(),
        }
    ),
    sublists={"apply": APPLY, "deposit": DEPOSITS},
)


class Refunds(MoneyRecords):
    """The record type `customerRefund`."""

    def __init__(self, definition: Definition, context: Context) -> None:
        super().__init__(REFUND, definition, context)

    def create(self, given: dict[str, Any]) -> int:
        """A new refund; returns its id."""
        made = self.begin(given)
        wanted = self.applying.wanted(given.get("apply") or (), made, debits=False)
        deposits = self.applying.wanted(given.get("deposit") or (), made, debits=False, path="deposit")
        claims = self.applying.pay_back([one for one in (*wanted, *deposits) if one.apply], made)
        if not claims:
            raise Refused("USER_ERROR", "Please choose at least one credit or deposit to refund.", "apply")
        made.totals.total = sum((claim.amount for claim in claims), ZERO)
        self.values(made, given)
        made.values["deposits"] = tuple(one.key[0] for one in deposits if one.apply)
        check_bank(self.context, made, needed=True)
        self.applying.keep(made, claims)
        return self.finish(made)

    def amended(self, made: Transaction, given: Any, replace: frozenset[str]) -> None:  # noqa: ARG002
        """What it pays back stays as it is."""
        if "apply" in given or "deposit" in given:
            raise Refused("USER_ERROR", "What a refund pays back can't be changed.", "apply")

    def more(self, made: Transaction) -> dict[str, Any]:
        """Its amount."""
        return {"total": made.totals.total}

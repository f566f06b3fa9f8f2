"""The properties of a journal entry and its lines, and how GET shows them.

Put names and shapes here. Do not put rules here (journal.py). Source: Oracle's REST API Browser 2026.1 for
`journalEntry`. REST supports no tax fields on journals (facts/netsuite.md 3.6), so there are none.
"""

from __future__ import annotations

from typing import Any

from bcns_pipeline.sandbox.netsuite.context import Context
from bcns_pipeline.sandbox.netsuite.definition import (
    Definition,
    Fields,
    Property,
    Sublist,
    date,
    enum,
    flag,
    number,
    reference,
    sublist,
    text,
)
from bcns_pipeline.sandbox.netsuite.kinds import JOURNAL
from bcns_pipeline.sandbox.netsuite.ledger import Entry, Transaction
from bcns_pipeline.sandbox.netsuite.reading import Ref
from bcns_pipeline.sandbox.netsuite.showing import show

DEFINITION = Definition(
    name=JOURNAL.record,
    group="transaction",
    fields=Fields.of(
        {
            "id": text("id", read_only=True),
            "externalId": text("externalid"),
            "tranId": text("tranid", read_only=True),
            "transactionNumber": text("transactionnumber", read_only=True),
            "tranDate": date(),
            "createdDate": Property("datetime", read_only=True),
            "lastModifiedDate": Property("datetime", read_only=True),
            "createdFrom": reference("transaction", read_only=True),
            "status": enum(read_only=True),
            "subsidiary": reference("subsidiary", feature="oneworld"),
            "currency": reference("currency"),
            "exchangeRate": number(),
            "memo": text("memo"),
            "customForm": reference(),
            "approved": flag(),
            "approvalStatus": enum("1", "2"),
            "reversalDate": date(),
            "reversalDefer": flag(),
            "reversalEntry": reference("transaction", read_only=True),
            "isReversal": flag(read_only=True),
            "postingPeriod": reference(read_only=True),
            "line": sublist(),
        }
    ),
    sublists={
        "line": Sublist(
            Fields.of(
                {
                    "line": Property("integer"),
                    "lineUniqueKey": text(read_only=True),
                    "account": reference("account"),
                    "debit": number(),
                    "credit": number(),
                    "memo": text(),
                    "entity": reference("customer"),
                    "department": reference("department"),
                    "class": reference("classification"),
                    "location": reference("location"),
                    "eliminate": flag(),
                }
            ),
            existing=("line",),
        )
    },
)
# What a journal or its line holds in fields of its own.
HEADER_FIELDS = frozenset(
    {
        "externalId",
        "tranDate",
        "subsidiary",
        "currency",
        "exchangeRate",
        "approved",
        "approvalStatus",
        "line",
    }
)
ENTRY_FIELDS = frozenset({"line", "account", "debit", "credit", "entity"})


def shown_journal(
    made: Transaction, definition: Definition, context: Context
) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
    """The body and the lines."""
    ledger = context.ledger
    source = ledger.get(made.source or 0)
    reversal = ledger.get(made.values.get("reversalEntry", 0))
    body = show(
        definition.fields,
        {
            **made.values,
            "externalId": made.external,
            "tranId": made.number,
            "transactionNumber": f"{made.kind.code.upper()}{made.id}",
            "tranDate": made.day,
            "createdDate": context.clock.aware(made.created),
            "lastModifiedDate": context.clock.aware(made.modified),
            "createdFrom": None if source is None else Ref(source.id, source.number),
            "subsidiary": Ref(made.subsidiary, context.account.subsidiaries[made.subsidiary].name),
            "currency": Ref(made.currency, context.account.currencies[made.currency].name),
            "exchangeRate": made.exchange_rate,
            "approved": not made.pending,
            "approvalStatus": "1" if made.pending else "2",
            "reversalEntry": None if reversal is None else Ref(reversal.id, reversal.number),
            "isReversal": made.source is not None,
        },
    )
    body["status"] = {"id": made.status, "refName": made.kind.statuses[made.status]}
    return body, {"line": [shown_entry(one, definition, context) for one in made.entries]}


def shown_entry(entry: Entry, definition: Definition, context: Context) -> dict[str, Any]:
    """One line."""
    customer = context.customers.get(entry.entity or 0)
    account = context.account.accounts[entry.account]
    values = {
        **entry.values,
        "line": entry.id,
        "lineUniqueKey": str(entry.unique),
        "account": Ref(entry.account, f"{account.number} {account.name}"),
        "debit": entry.debit or None,
        "credit": entry.credit or None,
        "entity": None if customer is None else Ref(customer.id, customer.name),
    }
    return show(definition.sublists["line"].fields, values)

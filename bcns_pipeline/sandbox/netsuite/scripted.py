"""What user-event scripts make of a record after its save, in the words of a request.

Put the translation of scripts here. Do not put what a change means for a type here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from bcns_pipeline.sandbox.netsuite.context import Context
from bcns_pipeline.sandbox.netsuite.definition import Definition
from bcns_pipeline.sandbox.netsuite.interference import Script
from bcns_pipeline.sandbox.netsuite.ledger import Transaction
from bcns_pipeline.sandbox.netsuite.reading import Reading


def script_changes(
    definition: Definition, context: Context, transaction: Transaction
) -> Iterator[dict[str, Any]]:
    """The changes of all scripts that run on this save, typed, one after the other."""
    for script in context.interference.take(definition.name, transaction.external):
        current = context.ledger.get(transaction.id) or transaction
        yield Reading(context, "ignore").record(definition, request_of(script, current))


def request_of(script: Script, transaction: Transaction) -> dict[str, Any]:
    """One script's change; its numbers come as decimals."""
    lines = [dict(script.add)] if script.add else []
    if script.line:
        place = transaction.lines[min(script.place, len(transaction.lines) - 1)]
        lines.append({**script.line, "line": place.id})
    raw: dict[str, Any] = {**script.body, **({"item": {"items": lines}} if lines else {})}
    found: dict[str, Any] = json.loads(json.dumps(raw), parse_float=Decimal)
    return found

"""Tax of a transaction: overridden details taken as they are, or what an engine computes.

Put tax here and nothing else. Sources: facts/netsuite.md 4.1, facts/finance.md 3.2: an engine that rounds on
the header can be a cent away from one that rounds per line, which is why orders carry their own details.
What a shipment's tax is called (`shipGroup.shippingTaxDetailsReference`) is unverified.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from bcns_pipeline.sandbox.netsuite.account import Account
from bcns_pipeline.sandbox.netsuite.errors import Refused, bad_reference, missing
from bcns_pipeline.sandbox.netsuite.ledger import TaxRow, Transaction
from bcns_pipeline.sandbox.netsuite.pricing import rounded
from bcns_pipeline.sandbox.netsuite.reading import Ref

REQUIRED = ("taxDetailsReference", "taxType", "taxCode", "taxBasis", "taxRate", "taxAmount")


@dataclass(frozen=True, slots=True)
class Taxable:
    """Something that is taxed: a line, shipping, handling or the header's discount.

    A discount lowers the basis of what it is on, so overridden details need not name it (`own` is false).
    """

    reference: str
    amount: Decimal
    taxable: bool
    own: bool = True


def taxables(
    transaction: Transaction, *, shipping_taxable: bool, discount_taxable: bool
) -> Iterator[Taxable]:
    """Everything on a transaction that tax may be on, whether it is or not."""
    for line in transaction.lines:
        if line.item is not None:
            reference = reference_of(transaction, line.id, line.values)
            yield Taxable(reference, line.amount, line.item.taxable, own=not line.item.is_discount)
    group: Mapping[str, Any] = next(iter(transaction.values.get("shipGroup") or ()), {})
    totals = transaction.totals
    for name, amount in (("shipping", totals.shipping), ("handling", totals.handling)):
        own = group.get(f"{name}TaxDetailsReference") or f"{transaction.id}_{name}"
        yield Taxable(own, amount, shipping_taxable)
    yield Taxable(f"{transaction.id}_discount", totals.discount, discount_taxable, own=False)


def taxed_lines(transaction: Transaction) -> dict[str, int]:
    """{reference of tax details: id of the line that they are on}, rows of the header's costs included."""
    found = {reference_of(transaction, line.id, line.values): line.id for line in transaction.lines}
    group: Mapping[str, Any] = next(iter(transaction.values.get("shipGroup") or ()), {})
    for name in ("shipping", "handling", "discount"):
        own = group.get(f"{name}TaxDetailsReference") or f"{transaction.id}_{name}"
        if any(row.reference == own for row in transaction.taxes):
            found[own] = transaction.extra_line(name)
    return found


def reference_of(transaction: Transaction, line: int, values: Mapping[str, Any]) -> str:
    """The name by which tax details mean a line."""
    return str(values.get("taxDetailsReference") or f"{transaction.id}_{line}")


def overridden(
    given: Sequence[Mapping[str, Any]], things: Sequence[Taxable], account: Account, precision: int
) -> list[TaxRow]:
    """The details of a request as they are kept. Raises `Refused` where NetSuite could not keep them."""
    known = {thing.reference for thing in things}
    rows = []
    for place, row in enumerate(given):
        path = f"taxDetails.items[{place}]"
        for name in REQUIRED:
            if row.get(name) is None:
                raise missing(name)
        reference, code = str(row["taxDetailsReference"]), row["taxCode"]
        if reference not in known:
            raise bad_reference(reference, "taxDetailsReference", f"{path}.taxDetailsReference")
        tax_code = account.tax_codes[code.id]
        if str(row["taxType"]) != str(tax_code.type):
            raise bad_reference(row["taxType"], "taxType", f"{path}.taxType")
        amount = rounded(row["taxAmount"], precision)
        rows.append(TaxRow(reference, tax_code, rounded(row["taxBasis"], precision), row["taxRate"], amount))
    return rows


def kept(rows: Sequence[TaxRow], things: Sequence[Taxable]) -> list[TaxRow]:
    """Overridden details after a change of lines: rows of lines that are gone go with them."""
    known = {thing.reference for thing in things}
    return [row for row in rows if row.reference in known]


def complete(rows: Sequence[TaxRow], things: Sequence[Taxable]) -> None:
    """Refuse overridden details that leave something taxable out; the exact words are unverified."""
    named = {row.reference for row in rows}
    for thing in things:
        if thing.own and thing.taxable and thing.amount and thing.reference not in named:
            detail = f"Tax details are missing for the line with reference {thing.reference}."
            raise Refused("USER_ERROR", detail, "taxDetails")


def engine(
    things: Sequence[Taxable], address: Mapping[str, str], account: Account, precision: int, *, header: bool
) -> list[TaxRow]:
    """What the account's engine computes for a delivery to `address`; `header` rounds once over all lines."""
    code = account.tax_code(address.get("country", ""), address.get("state", ""))
    if code is None or not code.rate:
        return []
    rows = [
        TaxRow(
            thing.reference, code, thing.amount, code.rate, rounded(thing.amount * code.rate / 100, precision)
        )
        for thing in things
        if thing.taxable and thing.amount
    ]
    if header and rows:
        basis = sum((row.basis for row in rows), Decimal(0))
        short = rounded(basis * code.rate / 100, precision) - sum((row.amount for row in rows), Decimal(0))
        rows[-1] = replace(rows[-1], amount=rows[-1].amount + short)
    return rows


def shown(row: TaxRow) -> dict[str, Any]:
    """A row as GET shows it, typed."""
    return {
        "taxDetailsReference": row.reference,
        "taxType": str(row.code.type),
        "taxCode": Ref(row.code.id, row.code.name),
        "taxBasis": row.basis,
        "taxRate": row.rate,
        "taxAmount": row.amount,
        "netAmount": row.basis,
    }

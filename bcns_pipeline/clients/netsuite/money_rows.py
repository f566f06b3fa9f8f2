"""Receipts, invoices and applications as NetSuite shows them.

Put the shape here that the reads of receivables hand out; flows import it from `models.py`. Amounts are Decimals in
the record's own currency and never below 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class MoneyRow:
    """One record. `type` is SuiteQL's: CustDep, CustPymt, CustInvc, DepAppl, CustCred, CashSale, ItemShip, ...

    `unpaid` is what is open of an invoice, `unused` what is not applied of a receipt or credit. `created_from` is
    the record that it was made of, `account` that of its main line: where a receipt's money is.
    """

    id: int
    external_id: str
    tran_id: str
    type: str
    status: str
    entity: int | None
    currency: int | None
    total: Decimal
    unpaid: Decimal
    unused: Decimal
    tran_date: date | None
    created_from: int | None
    account: int | None

"""Which column of money is made of which, as Dagster's catalogue shows it: from the entry of a payout to the order.

Put names of columns and what they are made of here. Do not put amounts here: `bcns trace` follows a cent. A column is
one of the table that the asset's flow keeps, in `state/`; a test holds each name to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from bcns_pipeline.state.tables_cash import cash_order, cash_record, tender
from bcns_pipeline.state.tables_orders import order_state
from bcns_pipeline.state.tables_payouts import bank_line, payout, payout_journal, payout_line
from bcns_pipeline.state.tables_refunds import refund_record, refund_state

Source = tuple[str, str]  # asset, column


@dataclass(frozen=True, slots=True)
class Columns:
    """An asset's table in the state, and of each column of money what it is made of: nothing, if told from outside."""

    table: Any
    sources: Mapping[str, tuple[Source, ...]] = field(default_factory=dict)


_TOTAL, _ORDER = ("bigcommerce/orders", "total_minor"), ("bigcommerce/orders", "document_id")
_CAPTURED = ("cash/application_plan", "captured_minor")
_BOOKED, _REFUNDED = ("netsuite/cash_records", "amount_minor"), ("netsuite/refund_records", "amount_minor")
_ENTRY = ("payouts/journal_plan", "entry")
_TOLD = tuple(("payments/payouts", name) for name in ("gross", "fee", "fee_tax", "net"))

COLUMNS: Mapping[str, Columns] = {
    "bigcommerce/orders": Columns(order_state, {"total_minor": (), "document_id": ()}),
    "orders/sales_order_plan": Columns(
        order_state, {"expected_total_minor": (_TOTAL, _ORDER), "expected_tax_minor": (_ORDER,)}
    ),
    "netsuite/sales_orders": Columns(
        order_state,
        {
            "read_total_minor": (("orders/sales_order_plan", "expected_total_minor"),),
            "read_tax_minor": (("orders/sales_order_plan", "expected_tax_minor"),),
        },
    ),
    "bigcommerce/transactions": Columns(tender, {"amount_minor": ()}),
    "cash/application_plan": Columns(
        cash_order,
        {
            "captured_minor": (("bigcommerce/transactions", "amount_minor"), _TOTAL),
            "authorised_minor": (("bigcommerce/transactions", "amount_minor"),),
        },
    ),
    "netsuite/cash_records": Columns(
        cash_record, {"amount_minor": (_CAPTURED, ("netsuite/sales_orders", "read_total_minor"))}
    ),
    "bigcommerce/refunds": Columns(refund_state, {"total_minor": (), "tax_minor": (), "paid_minor": ()}),
    "refunds/credit_plan": Columns(
        refund_state,
        {
            "expected": (
                *(("bigcommerce/refunds", name) for name in ("total_minor", "tax_minor", "paid_minor")),
                ("netsuite/sales_orders", "read_total_minor"),
            )
        },
    ),
    "netsuite/refund_records": Columns(
        refund_record, {"amount_minor": (("refunds/credit_plan", "expected"),)}
    ),
    "payments/payouts": Columns(payout_line, dict.fromkeys(("gross", "fee", "fee_tax", "net"), ())),
    "bank/lines": Columns(bank_line, {"amount_minor": ()}),
    "payouts/journal_plan": Columns(payout_journal, {"entry": (*_TOLD, _BOOKED, _REFUNDED)}),
    "netsuite/payout_journal_entries": Columns(
        payout_journal, {"total_minor": (_ENTRY,), "differences": (_ENTRY,)}
    ),
    "payouts/reconciliation": Columns(
        payout,
        {
            "journal_key": (("netsuite/payout_journal_entries", "total_minor"),),
            "bank_line": (("bank/lines", "amount_minor"), ("netsuite/payout_journal_entries", "total_minor")),
        },
    ),
}


def with_columns(spec: dg.AssetSpec) -> dg.AssetSpec:
    """The asset with its columns of money and their lineage, where it has any."""
    known = COLUMNS.get(spec.key.to_user_string())
    if known is None:
        return spec
    schema = dg.TableSchema(
        [dg.TableColumn(name, str(known.table.c[name].type).lower()) for name in known.sources]
    )
    lineage = dg.TableColumnLineage(
        {
            name: [
                dg.TableColumnDep(asset_key=dg.AssetKey(one.split("/")), column_name=column)
                for one, column in made_of
            ]
            for name, made_of in known.sources.items()
            if made_of
        }
    )
    metadata: dict[str, object] = {"dagster/column_schema": schema}
    if lineage.deps_by_column:
        metadata["dagster/column_lineage"] = lineage
    return spec.merge_attributes(metadata=metadata)

"""What charges cost beside what the contract says: fees by provider, method and country.

Put the comparison here. Do not put reads here (state/finance_sql.py), nor the warning about one charge (FI11,
rules/payouts/invariants.py). Amounts are minor units of the row's currency.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.payouts.policy import FeeBand


def shown(
    columns: Sequence[str], rows: Sequence[Mapping[str, Any]], bands: Mapping[tuple[str, str], FeeBand]
) -> tuple[Sequence[str], list[dict[str, Any]]]:
    """The report's columns and rows. `bands`: by provider and account; nothing is said of one without a contract."""
    return (*columns, "by_contract_minor", "above_contract_minor"), [
        {**row, **_beside(row, bands.get((row["provider"], row["account"])))} for row in rows
    ]


def _beside(row: Mapping[str, Any], band: FeeBand | None) -> dict[str, int | None]:
    if band is None or row["class"] != "gross_sales":
        return {"by_contract_minor": None, "above_contract_minor": None}
    currency = row["currency"]
    fixed = Money.of(band.fixed.get(currency, Decimal(0)), currency).minor * row["lines"]
    agreed = Money(row["gross_minor"], currency).times(band.percent / 100).minor + fixed
    return {"by_contract_minor": agreed, "above_contract_minor": row["fee_minor"] - agreed}

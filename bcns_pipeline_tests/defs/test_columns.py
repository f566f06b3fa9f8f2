"""The lineage of money, column by column, is that of the graph and of the tables."""

from __future__ import annotations

import dagster as dg

from bcns_pipeline.definitions import build_defs
from bcns_pipeline.defs.columns import COLUMNS, Source


def test_every_column_is_one_of_its_table_and_is_made_of_columns_upstream() -> None:
    nodes = build_defs().get_repository_def().asset_graph
    for asset, columns in COLUMNS.items():
        key = dg.AssetKey(asset.split("/"))
        above = {one.to_user_string() for one in nodes.get_ancestor_asset_keys(key)}
        for name, made_of in columns.sources.items():
            assert name in columns.table.c, (asset, name)
            for source, column in made_of:
                assert source in above, (asset, name, source)
                assert column in COLUMNS[source].sources, (asset, name, source, column)


def test_the_catalogue_leads_from_a_payouts_entry_to_the_orders_total() -> None:
    nodes = build_defs().get_repository_def().asset_graph
    seen: set[Source] = set()
    open_ = [("payouts/reconciliation", "bank_line")]
    while open_:
        asset, column = open_.pop()
        seen.add((asset, column))
        shown = nodes.get(dg.AssetKey(asset.split("/"))).metadata
        assert column in [one.name for one in shown["dagster/column_schema"].columns]
        lineage = shown.get("dagster/column_lineage")
        for one in lineage.deps_by_column.get(column, ()) if lineage else ():
            open_.append((one.asset_key.to_user_string(), one.column_name))
    told = {source for source in seen if not COLUMNS[source[0]].sources[source[1]]}
    assert told >= {
        ("bigcommerce/orders", "total_minor"),
        ("bigcommerce/transactions", "amount_minor"),
        ("bigcommerce/refunds", "total_minor"),
        ("payments/payouts", "fee"),
        ("bank/lines", "amount_minor"),
    }

"""The generated merchant: one catalogue as both systems hold it, with stock and a handful of oddities.

Put what exists and how much of it lies where here. Do not put how a system shows or refuses it here. The
same options and seed make the same merchant to the last digit.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from bcns_pipeline.sandbox.options import Options

FIRST_ITEM_ID = 1001
FIRST_PRODUCT_ID = 101
FIRST_VARIANT_ID = 50_001
KIT_SHARE = 0.01
ASSEMBLY_SHARE = 0.01
FAMILY_SHARE = 0.4
FAMILY_SIZE = 4
MEMBER_NEEDS = (1, 2, 4)
# NetSuite's ids on purpose differ from BigCommerce's from the second on, so that swapped ids are noticed.
NETSUITE_LOCATION_IDS = (1, 6, 9, 12, 15, 18, 21, 24)


@dataclass(slots=True)
class Items:
    """Columns of the sellable rows under construction.

    One entry is one NetSuite item and/or one BigCommerce SKU.
    """

    sku: list[str] = field(default_factory=list)
    fullname: list[str] = field(default_factory=list)
    itemtype: list[str] = field(default_factory=list)
    matrixtype: list[str | None] = field(default_factory=list)
    parent: list[int] = field(default_factory=list)
    inactive: list[bool] = field(default_factory=list)
    role: list[str] = field(default_factory=list)
    family: list[int] = field(default_factory=list)
    store_sku: list[str | None] = field(default_factory=list)
    tracking: list[str] = field(default_factory=list)

    def add(
        self,
        sku: str,
        itemtype: str,
        role: str,
        *,
        parent: int = -1,
        parent_name: str = "",
        matrixtype: str | None = None,
        inactive: bool = False,
        family: int = -1,
        store_sku: str | None = None,
        tracking: str = "product",
    ) -> int:
        """Append one row and return its index. `store_sku` None: the shop does not have it."""
        self.sku.append(sku)
        self.fullname.append(f"{parent_name} : {sku}" if parent_name else sku)
        self.itemtype.append(itemtype)
        self.matrixtype.append(matrixtype)
        self.parent.append(parent)
        self.inactive.append(inactive)
        self.role.append(role)
        self.family.append(family)
        self.store_sku.append(store_sku)
        self.tracking.append(tracking)
        return len(self.sku) - 1


@dataclass(frozen=True, slots=True)
class World:
    """The merchant.

    `items`: id, itemid, fullname, itemtype, matrixtype, parent, isinactive, role. `levels`: item, location,
    onhand, committed, backordered, onorder, intransit. `members`: parentitem, item, quantity, linenumber.
    `products`: id, sku, tracking, base_variant_id. `variants`: id, product_id, sku, label, row.
    `store_stock`: arrays of variants x locations, on hand and whether it was ever set.
    """

    items: pd.DataFrame
    levels: pd.DataFrame
    members: pd.DataFrame
    products: pd.DataFrame
    variants: pd.DataFrame
    netsuite_locations: tuple[int, ...]
    store_locations: tuple[int, ...]
    suspended_location: int | None
    store_stock: dict[str, np.ndarray]


def make_world(options: Options) -> World:
    """Generate the merchant for `options`."""
    if options.locations < 1 or options.locations > len(NETSUITE_LOCATION_IDS):
        raise ValueError(
            f"The sandbox has 1 to {len(NETSUITE_LOCATION_IDS)} locations, not {options.locations}."
        )
    rng = np.random.default_rng(options.seed)
    rows = Items()
    _catalogue(rows, options)
    _oddities(rows, options)
    items = _items(rows)
    netsuite_locations = NETSUITE_LOCATION_IDS[: options.locations]
    levels = _levels(items, netsuite_locations, rng)
    members = _members(items, rng)
    products, variants = _store(rows)
    stock = _store_stock(items, levels, members, variants, netsuite_locations, options, rng)
    return World(
        items=items,
        levels=levels,
        members=members,
        products=products,
        variants=variants,
        netsuite_locations=netsuite_locations,
        store_locations=tuple(range(1, options.locations + 1)),
        suspended_location=3 if options.locations > 2 else None,
        store_stock=stock,
    )


def _catalogue(rows: Items, options: Options) -> None:
    """The matched SKUs: `options.skus` of them."""
    kits = round(options.skus * KIT_SHARE) if options.skus >= 20 else min(1, options.skus // 4)
    assemblies = kits
    families = int((options.skus - kits - assemblies) * FAMILY_SHARE) // FAMILY_SIZE
    singles = options.skus - kits - assemblies - families * FAMILY_SIZE
    number = 0

    def next_sku(prefix: str) -> str:
        nonlocal number
        number += 1
        return f"{prefix}-{number:06d}"

    for _ in range(singles):
        sku = next_sku("SKU")
        rows.add(sku, "InvtPart", "single", store_sku=sku)
    for family in range(families):
        name = f"STYLE-{family + 1:05d}"
        parent = rows.add(name, "InvtPart", "parent", matrixtype="PARENT")
        for _ in range(FAMILY_SIZE):
            sku = next_sku("SKU")
            rows.add(
                sku,
                "InvtPart",
                "child",
                parent=parent,
                parent_name=name,
                matrixtype="CHILD",
                family=family,
                store_sku=sku,
                tracking="variant",
            )
    for _ in range(assemblies):
        sku = next_sku("ASM")
        rows.add(sku, "Assembly", "assembly", store_sku=sku)
    for k in range(kits):
        sku = next_sku("KIT")
        rows.add(sku, "Group" if k % 5 == 4 else "Kit", "kit", store_sku=sku)


def _oddities(rows: Items, options: Options) -> None:
    """What real catalogues have besides."""
    odd = options.troubles
    for k in range(odd.duplicates):
        if k % 2 == 0:
            # The item number is unique under its parent only, so two parents may each have such a child.
            for side in ("A", "B"):
                name = f"TWICE-PARENT-{side}{k + 1}"
                parent = rows.add(name, "InvtPart", "parent", matrixtype="PARENT")
                sku = f"TWICE-{k + 1:03d}"
                store_sku = sku if side == "A" else None
                rows.add(
                    sku,
                    "InvtPart",
                    "duplicate",
                    parent=parent,
                    parent_name=name,
                    matrixtype="CHILD",
                    store_sku=store_sku,
                )
        else:
            # BigCommerce holds SKUs to be the same whatever their case; NetSuite here has one of each.
            rows.add(f"CASE-{k + 1:03d}", "InvtPart", "duplicate", store_sku=f"CASE-{k + 1:03d}")
            rows.add(f"case-{k + 1:03d}", "InvtPart", "duplicate")
    for k in range(odd.netsuite_orphans):
        rows.add(f"ONLY-NS-{k + 1:03d}", "InvtPart", "orphan")
    for k in range(odd.inactive):
        sku = f"OLD-{k + 1:03d}"
        rows.add(sku, "InvtPart", "inactive", inactive=True, store_sku=sku)
    for k in range(odd.fractional):
        sku = f"HALF-{k + 1:03d}"
        rows.add(sku, "InvtPart", "fractional", store_sku=sku)
    for k in range(odd.negative):
        sku = f"NEG-{k + 1:03d}"
        rows.add(sku, "InvtPart", "negative", store_sku=sku)
    for k in range(odd.untracked):
        sku = f"SERVICE-{k + 1:03d}"
        rows.add(sku, "Service" if k % 2 else "NonInvtPart", "untracked", store_sku=sku, tracking="none")
    for k in range(odd.odd_skus):
        sku = (f"CABLE 1,5 M {k + 1}", f'10% O\'NEIL "W" & CO {k + 1}')[k % 2]
        rows.add(sku, "InvtPart", "single", store_sku=sku)
    for k in range(odd.bigcommerce_orphans):
        rows.add("", "", "store_only", store_sku=f"ONLY-BC-{k + 1:03d}")
    for _ in range(odd.blanks):
        rows.add("", "", "store_only", store_sku="")


def _items(rows: Items) -> pd.DataFrame:
    """The NetSuite items; the index is the row's place in `rows`."""
    frame = pd.DataFrame(
        {
            "itemid": rows.sku,
            "fullname": rows.fullname,
            "itemtype": rows.itemtype,
            "matrixtype": pd.Series(rows.matrixtype, dtype="object"),
            "parent_row": rows.parent,
            "isinactive": np.where(np.array(rows.inactive, dtype=bool), "T", "F"),
            "role": rows.role,
            "store_sku": pd.Series(rows.store_sku, dtype="object"),
        }
    )
    frame["id"] = FIRST_ITEM_ID + np.arange(len(frame))
    has_parent = frame["parent_row"] >= 0
    frame["parent"] = np.where(has_parent, frame["id"].to_numpy()[frame["parent_row"].clip(lower=0)], 0)
    return frame[frame["role"] != "store_only"].drop(columns="parent_row")


def _levels(items: pd.DataFrame, locations: tuple[int, ...], rng: np.random.Generator) -> pd.DataFrame:
    """One row per stocked item and location; 2 % of the items have never been stocked anywhere."""
    stocked = items[items["itemtype"].isin(["InvtPart", "Assembly"]) & (items["role"] != "parent")]
    never = rng.random(len(stocked)) < 0.02
    never &= stocked["role"].isin(["single", "child"]).to_numpy()
    stocked = stocked[~never]
    count, width = len(stocked), len(locations)
    onhand = rng.integers(0, 400, (count, width)).astype(float)
    onhand[rng.random((count, width)) < 0.08] = 0
    committed = np.minimum(np.floor(onhand * rng.choice([0, 0, 0.05, 0.2], (count, width))), onhand)
    backordered = np.where((onhand == 0) & (rng.random((count, width)) < 0.2), 3.0, 0.0)
    role = stocked["role"].to_numpy()
    onhand[role == "fractional"] += 0.75
    onhand[role == "negative"] = -4
    committed[role == "negative"] = 0
    return pd.DataFrame(
        {
            "item": np.repeat(stocked["id"].to_numpy(), width),
            "location": np.tile(np.array(locations), count),
            "onhand": onhand.ravel(),
            "committed": committed.ravel(),
            "backordered": backordered.ravel(),
            "onorder": np.where(rng.random(count * width) < 0.1, 50.0, 0.0),
            "intransit": np.where(rng.random(count * width) < 0.05, 10.0, 0.0),
        }
    )


def _members(items: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Three members for every kit and group; the first kit needs 4, 4 and 2 of them."""
    kits = items.loc[items["role"] == "kit", "id"].to_numpy()
    pool = items.loc[items["role"].isin(["single", "assembly"]), "id"].to_numpy()
    if not len(kits) or not len(pool):
        return pd.DataFrame({"parentitem": [], "item": [], "quantity": [], "linenumber": []}).astype("int64")
    width = min(3, len(pool))
    chosen = pool[np.argsort(rng.random((len(kits), min(len(pool), 64))), axis=1)[:, :width]]
    need = rng.choice(MEMBER_NEEDS, (len(kits), width))
    need[0] = (4, 4, 2)[:width]
    return pd.DataFrame(
        {
            "parentitem": np.repeat(kits, width),
            "item": chosen.ravel(),
            "quantity": need.ravel(),
            "linenumber": np.tile(np.arange(1, width + 1), len(kits)),
        }
    )


def _store(rows: Items) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The shop's products and variants.

    A product without options has one base variant with the product's SKU.
    """
    products: list[tuple[int, str, str, int]] = []
    variants: list[tuple[int, int, str, str, int]] = []
    family_product: dict[int, int] = {}
    for row, sku in enumerate(rows.store_sku):
        if sku is None:
            continue
        family = rows.family[row]
        variant_id = FIRST_VARIANT_ID + len(variants)
        if family < 0:
            product_id = FIRST_PRODUCT_ID + len(products)
            products.append((product_id, sku, rows.tracking[row], variant_id))
            variants.append((variant_id, product_id, sku, "", row))
            continue
        if family not in family_product:
            family_product[family] = FIRST_PRODUCT_ID + len(products)
            products.append((family_product[family], f"STYLE-{family + 1:05d}", "variant", 0))
        variants.append(
            (variant_id, family_product[family], sku, f"Size {len(variants) % FAMILY_SIZE + 1}", row)
        )
    return (
        pd.DataFrame(products, columns=["id", "sku", "tracking", "base_variant_id"]),
        pd.DataFrame(variants, columns=["id", "product_id", "sku", "label", "row"]),
    )


def _store_stock(
    items: pd.DataFrame,
    levels: pd.DataFrame,
    members: pd.DataFrame,
    variants: pd.DataFrame,
    locations: tuple[int, ...],
    options: Options,
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    """On hand per variant row and location, and whether it was ever set (a new shop never had it set)."""
    shape = (len(variants), len(locations))
    if options.stock == "zero":
        return {"onhand": np.zeros(shape, dtype=np.int64), "known": np.zeros(shape, dtype=bool)}
    last = int(items["id"].max()) + 1 if len(items) else FIRST_ITEM_ID
    available = np.zeros((last - FIRST_ITEM_ID, len(locations)))
    place = {location: k for k, location in enumerate(locations)}
    available[levels["item"].to_numpy() - FIRST_ITEM_ID, levels["location"].map(place).to_numpy()] = (
        levels["onhand"] - levels["committed"]
    ).to_numpy()
    if len(members):
        need = members["quantity"].to_numpy()[:, None]
        possible = np.floor(np.maximum(available[members["item"].to_numpy() - FIRST_ITEM_ID], 0) / need)
        kits = members["parentitem"].to_numpy()
        starts = np.flatnonzero(np.r_[True, kits[1:] != kits[:-1]])
        available[kits[starts] - FIRST_ITEM_ID] = np.minimum.reduceat(possible, starts)
    rows = variants["row"].to_numpy()
    known_rows = rows < len(available)
    onhand = np.zeros(shape, dtype=np.int64)
    onhand[known_rows] = np.floor(np.maximum(available[rows[known_rows]], 0)).astype(np.int64)
    if options.stock == "stale":
        moved = rng.random(shape) < 0.1
        onhand = np.where(moved, np.maximum(onhand + rng.integers(-5, 20, shape), 0), onhand)
    return {"onhand": onhand, "known": np.ones(shape, dtype=bool)}

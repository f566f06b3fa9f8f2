"""The Catalog API, reading only: products and variants.

Put catalogue lists here. Do not put stock writes here. Sources: facts/bigcommerce.md 2.4 and 5.1. What
BigCommerce shows as null although its own schema forbids null (an inherited price, the `sku_id` of a base
variant) is left out.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from bcns_pipeline.sandbox.bigcommerce import errors
from bcns_pipeline.sandbox.bigcommerce.money import number
from bcns_pipeline.sandbox.bigcommerce.paging import Refusal, integers, listing, texts, window
from bcns_pipeline.sandbox.bigcommerce.state import Product, Store, Variant
from bcns_pipeline.sandbox.web import Answer, Call, json_answer

DEFAULT_LIMIT = 50
PAGE_LIMIT = 250
PAGE_LIMIT_WITH_OPTIONS = 10
PLAIN = frozenset({"page", "limit", "include", "include_fields", "exclude_fields", "sort", "direction"})
PRODUCT_FILTERS = frozenset(
    {
        "id",
        "id:in",
        "id:not_in",
        "id:min",
        "id:max",
        "id:greater",
        "id:less",
        "sku",
        "sku:in",
        "name",
        "is_visible",
    }
    | {"type", "availability", "channel_id:in"}
)
DOCUMENTED = frozenset(
    {"mpn", "upc", "price", "weight", "condition", "brand_id", "keyword", "keyword_context", "total_sold"}
    | {
        "date_modified",
        "date_modified:min",
        "date_modified:max",
        "categories",
        "categories:in",
        "is_featured",
    }
    | {"date_last_imported", "is_free_shipping", "out_of_stock", "inventory_low", "inventory_level"}
    | {f"inventory_level:{op}" for op in ("in", "not_in", "min", "max", "greater", "less")}
)
SORTS: dict[str, Callable[[Product], Any]] = {
    "id": lambda p: p.id,
    "name": lambda p: p.name,
    "sku": lambda p: p.sku,
}
EMPTY_INCLUDES = ("images", "custom_fields", "bulk_pricing_rules", "videos", "modifiers")
INCLUDES = frozenset(
    {"variants", "options", "channels", "primary_image", "parent_relations", *EMPTY_INCLUDES}
)


class Catalog:
    """Endpoints over one store."""

    def __init__(self, store: Callable[[], Store]) -> None:
        self._store = store

    def products(self, call: Call) -> Answer:
        """GET /v3/catalog/products."""
        include = set(texts(call, "include") or [])
        if unknown := sorted(include - INCLUDES):
            return errors.problem(422, f"Invalid include: {unknown[0]}")
        most = PAGE_LIMIT_WITH_OPTIONS if include & {"options", "modifiers"} else PAGE_LIMIT
        asked = window(call, min(DEFAULT_LIMIT, most), most)
        chosen = self._products(call)
        sort = call.query.get("sort", "id")
        if sort not in SORTS:
            return errors.problem(422, f"The sandbox does not sort by {sort}")
        if sort != "id" or call.query.get("direction") == "desc":
            chosen = sorted(chosen, key=SORTS[sort], reverse=call.query.get("direction") == "desc")
        only, never = texts(call, "include_fields"), set(texts(call, "exclude_fields") or [])
        rows = []
        for product in chosen[asked.start : asked.end]:
            row = self._product(product)
            if only is not None:
                row = {"id": product.id, **{name: row[name] for name in only if name in row}}
            row = {name: value for name, value in row.items() if name not in never or name == "id"}
            rows.append(json.dumps({**row, **self._included(product, include)}, separators=(",", ":")))
        return listing(asked, rows, len(chosen))

    def product(self, call: Call, product_id: str) -> Answer:
        """GET /v3/catalog/products/{product_id}."""
        product = self._store().product(int(product_id)) if product_id.isdigit() else None
        if product is None:
            return errors.problem(404)
        include = set(texts(call, "include") or [])
        return json_answer(
            200, {"data": {**self._product(product), **self._included(product, include)}, "meta": {}}
        )

    def _products(self, call: Call) -> list[Product]:
        store, query = self._store(), call.query
        filters = set(query) - PLAIN
        if late := sorted(filters & DOCUMENTED):
            raise Refusal(errors.problem(422, f"The sandbox does not filter products by {late[0]}"))
        skus = texts(call, "sku:in")
        if "sku" in query:
            skus = [query["sku"]]
        ids = integers(call, "id:in")
        ids = integers(call, "id") if "id" in query else ids
        rows = store.products if ids is None else [p for i in sorted(set(ids)) if (p := store.product(i))]
        tests: list[Callable[[Product], bool]] = []
        if skus is not None:
            wanted = {s.lower() for s in skus}
            tests.append(lambda p: p.sku.lower() in wanted)
        for name, test in (
            ("id:min", int.__ge__),
            ("id:max", int.__le__),
            ("id:greater", int.__gt__),
            ("id:less", int.__lt__),
        ):
            bound = integers(call, name)
            if bound:
                tests.append(lambda p, test=test, bound=bound[0]: test(p.id, bound))  # type: ignore[misc]
        if hidden := integers(call, "id:not_in"):
            tests.append(lambda p: p.id not in hidden)
        for name, shown in (("name", "name"), ("type", "type"), ("availability", "availability")):
            if name in query:
                tests.append(lambda p, name=name, shown=shown: self._product(p)[shown] == query[name])  # type: ignore[misc]
        if "is_visible" in query:
            tests.append(lambda p: p.is_visible == (query["is_visible"].lower() in ("true", "1")))
        if (channels := integers(call, "channel_id:in")) is not None and 1 not in channels:
            return []
        return [p for p in rows if all(test(p) for test in tests)] if tests else rows

    def _product(self, product: Product) -> dict[str, Any]:
        store = self._store()
        level = sum(self._level(store.variants[place]) for place in product.variants)
        when = store.created.strftime("%Y-%m-%dT%H:%M:%S+00:00")
        return {
            "id": product.id,
            "name": product.name,
            "type": "physical",
            "sku": product.sku,
            "description": "",
            "weight": 1.0,
            "width": 0,
            "depth": 0,
            "height": 0,
            "price": number(product.price),
            "cost_price": 5.0,
            "retail_price": 0,
            "sale_price": 0,
            "map_price": 0,
            "tax_class_id": 0,
            "product_tax_code": "",
            "calculated_price": number(product.price),
            "categories": [],
            "brand_id": 0,
            "inventory_level": min(max(level, 0), 2_147_483_647),
            "inventory_warning_level": 0,
            "inventory_tracking": product.tracking,
            "is_free_shipping": False,
            "is_visible": product.is_visible,
            "is_featured": False,
            "related_products": [],
            "warranty": "",
            "bin_picking_number": "",
            "upc": "",
            "mpn": "",
            "gtin": "",
            "search_keywords": "",
            "availability": "available",
            "availability_description": "",
            "condition": "New",
            "is_condition_shown": False,
            "order_quantity_minimum": 0,
            "order_quantity_maximum": 0,
            "page_title": "",
            "meta_keywords": [],
            "meta_description": "",
            "date_created": when,
            "date_modified": when,
            "view_count": 0,
            "is_preorder_only": False,
            "is_price_hidden": False,
            "price_hidden_label": "",
            "custom_url": {"url": f"/product-{product.id}/", "is_customized": False},
            **({"base_variant_id": product.base_variant_id} if product.base_variant_id else {}),
            "total_sold": 0,
            "reviews_rating_sum": 0,
            "reviews_count": 0,
        }

    def _included(self, product: Product, include: set[str]) -> dict[str, Any]:
        store = self._store()
        found: dict[str, Any] = {name: [] for name in EMPTY_INCLUDES if name in include}
        variants = [store.variants[place] for place in product.variants]
        if "variants" in include:
            found["variants"] = [json.loads(self._variant(v)) for v in variants]
        if "channels" in include:
            found["channels"] = [1]
        if "parent_relations" in include:
            found["parent_relations"] = []
        if "options" in include:
            labelled = [v for v in variants if v.label]
            values = [
                {"id": v.id + 200_000, "label": v.label, "sort_order": n} for n, v in enumerate(labelled)
            ]
            option = {"id": product.id + 500_000, "product_id": product.id, "display_name": "Size"}
            shown = [{**option, "type": "rectangles", "sort_order": 0, "option_values": values}]
            found["options"] = shown if labelled else []
        return found

    def variants(self, call: Call) -> Answer:
        """GET /v3/catalog/variants."""
        store = self._store()
        asked = window(call, DEFAULT_LIMIT, PAGE_LIMIT)
        if "upc" in call.query:
            return listing(asked, [], 0)
        rows = [v for v in store.variants if v.id in store.variant_place] if store.gone else store.variants
        products, ids, sku = integers(call, "product_id:in"), integers(call, "id"), call.query.get("sku")
        if products is not None:
            found = [p for i in sorted(set(products)) if (p := store.product(i))]
            rows = sorted((store.variants[n] for p in found for n in p.variants), key=lambda v: v.id)
        if ids is not None:
            rows = [v for v in rows if v.id in ids]
        if sku is not None:
            rows = [v for v in rows if v.sku.lower() == sku.lower()]
        only, never = texts(call, "include_fields"), set(texts(call, "exclude_fields") or [])
        shown = [self._variant(v) for v in rows[asked.start : asked.end]]
        if only is not None or never:
            shown = [trim(text, only, never) for text in shown]
        return listing(asked, shown, len(rows))

    def product_variants(self, call: Call, product_id: str) -> Answer:
        """GET /v3/catalog/products/{product_id}/variants."""
        store = self._store()
        product = store.product(int(product_id)) if product_id.isdigit() else None
        if product is None:
            return errors.problem(404)
        asked = window(call, DEFAULT_LIMIT, PAGE_LIMIT)
        places = product.variants[asked.start : asked.end]
        return listing(asked, [self._variant(store.variants[n]) for n in places], len(product.variants))

    def _level(self, variant: Variant) -> int:
        """The Catalog API shows the default location only."""
        return self._store().items[variant.item].on_hand[0] if variant.item is not None else 0

    def _variant(self, variant: Variant) -> str:
        options, sku_id = "", ""
        if variant.label:
            sku_id = f'"sku_id":{variant.id - 40_000},'
            options = (
                f'{{"id":{variant.id + 200_000},"label":{json.dumps(variant.label)},'
                f'"option_id":{variant.product_id + 500_000},"option_display_name":"Size"}}'
            )
        product = self._store().product(variant.product_id)
        price = 0 if product is None else number(product.price)
        return (
            f'{{"id":{variant.id},"product_id":{variant.product_id},"sku":{json.dumps(variant.sku)},{sku_id}'
            f'"calculated_price":{price},"weight":1.0,"purchasing_disabled":false,"purchasing_disabled_message":"",'
            f'"is_free_shipping":false,"cost_price":5.0,"upc":"","mpn":"","gtin":"",'
            f'"inventory_level":{self._level(variant)},"inventory_warning_level":0,"bin_picking_number":"",'
            f'"calculated_weight":1.0,"option_values":[{options}]}}'
        )


def trim(text: str, only: list[str] | None, never: set[str]) -> str:
    """A row with the chosen fields; the id always stays."""
    row = json.loads(text)
    kept = {k: v for k, v in row.items() if k == "id" or ((only is None or k in only) and k not in never)}
    return json.dumps(kept, separators=(",", ":"))

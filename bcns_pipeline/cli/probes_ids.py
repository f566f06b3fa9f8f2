"""Every internal id that the mapping file's orders name: in which table of NetSuite it must be, and whether it is.

Put the list of ids here. Which flow needs them is the business of `probes_orders.py`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from bcns_pipeline.cli.probes import Finding, Level, Patient, listed
from bcns_pipeline.cli.probes_netsuite_stock import ROLE
from bcns_pipeline.clients.netsuite.sql import unknown_name
from bcns_pipeline.outcomes import Rejected, Unauthorised
from bcns_pipeline.rules.orders.policy import OrderPolicy, TaxCode

# SuiteQL takes 1,000 values in a list; so many ids of one kind are in no mapping file.
IDS_AT_ONCE: Final = 500


def looked_up(patient: Patient, table: str, keys: dict[int, list[str]]) -> Iterator[Finding]:
    """Whether these ids (with the keys that name them) are in a table, and active."""
    what = f"Mapped ids of {table}"
    flag = "" if table == "salestaxitem" else ", isinactive"
    numbers = ", ".join(str(one) for one in sorted(keys)[:IDS_AT_ONCE])
    text = f"SELECT id{flag} FROM {table} WHERE id IN ({numbers}) ORDER BY id ASC"
    try:
        rows = {int(row["id"]): row for page in patient.books.suiteql_all(text) for row in page.rows}
    except Unauthorised:
        raise
    except Rejected as refused:
        said = "can't be read by the role" if unknown_name(refused) else refused.detail
        yield Finding(
            what,
            f"{len(keys)} ids, and {table} {said}",
            "A wrong id shows at the first order that carries it.",
            f"{ROLE}: let the role view {table}.",
            Level.UNKNOWN,
        )
        return
    missing = [f"{name} ({one})" for one in sorted(keys) if one not in rows for name in keys[one][:1]]
    asleep = [
        f"{name} ({one})"
        for one in sorted(keys)
        if rows.get(one, {}).get("isinactive") == "T"
        for name in keys[one][:1]
    ]
    if missing:
        yield Finding(
            what,
            f"not in NetSuite: {listed(missing)}",
            "NetSuite refuses every order that carries them.",
            "Correct the ids in the mapping file, or open the role to their subsidiary.",
            Level.BLOCKED,
        )
    if asleep:
        yield Finding(
            what,
            f"inactive: {listed(asleep)}",
            "NetSuite refuses every order that carries them.",
            "Make them active again, or name others in the mapping file.",
            Level.BLOCKED,
        )
    if not missing and not asleep:
        yield Finding(what, f"{len(keys)} there", "All exist and are active." if flag else "All exist.")


def ids_of(policy: OrderPolicy) -> dict[str, dict[int, list[str]]]:
    """{SuiteQL table: {internal id: keys of the mapping file that name it}}."""
    found: dict[str, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    for table, key, number in _named(policy):
        if number is not None:
            found[table][number].append(key)
    return {table: dict(keys) for table, keys in found.items()}


def _named(policy: OrderPolicy) -> Iterator[tuple[str, str, int | None]]:
    channels = [*policy.channels.values(), *((policy.any_channel,) if policy.any_channel else ())]
    for one in channels:
        yield "subsidiary", f"channels.{one.id}.subsidiary", one.subsidiary
        yield "location", f"channels.{one.id}.location", one.location
        yield "department", f"channels.{one.id}.department", one.department
        yield "classification", f"channels.{one.id}.class", one.class_id
    for name, number in policy.shipping.methods.items():
        yield "shipitem", f"orders.shipping.methods.{name}", number
    yield "shipitem", "orders.shipping.default", policy.shipping.default
    for symbol, number in policy.currencies.items():
        yield "currency", f"orders.currencies.{symbol}", number
    yield from (("item", key, number) for key, number in _items(policy))
    tax = policy.tax
    codes: list[tuple[str, TaxCode | None]] = [
        ("orders.tax.code", tax.default),
        ("orders.tax.exempt_code", tax.exempt),
    ]
    codes += [(f"orders.tax.codes.{name}", one) for name, one in tax.codes.items()]
    if tax.reverse_charge is not None:
        codes.append(("orders.tax.reverse_charge.code", tax.reverse_charge.post))
    for key, code in codes:
        yield "salestaxitem", key, code.code if code else None
        yield "item", key.replace("code", "item"), code.item if code else None


def _items(policy: OrderPolicy) -> Iterable[tuple[str, int | None]]:
    yield "orders.rounding.item", policy.rounding_item
    yield "orders.discounts.item", policy.discount_item
    # A shipping item that is no line is a ship item, and is looked for among the methods.
    yield "orders.shipping.item", policy.shipping.item if policy.shipping.as_line else None
    yield "orders.handling.item", policy.handling_item
    yield "orders.gift_wrapping.item", policy.wrapping_item
    yield "orders.fees.item", policy.fee_item
    yield "orders.gift_certificates.item", policy.certificate_item
    yield "orders.custom_products.item", policy.custom_item
    yield "orders.tax.marketplace_item", policy.tax.marketplace_item
    for name, number in policy.fee_items.items():
        yield f"orders.fees.by_name.{name}", number

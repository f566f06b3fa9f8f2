"""What the doctor looks at in BigCommerce, read-only: token, quota, scopes, settings, buffers, hooks.

Put one function per probe here. Do not put a probe here that also needs NetSuite (`probes_both.py`). Facts
and the names of scopes: facts/bigcommerce.md 1.1 to 1.3, 2.3, 2.5, 2.6, 6.1.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from bcns_pipeline.cli.probes import Finding, Level, Patient, Probe, listed
from bcns_pipeline.clients.bigcommerce.models import Hook, InventorySettings
from bcns_pipeline.outcomes import Rejected, Unauthorised
from bcns_pipeline.rules.inventory.policy import double_buffer

# The quota is shared with every other app of the store (facts/bigcommerce.md 1.3).
LOW_QUOTA_SHARE: Final = 0.2
CLOCK_SECONDS: Final = 120
SAMPLE_ITEMS: Final = 250
# A store with hundreds of storefronts would cost a call each; the first ones tell whether they differ.
CHANNELS_LOOKED_AT: Final = 5


@dataclass(frozen=True, slots=True)
class Scope:
    """One OAuth scope by its parameter name, the flow that needs it and what for."""

    name: str
    flow: str
    purpose: str
    probe: Callable[[Patient], object]
    needed: bool = True


SCOPES: Final = (
    Scope(
        "store_inventory",
        "inventory",
        "read stock levels, and set them",
        lambda p: p.shop.inventory_page(limit=1),
    ),
    Scope("store_locations_read_only", "inventory", "read stock locations", lambda p: p.shop_locations()),
    Scope(
        "store_v2_products_read_only",
        "inventory",
        "pair SKUs with variants",
        lambda p: p.shop.variants_page(limit=1),
    ),
    Scope(
        "store_v2_information_read_only",
        "doctor",
        "read time zone, currencies and stock settings",
        lambda p: p.store(),
        needed=False,
    ),
    Scope(
        "store_channel_settings_read_only", "doctor", "read channels", lambda p: p.channels(), needed=False
    ),
)
NEW_ACCOUNT: Final = (
    "Scopes can't be changed: create a new store-level API account with all scopes of `bcns doctor "
    "--scopes`, and set "
    "its token and client id."
)


def credentials(patient: Patient) -> Iterator[Finding]:
    """`GET /v2/time`: the cheapest call that needs the token."""
    what = "BigCommerce credentials"
    store = patient.settings.bigcommerce_store_hash
    try:
        there = patient.shop.time()
    except Unauthorised as refused:
        if refused.status == 403:
            yield Finding(
                what,
                f"the token is good for store {store}, but may not read the store's clock",
                "A scope is missing; see the scopes below.",
                level=Level.NOTE,
            )
            return
        yield Finding(
            what,
            f"refused: {refused.status} {refused.detail}",
            f"The access token is not one of store {store}.",
            "Set BCNS_BIGCOMMERCE_ACCESS_TOKEN and BCNS_BIGCOMMERCE_STORE_HASH to the same store-level "
            "API account.",
            Level.BLOCKED,
        )
        return
    except Rejected as refused:
        yield Finding(
            what,
            f"{refused.status} {refused.detail}",
            "No BigCommerce store answers at that address and hash.",
            "Correct BCNS_BIGCOMMERCE_STORE_HASH, or BCNS_BIGCOMMERCE_BASE_URL if it is set.",
            Level.BLOCKED,
        )
        return
    apart = there - time.time()
    if abs(apart) > CLOCK_SECONDS:
        yield Finding(
            what,
            f"accepted for store {store}; its clock is {apart:+,.0f} s from ours",
            "One of the two clocks is wrong; signed requests to NetSuite fail where it is ours.",
            "Set this machine's clock by NTP.",
            Level.WARNING,
        )
    else:
        yield Finding(what, f"accepted for store {store}", "The clocks agree.")


def quota(patient: Patient) -> Iterator[Finding]:
    """The rate headers of the last answer."""
    what, found = "BigCommerce quota", patient.pacer.quota if patient.pacer else None
    if found is None:
        yield Finding(
            what,
            "no rate headers in the answers",
            "An unlimited plan (or a test double): nothing to keep to.",
        )
        return
    seconds = max(found.window_ms, 1) / 1000
    text = f"{found.requests:,} requests per {seconds:.0f} s, {found.left:,} left"
    if found.left < found.requests * LOW_QUOTA_SHARE:
        yield Finding(
            what,
            text,
            "Other apps use the store's quota just now; runs wait for it.",
            "See which apps of the store call its API all the time.",
            Level.WARNING,
        )
    else:
        yield Finding(
            what, text, f"A push of 100,000 lines takes 50 of them; {found.requests / seconds:.0f} a second."
        )


def scope(wanted: Scope, patient: Patient) -> Iterator[Finding]:
    """One cheap read. Whether the token may also write stock can't be read; see `probes_state.py`."""
    what = f"BigCommerce scope {wanted.name}"
    try:
        wanted.probe(patient)
    except Unauthorised as refused:
        patient.told.append(refused)
        lost = (
            f"The {wanted.flow} flow can't {wanted.purpose}."
            if wanted.needed
            else f"bcns can't {wanted.purpose}."
        )
        level = Level.BLOCKED if wanted.needed else Level.WARNING
        yield Finding(what, f"missing ({refused.status} {refused.detail})", lost, NEW_ACCOUNT, level)
    else:
        yield Finding(what, "granted", f"Needed to {wanted.purpose} ({wanted.flow}).")


def store(patient: Patient) -> Iterator[Finding]:
    """Plan, status, time zone and currency, and the zone that the schedules run in."""
    shop = patient.store()
    plan = shop.plan_name or shop.plan_level or "plan not told"
    closed = shop.status not in {"", "live"}
    yield Finding(
        "BigCommerce store",
        f"{shop.name} ({plan}, {shop.status or 'status not told'}, currency {shop.currency or 'not told'}, "
        "prices "
        f"{'with' if shop.prices_include_tax else 'without'} tax)",
        "The store is not open; stock flows all the same."
        if closed
        else "Open for business."
        if shop.status
        else "",
        level=Level.NOTE if closed else Level.OK,
    )
    what, ours, theirs = "Time zone", patient.mapping.store.timezone, shop.timezone
    if not theirs:
        yield Finding(what, "the store does not tell", f"Schedules run in {ours or 'UTC'}.", level=Level.NOTE)
    elif ours is None:
        same = theirs == "UTC"
        yield Finding(
            what,
            f"store {theirs}, mapping file none",
            "Schedules run in UTC.",
            "" if same else f"Write store: {{timezone: {theirs}}} into the mapping file.",
            Level.OK if same else Level.NOTE,
        )
    elif ours != theirs:
        yield Finding(
            what,
            f"store {theirs}, mapping file {ours}",
            f"Schedules run in {ours}, days of orders end there.",
            "Make them the same unless this is meant.",
            Level.WARNING,
        )
    else:
        yield Finding(what, theirs, "Schedules run in the store's time zone.")


def channels(patient: Patient) -> Iterator[Finding]:
    """The channels, and that each one in the mapping file exists."""
    found = patient.channels()
    active = [one for one in found if one.status in {"active", "prelaunch", "connected", ""}]
    fronts = [one for one in active if one.type in {"storefront", ""}]
    text = listed(f"{one.id} {one.name} ({one.type})" for one in active)
    yield Finding(
        "Channels",
        text,
        f"{len(fronts)} storefront(s); all of them sell the same stock: it is not kept by channel.",
    )
    unknown = sorted(set(patient.mapping.channels) - {one.id for one in found})
    if unknown:
        yield Finding(
            "Channels in the mapping file",
            f"channels: {listed(unknown)} not in the store",
            f"The store has {listed(sorted(one.id for one in found))}.",
            "Correct or remove them in the mapping file.",
            Level.BLOCKED,
        )


def stock_settings(patient: Patient) -> Iterator[Finding]:
    """When BigCommerce moves stock by itself, for the store and for the channels that differ."""
    everywhere = patient.shop.inventory_settings()
    yield from _behaviour("Stock settings", everywhere)
    for channel in [one for one in patient.channels() if one.type in {"storefront", ""}][:CHANNELS_LOOKED_AT]:
        try:
            own = patient.shop.inventory_settings(channel.id)
        except Rejected:
            continue  # no settings of its own: the store's hold
        if own.update_stock_behavior not in {None, everywhere.update_stock_behavior}:
            yield from _behaviour(f"Stock settings of channel {channel.id}", own)


def _behaviour(what: str, found: InventorySettings) -> Iterator[Finding]:
    when = found.update_stock_behavior
    if when == "order_placed":
        yield Finding(
            what, "stock is taken when an order is placed", "A unit sold can't be sold again here meanwhile."
        )
    elif when is None:
        yield Finding(
            what,
            "update_stock_behavior is not told",
            "Not known when the store takes stock.",
            level=Level.NOTE,
        )
    else:
        yield Finding(
            what,
            f"update_stock_behavior is {when}",
            "Between order and shipping the store sells units that are sold already, and takes them a "
            "second time at "
            "shipping, when NetSuite has long taken them.",
            "Settings > Inventory: adjust stock when an order is placed.",
            Level.WARNING,
        )
    if found.refund_order_stock_adjustment:
        yield Finding(
            f"{what}: refunds",
            "refund_order_stock_adjustment is on",
            "A refund puts units on sale that NetSuite has not received; the next run lowers them again.",
            "Switch it off: NetSuite decides when a return is sellable.",
            Level.WARNING,
        )


def buffers(patient: Patient) -> Iterator[Finding]:
    """A sample of live safety stock (first, middle and last page) against the owner in the mapping file."""
    what, safety = "Safety stock", patient.mapping.inventory.safety_stock
    mapped = {route.bigcommerce for route in patient.mapping.inventory.locations or ()}
    first = patient.shop.inventory_page(limit=SAMPLE_ITEMS)
    pages, last = [first], first.total_pages or 1
    others = sorted({(last + 1) // 2, last} - {1})
    pages += [patient.shop.inventory_page(page=number, limit=SAMPLE_ITEMS) for number in others]
    held = [
        (buffer, sku)
        for page in pages
        for sku, place, buffer in zip(
            page.levels.sku, page.levels.location_id, page.levels.safety_stock, strict=True
        )
        if buffer > 0 and (not mapped or place in mapped)
    ]
    looked = f"{sum(page.items for page in pages):,} items looked at"
    most = max(held, default=(0, ""))[0]
    ours = f"owner {safety.owner}" + (f" ({safety.value} units)" if safety.value else "")
    fault = double_buffer(safety.owner, most)
    if fault:
        yield Finding(
            what,
            f"{ours}; BigCommerce holds back up to {most:,} units ({len(held):,} rows, e.g. {held[0][1]}; "
            f"{looked})",
            "Two buffers: units are hidden that could be sold. The flow refuses to start.",
            fault,
            Level.BLOCKED,
        )
    elif safety.owner == "bigcommerce" and not held:
        yield Finding(
            what,
            f"{ours}, but no item there holds anything back ({looked})",
            "Nobody holds stock back.",
            "Set safety stock in BigCommerce, or owner: none.",
            Level.NOTE,
        )
    else:
        yield Finding(
            what,
            f"{ours}; BigCommerce holds back {f'up to {most:,}' if most else 'nothing'} ({looked})",
            "Exactly one owner.",
        )


def hooks(patient: Patient) -> Iterator[Finding]:
    """The webhooks of our API account; BigCommerce switches off those whose deliveries fail."""
    found = patient.shop.hooks.list()
    dead = [hook for hook in found if not hook.active]
    if dead:
        yield Finding(
            "Hooks",
            f"{len(dead)} of {len(found)} are switched off: {listed(_hook(hook) for hook in dead)}",
            "Their events do not arrive; polling still finds the changes, later.",
            "See that the address answers 200, then switch them on again.",
            Level.WARNING,
        )
    elif found:
        yield Finding("Hooks", listed(_hook(hook) for hook in found), "All are on.")
    else:
        yield Finding("Hooks", "none", "The inventory flow needs none: it asks on its schedule.")


def _hook(hook: Hook) -> str:
    # The path of a destination may hold a secret.
    return f"{hook.scope} to {urlsplit(hook.destination).hostname}"


ENTRY: Final = (Probe("BigCommerce credentials", credentials, needed=True),)
PROBES: Final = (
    Probe("BigCommerce quota", quota),
    *(Probe(f"BigCommerce scope {one.name}", partial(scope, one), needed=one.needed) for one in SCOPES),
    Probe("BigCommerce store", store),
    Probe("Channels", channels),
    Probe("Stock settings", stock_settings),
    Probe("Safety stock", buffers, needed=True),
    Probe("Hooks", hooks),
)

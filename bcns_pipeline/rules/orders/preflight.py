"""What an order needs to find in NetSuite, found or named as missing, before anything is sent.

Put channel, subsidiary, currency, items and ship method here. Do not put amounts here. NetSuite refuses an
order whose customer, items, location and subsidiary do not belong together (facts/netsuite.md 4); each such
refusal is foreseen, and all of them at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from bcns_pipeline.rules.identity import sku_key
from bcns_pipeline.rules.money import exponent
from bcns_pipeline.rules.orders.facts import GROUPS, KITS, Facts, ItemRef, NetSuiteCurrency
from bcns_pipeline.rules.orders.model import Line, Order
from bcns_pipeline.rules.orders.policy import Channel, OrderPolicy, named
from bcns_pipeline.rules.orders.problems import Problem


@dataclass(frozen=True, slots=True)
class Place:
    """Where the order goes. `subsidiary` and `currency_id` are None where the account has but one.

    `base_currency` is the symbol of the subsidiary's own, "" where not known. `digits` are those that NetSuite
    keeps of the order's currency, None where it keeps them all.
    """

    channel: Channel
    subsidiary: int | None
    currency_id: int | None
    base_currency: str
    digits: int | None = None


@dataclass(slots=True)
class Found:
    """What was found, and what stands in the way. `items` by line id, without members of kits."""

    place: Place | None = None
    items: dict[int, int] = field(default_factory=dict)
    ship_method: int | None = None
    payment_method: int | None = None
    problems: list[Problem] = field(default_factory=list)


def preflight(order: Order, facts: Facts, policy: OrderPolicy) -> Found:
    """Everything that the order needs of NetSuite's records."""
    found = Found()
    channel = policy.channel(order.channel_id)
    if channel is None:
        found.problems.append(
            Problem(
                "CHANNEL_UNMAPPED",
                f"The order came through channel {order.channel_id}, which channels does not have.",
                f"channel:{order.channel_id}",
            )
        )
        subsidiary = None
    else:
        subsidiary = _subsidiary(channel, order, facts, found)
        currency = _currency(order, facts, policy, found)
        base = facts.account.subsidiaries.get(subsidiary or 0)
        base_currency = (base.currency if base else "") or facts.account.base_currency
        short = currency is not None and currency.digits < exponent(order.currency)
        found.place = Place(
            channel,
            subsidiary,
            currency.id if currency else None,
            base_currency,
            currency.digits if currency is not None and short else None,
        )
        found.problems += _belongs(channel, subsidiary, facts)
    _items(order, subsidiary, facts, policy, found)
    found.problems += _several_addresses(order, policy)
    _ship_method(order, policy, found)
    _payment_method(order, policy, found)
    return found


def _subsidiary(channel: Channel, order: Order, facts: Facts, found: Found) -> int | None:
    account = facts.account
    if not account.oneworld:
        return None
    if channel.subsidiary is not None:
        return channel.subsidiary
    if len(account.subsidiaries) == 1:
        return next(iter(account.subsidiaries))
    found.problems.append(
        Problem(
            "CHANNEL_UNMAPPED",
            f"Nobody said which subsidiary orders of channel {order.channel_id} belong to.",
            f"channel:{order.channel_id}",
        )
    )
    return None


def _belongs(channel: Channel, subsidiary: int | None, facts: Facts) -> Iterator[Problem]:
    """Customer and location must be the subsidiary's."""
    if subsidiary is None:
        return
    customer, places = facts.customer, facts.account.locations
    if customer.subsidiaries is not None and subsidiary not in customer.subsidiaries:
        name = customer.id or customer.external_id
        yield Problem(
            "SUBSIDIARY_MISMATCH",
            f"Customer {name} is not of subsidiary {subsidiary}, to which the order belongs.",
            f"customer:{name}",
        )
    if channel.location is not None and places is not None and places.get(channel.location) != subsidiary:
        yield Problem(
            "SUBSIDIARY_MISMATCH",
            f"Location {channel.location} of channel {channel.id} is not of subsidiary {subsidiary}.",
            f"location:{channel.location}",
        )


def _currency(order: Order, facts: Facts, policy: OrderPolicy, found: Found) -> NetSuiteCurrency | None:
    """The order's currency in NetSuite; None where the account has one only, or there is a problem."""
    account, code = facts.account, order.currency

    def problem(sentence: str) -> None:
        found.problems.append(Problem("CURRENCY_UNMAPPED", sentence, f"currency:{code}"))

    if not account.currencies:
        if account.base_currency and code != account.base_currency:
            problem(f"The order is in {code}, and the account has {account.base_currency} only.")
        return None
    mapped = policy.currencies.get(code)
    known = account.currencies.get(code) if mapped is None else _by_id(mapped, account.currencies)
    if known is None:
        problem(
            f"NetSuite has no currency {code}." if mapped is None else f"NetSuite has no currency {mapped}."
        )
        return None
    customer = facts.customer
    if customer.currencies is not None and known.id not in customer.currencies:
        problem(f"Customer {customer.id or customer.external_id} does not take {code}.")
    return known


def _by_id(number: int, currencies: Mapping[str, NetSuiteCurrency]) -> NetSuiteCurrency | None:
    return next((one for one in currencies.values() if one.id == number), None)


def too_fine(amounts: Iterable[Decimal], code: str, digits: int) -> Problem | None:
    """NetSuite keeps fewer digits of a currency than it has: fine as long as no amount that is sent needs more,
    and prices in three digits are often whole hundredths. Rounded by NetSuite, the parts would no longer add up.
    """
    step = Decimal(1).scaleb(-digits)
    if all(amount % step == 0 for amount in amounts):
        return None
    said = f"NetSuite keeps {digits} digits of {code}, and the order needs {exponent(code)}."
    return Problem("CURRENCY_UNMAPPED", said, f"currency:{code}")


def _items(order: Order, subsidiary: int | None, facts: Facts, policy: OrderPolicy, found: Found) -> None:
    problems: dict[tuple[str, str], Problem] = {}
    lines = {line.id: line for line in order.lines}
    for line in order.lines:
        if _ships_with_its_kit(line, lines, facts):
            continue
        item = _item(line, facts, policy)
        if isinstance(item, ItemRef):
            item = _sellable(item, subsidiary) or item.id
        if isinstance(item, Problem):
            problems.setdefault((item.code, item.fact), item)
        else:
            found.items[line.id] = item
    found.problems += problems.values()


def _ships_with_its_kit(line: Line, lines: Mapping[int, Line], facts: Facts) -> bool:
    """Whether NetSuite ships the line by itself as a member of a kit; as a line it would leave twice."""
    parent = lines.get(line.parent_line_id or 0)
    if parent is None or line.total:
        return False
    candidates = facts.items.find(parent)
    return len(candidates) == 1 and candidates[0].kind in KITS


def _item(line: Line, facts: Facts, policy: OrderPolicy) -> ItemRef | int | Problem:
    if line.kind == "giftcertificate":
        if policy.certificate_item is not None:
            return policy.certificate_item
        return charge_unmapped("a gift certificate", "orders.gift_certificates.item")
    candidates = facts.items.find(line)
    if len(candidates) == 1:
        return candidates[0]
    if not candidates and line.product_id == 0 and policy.custom_item is not None:
        return policy.custom_item
    if not line.sku:
        why = f"Line {line.id} has no SKU."
    elif candidates:
        numbers = ", ".join(str(one.id) for one in candidates[:5])
        why = f"SKU {line.sku!r} of line {line.id} is on NetSuite items {numbers}."
    else:
        why = f"SKU {line.sku!r} of line {line.id} is on no NetSuite item."
    return Problem("ITEM_UNMAPPED", why, f"sku:{sku_key(line.sku)}" if line.sku else f"line:{line.id}")


def _sellable(item: ItemRef, subsidiary: int | None) -> Problem | None:
    fact = f"sku:{sku_key(item.sku)}"
    if item.matrix.upper() == "PARENT":
        return Problem("ITEM_IS_PARENT", f"SKU {item.sku!r} is the matrix parent {item.id}.", fact)
    if item.inactive:
        return Problem("ITEM_NOT_SELLABLE", f"SKU {item.sku!r} is item {item.id}, which is inactive.", fact)
    if item.kind in GROUPS:
        return Problem("ITEM_NOT_SELLABLE", f"SKU {item.sku!r} is the item group {item.id}.", fact)
    if subsidiary is not None and item.subsidiaries is not None and subsidiary not in item.subsidiaries:
        return Problem(
            "SUBSIDIARY_MISMATCH",
            f"SKU {item.sku!r} is item {item.id}, which is not of subsidiary {subsidiary}.",
            fact,
        )
    return None


def _several_addresses(order: Order, policy: OrderPolicy) -> Iterator[Problem]:
    """The header has room for one address; with several, lines must say where they go, or all goes to the first."""
    places = [one for one in order.ship_to if one.line_ids]
    kept = any(path.says_where for path in policy.line_fields.values())
    if len(places) > 1 and not kept:
        yield Problem(
            "SHIP_TO_UNMAPPED",
            f"The order goes to {len(places)} addresses, and no field of a line keeps where it goes.",
            "key:orders.line_fields",
        )


def _ship_method(order: Order, policy: OrderPolicy, found: Found) -> None:
    """The first consignment's way; every way must be known, as another version may put it first."""
    delivered = [one for one in order.consignments if one.kind in ("shipping", "pickup") and one.line_ids]
    for consignment in delivered:
        method = policy.shipping.method(consignment.method)
        if method is None:
            name = f"method {consignment.method!r}" if consignment.method else "method, which is blank,"
            found.problems.append(
                Problem(
                    "SHIP_METHOD_UNMAPPED",
                    f"The shipping {name} stands for no ship method.",
                    f"ship_method:{consignment.method}",
                )
            )
        elif found.ship_method is None:
            found.ship_method = method


def _payment_method(order: Order, policy: OrderPolicy, found: Found) -> None:
    if not policy.payment_methods:
        return
    found.payment_method = named(policy.payment_methods, order.payment_method)
    if found.payment_method is None and policy.unmapped_payment == "exception":
        found.problems.append(
            Problem(
                "PAYMENT_METHOD_UNMAPPED",
                f"The payment method {order.payment_method!r} stands for none of NetSuite's.",
                f"payment_method:{order.payment_method}",
            )
        )


def charge_unmapped(what: str, key: str) -> Problem:
    """An order with something to pay for which no item was named."""
    return Problem("CHARGE_UNMAPPED", f"The order has {what}, and {key} names no item for it.", f"key:{key}")

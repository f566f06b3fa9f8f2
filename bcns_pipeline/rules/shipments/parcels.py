"""Tracking numbers, and what the shopper reads about a parcel: comments, carrier and link.

Put the texts of a shipment here. Do not put here which units it holds (`plan.py`). A shipment has no external
id (facts/bigcommerce.md 3.10), so ours are known again by a marker in their comments.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from bcns_pipeline.rules.shipments.model import Fulfilment, Shipment
from bcns_pipeline.rules.shipments.policy import LONGEST_TRACKING, ShipmentPolicy, carrier_of, tracking_link

_ALWAYS: Final = ("shipping_provider", "tracking_carrier")
# Several numbers in one field come with these between them (facts/netsuite.md 2.6).
_BETWEEN: Final = re.compile(r"<br\s*/?>|[\n\r,;|]", re.IGNORECASE)


def tracking_numbers(texts: Iterable[str]) -> list[str]:
    """Single tracking numbers, each once, in their order."""
    found: dict[str, None] = {}
    for text in texts:
        for part in _BETWEEN.split(text):
            number = " ".join("".join(one if one.isprintable() else " " for one in part).split())
            if number:
                found.setdefault(number)
    return list(found)


def marker(fulfilment: Fulfilment, package: int) -> str:
    """What the comments of our shipment say: "NS IF123", from the second parcel on "NS IF123 (2)"."""
    name = f"NS {fulfilment.number or fulfilment.id}"
    return name if package == 0 else f"{name} ({package + 1})"


def marked(comments: str, fulfilment: Fulfilment) -> int | None:
    """Which parcel of `fulfilment` a shipment with these comments is, from 0; None for none of its."""
    found = re.search(
        rf"(?<![\w-]){re.escape(marker(fulfilment, 0))}(?: \((\d{{1,4}})\))?(?![\w-])", comments
    )
    if found is None:
        return None
    return max(int(found[1]) - 1, 0) if found[1] else 0


def carries_marker(comments: str) -> bool:
    """Whether some fulfilment's marker is there."""
    return re.search(r"(?<![\w-])NS \S", comments) is not None


def comments_of(fulfilment: Fulfilment, package: int, further: Sequence[str], policy: ShipmentPolicy) -> str:
    """The comments of a new shipment; `further` are numbers that have no shipment of their own."""
    text = policy.comments.replace("{marker}", marker(fulfilment, package))
    return f"{text}\n{_further(further, policy)}" if further else text


def comments_with(comments: str, further: Sequence[str], policy: ShipmentPolicy) -> str:
    """Comments as they are, and what they do not say yet of `further`: what a person wrote there stays."""
    lacking = [number for number in further if not _says(comments, number)]
    return f"{comments}\n{_further(lacking, policy)}".lstrip("\n") if lacking else comments


def transport(fulfilment: Fulfilment, tracking: str, policy: ShipmentPolicy) -> dict[str, str]:
    """The fields of a shipment about its way. `tracking` "" = not known yet.

    A number that is too long for its field is no use cut off: it goes into the comments and the link instead.
    """
    carrier = carrier_of(policy, fulfilment.method, fulfilment.carrier)
    known = carrier is not None and bool(carrier.provider or carrier.tracking_carrier)
    template = (carrier.url if carrier else "") or ("" if known else policy.tracking_url)
    fields = {
        "tracking_number": tracking if len(tracking) <= LONGEST_TRACKING else "",
        "shipping_provider": carrier.provider if carrier else "",
        "tracking_carrier": carrier.tracking_carrier if carrier else "",
        "tracking_link": tracking_link(template, tracking),
        "shipping_method": fulfilment.method.strip(),
    }
    return {name: text for name, text in fields.items() if text or name in _ALWAYS}


def assign(numbers: Sequence[str], shipments: Sequence[Shipment]) -> tuple[dict[int, str], list[str]]:
    """Which number each of our shipments should show, by its id, and the numbers that are left over.

    A shipment keeps a number that is still true, so that parcels listed in another order change nothing.
    """
    held: dict[int, str] = {}
    free = list(numbers)
    for one in shipments:
        if one.tracking in free:
            free.remove(one.tracking)
            held[one.id] = one.tracking
    for one in shipments:
        if one.id not in held and free:
            held[one.id] = free.pop(0)
    return held, free


def changed_fields(wanted: Mapping[str, str], shipment: Shipment) -> dict[str, str]:
    """Of `wanted`, what the shipment does not show. Nothing that it shows is emptied."""
    shown = {
        "tracking_number": shipment.tracking,
        "shipping_provider": shipment.provider,
        "tracking_carrier": shipment.carrier,
        "tracking_link": shipment.link,
        "comments": shipment.comments,
    }
    return {name: text for name, text in wanted.items() if name in shown and text and text != shown[name]}


def _further(numbers: Sequence[str], policy: ShipmentPolicy) -> str:
    return policy.further.replace("{numbers}", ", ".join(numbers))


def _says(comments: str, number: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(number)}(?!\w)", comments) is not None

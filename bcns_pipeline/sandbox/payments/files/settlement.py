"""Dropping a provider's settlement file.

Put the choice of the file here. Do not put columns (one module per provider) or faults (sheet.py) here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bcns_pipeline.sandbox.payments.drops import Drops
from bcns_pipeline.sandbox.payments.files import adyen, amazon, braintree, paypal, plain, stripe_report
from bcns_pipeline.sandbox.payments.files.sheet import Sheet, written
from bcns_pipeline.sandbox.payments.models import Payout
from bcns_pipeline.sandbox.payments.provider import Provider

SHEETS = {
    "stripe": stripe_report.sheet,
    "paypal": paypal.sheet,
    "adyen": adyen.sheet,
    "braintree": braintree.sheet,
    "amazon": amazon.sheet,
    "square": plain.sheet,
}
# Their reports are of one payout each; the others put all of a day into one file.
ONE_EACH = frozenset({"adyen", "amazon"})


def drop(drops: Drops, provider: Provider, payouts: Sequence[Payout], raw: Mapping[str, Any]) -> list[str]:
    """Write the file or files of some payouts of one provider, with `fault`; returns their paths."""
    name = provider.contract.name
    groups = [[one] for one in payouts] if name in ONE_EACH else [list(payouts)]
    return [
        drops.put(drops.payouts, str(raw.get("name", file)), content)
        for group in groups
        for file, content in written(_sheet(provider, group, raw), str(raw.get("fault", "")))
    ]


def _sheet(provider: Provider, payouts: Sequence[Payout], raw: Mapping[str, Any]) -> Sheet:
    if provider.contract.name == "amazon" and "comma" in raw:
        return amazon.sheet(provider, payouts, comma=bool(raw["comma"]))
    return SHEETS[provider.contract.name](provider, payouts)

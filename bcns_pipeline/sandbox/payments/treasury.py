"""All the payment providers of one merchant, and the bank that their payouts arrive at.

Put what several of them share here, and what is done to one of them by name. Do not put HTTP here (control.py),
and no provider's own words (stripe/, files/).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from bcns_pipeline.sandbox.bigcommerce.shop import Shop
from bcns_pipeline.sandbox.clock import Clock
from bcns_pipeline.sandbox.payments.drops import Drops
from bcns_pipeline.sandbox.payments.models import DAY, Payout
from bcns_pipeline.sandbox.payments.provider import Contract, Provider

CONTRACTS = (
    Contract("stripe", "acct_1SandboxTrading", frozenset({"stripe"}), "stripe"),
    Contract(
        "paypal",
        "SANDBOXMERCH1",
        frozenset({"paypalexpress"}),
        percent=Decimal("0.0349"),
        fixed=Decimal("0.49"),
    ),
    Contract(
        "braintree",
        "sandboxtrading",
        frozenset({"braintree"}),
        percent=Decimal("0.0259"),
        fixed=Decimal("0.49"),
    ),
    Contract(
        "adyen", "SandboxTradingECOM", frozenset({"adyen"}), percent=Decimal("0.0250"), fixed=Decimal("0.11")
    ),
    Contract("amazon", "A1SANDBOXSELLER", frozenset(), percent=Decimal("0.15"), fixed=Decimal(0)),
    Contract(
        "square",
        "LSANDBOXSQUARE",
        frozenset({"squarev2"}),
        percent=Decimal("0.029"),
        fixed=Decimal("0.30"),
    ),
)


class Treasury:
    """The providers over one shop. Raises `ValueError` for what can't happen."""

    def __init__(self, shop: Shop, clock: Clock, drops: Drops) -> None:
        self.clock = clock
        self.drops = drops
        self.providers = {one.name: Provider(one, shop, clock) for one in CONTRACTS}

    def open(self) -> None:
        """Begin with nothing, as with another shop."""
        for one in self.providers.values():
            one.open()

    def provider(self, raw: Mapping[str, Any]) -> Provider:
        """The provider that a body names; Stripe where it names none."""
        return self.named(str(raw.get("provider", "stripe")))

    def named(self, name: str) -> Provider:
        """A provider by name."""
        if name not in self.providers:
            raise ValueError(f"There is no provider {name!r}; there are {', '.join(self.providers)}.")
        return self.providers[name]

    def payout(self, name: str) -> tuple[Provider, Payout]:
        """A payout by its id, whoever made it."""
        for provider in self.providers.values():
            if name in provider.payouts:
                return provider, provider.payouts[name]
        raise ValueError(f"Nobody made a payout {name!r}.")

    def payouts(self) -> Iterator[tuple[Provider, Payout]]:
        """All payouts, by provider and then in the order in which they were made."""
        for provider in self.providers.values():
            for one in provider.payouts.values():
                yield provider, one

    # -- days --------------------------------------------------------------------------------------------------

    def today(self) -> date:
        """The day, in UTC as payment providers count."""
        return self.clock.utc().date()

    def on(self, raw: Mapping[str, Any], name: str = "on") -> date:
        """The day that a body names, or today."""
        return date.fromisoformat(str(raw[name])) if raw.get(name) else self.today()

    def day(self, raw: Mapping[str, Any]) -> list[tuple[Provider, Payout]]:
        """A day passes: every provider named (all, by default) pays out what had come in by its end."""
        on = self.on(raw)
        arrival = midnight(on + timedelta(days=int(raw.get("arrives", 0))))
        names = raw.get("providers") or ([raw["provider"]] if "provider" in raw else list(self.providers))
        most = None if raw.get("most") is None else int(raw["most"])
        made = []
        for name in names:
            provider = self.named(str(name))
            provider.absorb()
            found = provider.day(midnight(on) + DAY - 1, arrival, raw.get("currency"), most)
            made += [(provider, one) for one in found]
        for _, one in made:
            one.reconciliation = str(raw.get("reconciliation_status", one.reconciliation))
            one.status = str(raw.get("status", one.status))
        return made


def midnight(day: date) -> int:
    """The beginning of a day, UTC, in seconds."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())

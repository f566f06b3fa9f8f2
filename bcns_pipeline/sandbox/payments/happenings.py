"""What happens to a provider's balance besides captures and refunds: disputes, reserves, fees, loans.

Put the reading of a `move` body here (verbs.py tells its fields). Do not put the kinds themselves here (kinds.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from bcns_pipeline.sandbox.payments.kinds import KINDS, said_by
from bcns_pipeline.sandbox.payments.models import PAYOUT, PAYOUT_CANCEL, PAYOUT_FAILURE, Fee, Movement
from bcns_pipeline.sandbox.payments.provider import Provider

# A dispute costs a fee, which comes back with a win.
USUAL_FEES = {"dispute": Decimal(15), "dispute_reversal": Decimal(-15)}
NOT_BY_HAND = frozenset({PAYOUT, PAYOUT_FAILURE, PAYOUT_CANCEL})


def move(provider: Provider, raw: Mapping[str, Any]) -> list[Movement]:
    """Something happens to the balance. Raises `ValueError` or `KeyError`."""
    kind = str(raw["kind"])
    if kind not in KINDS or kind in NOT_BY_HAND:
        raise ValueError(
            f"There is no movement {kind!r}; there are {', '.join(sorted({*KINDS} - NOT_BY_HAND))}."
        )
    if not said_by(provider.contract.name, kind):
        raise ValueError(f"{provider.contract.name} has no word for a {kind}.")
    provider.absorb()
    charge = _charge(provider, raw)
    currency = str(raw.get("currency", charge.currency if charge else provider.terms.home))
    gross = _gross(provider, raw, kind, charge, currency)
    fee = provider.units(Decimal(str(raw.get("fee", USUAL_FEES.get(kind, 0)))), currency)
    order_id = charge.order_id if charge else str(raw.get("order_id", ""))
    more: dict[str, Any] = {
        "fees": (Fee(fee, "stripe_fee", "Dispute fee" if "dispute" in kind else "Fee"),) if fee else (),
        "source": str(
            raw.get("source")
            or _disputed(provider, kind, charge)
            or provider.new_id(KINDS[kind].prefix, f"{kind}/{len(provider.movements)}")
        ),
        "reference": charge.source if charge else str(raw.get("reference", "")),
        "order_id": order_id,
        "description": str(raw.get("description", KINDS[kind].text.format(order=order_id))),
        "word": str(raw.get("word", "")),
        "presented": gross,
        "presented_currency": currency,
    }
    if charge is not None and charge.rate is not None and abs(gross) == charge.gross:
        sign = 1 if gross > 0 else -1
        more["presented"], more["presented_currency"] = sign * charge.presented, charge.presented_currency
        more["rate"] = charge.rate
    if "created" in raw:
        more["created"] = int(raw["created"])
    made = [provider.add(kind, gross, currency, **more)]
    if raw.get("paired"):
        # Stripe shows a reserve on both balances that it touches (facts/finance.md 1.2).
        made.append(provider.add(kind, -gross, currency, **{**more, "balance": "risk_reserved", "fees": ()}))
    return made


def _disputed(provider: Provider, kind: str, charge: Movement | None) -> str:
    """A dispute that is won keeps its id."""
    if kind != "dispute_reversal" or charge is None:
        return ""
    return next((one.source for one in provider.disputed() if one.reference == charge.source), "")


def _charge(provider: Provider, raw: Mapping[str, Any]) -> Movement | None:
    """The charge that `charge` (the provider's id) or `order_id` names."""
    if "charge" in raw:
        found = provider.by_source.get(str(raw["charge"]))
        if found is None:
            raise ValueError(f"{provider.contract.name} knows no charge {raw['charge']}.")
        return found
    if "order_id" not in raw:
        return None
    wanted = str(raw["order_id"])
    return next((one for one in provider.by_source.values() if one.order_id == wanted), None)


def _gross(
    provider: Provider, raw: Mapping[str, Any], kind: str, charge: Movement | None, currency: str
) -> int:
    asked = raw.get("amount")
    if asked is None:
        if charge is None:
            raise KeyError("amount")
        gross = charge.gross
    elif asked == "all":
        gross = sum(one.net for one in provider.pending(currency))
    else:
        gross = provider.units(Decimal(str(asked)), currency)
    sign = KINDS[kind].sign
    return sign * abs(gross) if sign else gross

"""Whether what NetSuite shows of an order's money is what was taken and booked, to the cent.

Put the comparison of records that were read back here. Do not put reading here. A user-event script may change a
record after it was saved, and people may: so a confirmed write is not yet an equal amount.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bcns_pipeline.rules.money import Money, total


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of an order: as written, and as NetSuite shows it (None: it does not).

    `left` is what is not applied of a receipt, or not paid of an invoice. A receipt has an `account`.
    """

    key: str
    kind: str
    written: Money | None
    shown: Money | None
    left: Money | None
    account: int | None = None
    shown_account: int | None = None


def record_faults(entry: Entry) -> list[str]:
    """What is wrong with one record by itself, a sentence each."""
    if entry.shown is None:
        return [f"NetSuite does not show {entry.kind} {entry.key} any more."]
    faults = []
    if entry.written is not None and entry.shown != entry.written:
        faults.append(f"{entry.kind} {entry.key} was written with {entry.written}, and shows {entry.shown}.")
    if None not in (entry.account, entry.shown_account) and entry.account != entry.shown_account:
        faults.append(
            f"{entry.kind} {entry.key} was written to account {entry.account}, and is in "
            f"{entry.shown_account}."
        )
    return faults


def order_faults(entries: Sequence[Entry], currency: str, refunded: Money) -> list[str]:
    """Whether open deposits and what was applied of them come to what was booked, a sentence each.

    `entries` may hold invoices that are not ours. A deposit may also be applied by NetSuite itself, which the
    invoices show, or go back to the shopper: at most what BigCommerce refunded.
    """
    zero = Money.zero(currency)
    deposits = [one for one in entries if one.kind == "deposit" and one.shown is not None]
    booked = _sum(one.shown for one in deposits) or zero
    open_ = _sum(one.left for one in deposits) or zero
    applied = _sum(one.shown for one in entries if one.kind == "application") or zero
    others = _sum(_used(one) for one in entries if one.kind in ("payment", "credit")) or zero
    paid = _sum(_used(one) for one in entries if one.kind == "invoice") or zero
    gone = booked - open_ - applied
    by_netsuite = max(paid - applied - others, zero)
    if zero <= gone <= refunded + by_netsuite:
        return []
    return [f"Deposits of {booked} are open with {open_}, and {applied} of them are applied."]


def _used(one: Entry) -> Money | None:
    return None if one.shown is None or one.left is None else one.shown - one.left


def _sum(amounts: Iterable[Money | None]) -> Money | None:
    found = [one for one in amounts if one is not None]
    return total(found, found[0].currency) if found else None

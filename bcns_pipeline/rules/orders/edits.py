"""From one version of an order to the next: the smallest patch of what BigCommerce owns, or why there is none.

Put the three-way comparison of the draft before, the draft after and what NetSuite shows here. Do not put the
making of drafts here. What a warehouse or an accountant owns (locations, ship dates of theirs, approval,
closed lines, what was fulfilled or billed) is never in a patch, and a billed order is never opened again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Final

from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.orders.compare import differences
from bcns_pipeline.rules.orders.draft import Draft, DraftLine, Expected, ExpectedLine, tax_details
from bcns_pipeline.rules.orders.facts import Shown, ShownLine
from bcns_pipeline.rules.orders.matching import is_void, pair, same_figures
from bcns_pipeline.rules.orders.model import ZERO, Order
from bcns_pipeline.rules.orders.policy import SALES_ORDER, OrderPolicy, Record
from bcns_pipeline.rules.orders.problems import Problem

CANCELLED: Final = "C"
BILLED: Final = "G"
CLOSED: Final = "H"
TOTAL_LEFT: Final = "ORDER_TOTAL_LEFT"
_NAMES: Final = {CANCELLED: "cancelled", BILLED: "billed", CLOSED: "closed"}

# Set once, when the record is made: NetSuite refuses another one, or it is somebody's decision there.
_NEVER: Final = frozenset(
    {"entity", "subsidiary", "currency", "exchangeRate", "tranDate", "orderStatus", "location", "toBeEmailed"}
)
_MONEY: Final = frozenset({"shippingCost", "handlingCost"})
_LINE_NEVER: Final = frozenset({"location"})


@dataclass(frozen=True, slots=True)
class Patch:
    """A PATCH of one record. `expected` is what NetSuite must show afterwards, `impact` by how much its total
    moves. `reasons` say what changed, without personal data; `closes`: the order is given up."""

    body: Mapping[str, Any] = field(repr=False)
    expected: Expected
    impact: Money
    reasons: tuple[str, ...]
    closes: bool = False


def plan_edit(before: Draft, after: Draft, shown: Shown, policy: OrderPolicy) -> Patch | Problem | None:
    """What a later version of a posted order changes.

    `before` is the draft of the version that was applied last, `after` that of the newest, both made by the
    policy of today. None where nothing of ours changed, or it is there already, or `orders.updates` is not
    full; with status_only a total that changed is a Problem until NetSuite shows it too.
    """
    if policy.updates == "status_only":
        return _total_left(before.expected, after.expected, shown)
    if policy.updates != "full":
        return None
    lines = _Lines(before, after, shown)
    lines.compare()
    header, reasons = _header(before, after)
    retaxed = after.overrides_tax and not lines.there and _taxes(before) != _taxes(after)
    moved = bool(lines.patches or lines.conflicts or _MONEY & header.keys() or retaxed)
    if shown.status in _NAMES or not after.is_order:
        if moved:
            state = _NAMES.get(shown.status, "posted")
            return _conflict(f"The record is {state} in NetSuite, and the order's lines or costs changed.")
        if shown.status in (CANCELLED, CLOSED):
            return None
    if lines.conflicts:
        return _conflict(" ".join(lines.conflicts))
    body = dict(header)
    if lines.patches:
        body["item"] = {"items": lines.patches}
    if after.overrides_tax and moved:
        body |= _tax_again(after, lines)
    if not body:
        return None
    impact = Money.of(after.expected.total - before.expected.total, after.expected.currency)
    return Patch(body, after.expected, impact, (*reasons, *lines.reasons))


def plan_cancellation(
    written: Expected, record: Record, shown: Shown, policy: OrderPolicy
) -> Patch | Problem | None:
    """What the cancellation of a posted order does in NetSuite: every open line is closed.

    `written` is what the record must show, before and after, since closing moves no figure. No draft is asked
    for: an order that could not be built any more, as its item was discontinued, must not ship all the same.
    None where it is closed or cancelled there already. A Problem where something has left or is on an
    invoice, where the record posts by itself, or where `orders.updates` is off: somebody has to act.
    """
    if shown.status in (CANCELLED, CLOSED):
        return None
    if policy.updates == "off":
        return _conflict("The order was cancelled in BigCommerce, and orders.updates is off.")
    if record != SALES_ORDER:
        return _conflict("The order was cancelled in BigCommerce, and its cash sale has posted.")
    if shown.status == BILLED or any(line.untouchable for line in shown.lines):
        return _conflict("The order was cancelled in BigCommerce, and some of it is fulfilled or billed.")
    open_lines = [line for line in shown.lines if not line.closed and not is_void(line)]
    if not open_lines:
        return None
    items = [{"line": line.line, "isClosed": True} for line in open_lines]
    nothing = Money.zero(written.currency)
    return Patch({"item": {"items": items}}, written, nothing, ("cancelled in BigCommerce",), closes=True)


def as_shown(shown: Shown, charged_tax: Decimal) -> Expected:
    """A record as it is for what it must show: where nothing tells any more how it was written."""
    return Expected(
        total=shown.total,
        tax=shown.tax,
        currency=shown.currency,
        charged_tax=charged_tax,
        shipping=shown.shipping,
        handling=shown.handling,
        lines=tuple(
            ExpectedLine(line.key or f"line-{line.line}", line.item, int(line.quantity) or None, line.amount)
            for line in shown.lines
        ),
    )


def same_sale(one: Order, other: Order) -> bool:
    """Whether two versions sell the same to the same at the same price: all but status, payment, what was
    shipped or refunded since, and other systems' numbers. What fields of the mapping file show is not looked at."""
    return _sale(one) == _sale(other)


def _sale(order: Order) -> Order:
    lines = tuple(replace(line, quantity_shipped=0, quantity_refunded=0) for line in order.lines)
    return replace(
        order,
        lines=lines,
        status_id=0,
        modified_at=order.placed_at,
        payment_status="",
        external_order_id="",
        archived=False,
    )


def _total_left(before: Expected, after: Expected, shown: Shown) -> Problem | None:
    """The shopper pays another total than NetSuite's order has, and we are not to touch that.

    Its amount is by how much NetSuite's is higher: whoever dismisses it decides about that much and no other.
    """
    if after.total == before.total or abs(after.total - shown.total) <= after.tolerance:
        return None
    return Problem(
        TOTAL_LEFT,
        f"Its total went from {before.total} to {after.total} {after.currency} in BigCommerce, orders.updates is "
        f"status_only, and NetSuite shows {shown.total}.",
        amount=Money.of(shown.total - after.total, after.currency),
    )


def _conflict(sentence: str) -> Problem:
    return Problem("ORDER_EDIT_CONFLICT", sentence)


def _header(before: Draft, after: Draft) -> tuple[dict[str, Any], list[str]]:
    """Fields whose value changed; one that is gone is emptied."""
    names = [name for name in (*before.header, *after.header) if name not in _NEVER]
    changed = {
        name: after.header.get(name)
        for name in dict.fromkeys(names)
        if before.header.get(name) != after.header.get(name)
    }
    return changed, [f"{name} changed" for name in changed]


class _Lines:
    """The patches of the item lines, and what forbids them."""

    def __init__(self, before: Draft, after: Draft, shown: Shown) -> None:
        self.before = {line.key: line for line in before.lines}
        self.after = {line.key: line for line in after.lines}
        self.price_level = after.price_level
        self.overrides_tax = after.overrides_tax
        self.patches: list[dict[str, Any]] = []
        self.reasons: list[str] = []
        self.conflicts: list[str] = []
        self.there = not differences(after.expected, shown)
        if self.there:
            # The edit is there already, whatever is remembered: only further fields of lines may be missing.
            self.found: dict[str, ShownLine] = dict(pair(after.lines, shown.lines).by_key)
            return
        old = pair(before.lines, shown.lines)
        # What is nobody's of the old version may be a line of the new one: then this edit is there already.
        new = pair([line for line in after.lines if line.key not in self.before], old.rest)
        self.found = dict(old.by_key)
        for key, shown_line in new.by_key.items():
            if is_void(shown_line) and not shown_line.key:
                continue  # nobody can say whose it was, so a new line it is
            if is_void(shown_line) or same_figures(self.after[key], shown_line):
                self.found[key] = shown_line
            elif shown_line.key:
                self.conflicts.append(f"Line {key} is new, and NetSuite has another one of that name.")

    def compare(self) -> None:
        """Work out all patches, in the order of the lines: changed and taken away first, then new ones."""
        for key, old in self.before.items():
            new = self.after.get(key)
            if new is None:
                self._gone(old)
            elif _differ(old, new):
                self._changed(old, new)
        for key, new in self.after.items():
            if key not in self.before:
                self._added(new)

    def _changed(self, old: DraftLine, new: DraftLine) -> None:
        shown = self.found.get(old.key)
        if shown is None:
            self.conflicts.append(f"Line {old.key} changed, and NetSuite does not have it any more.")
            return
        patch: dict[str, Any] = dict(_changed_fields(old, new))
        if _figures_of(old) != _figures_of(new) and not same_figures(new, shown):
            # Not as it was and not as it shall be: somebody else was at it, and knows why.
            if not same_figures(old, shown):
                self.conflicts.append(f"Line {old.key} changed on both sides.")
                return
            if self._settled(shown, new):
                return
            patch |= _figures(old, new)
        if patch:
            self.patches.append({"line": shown.line, **patch})
            self.reasons.append(f"line {old.key}: {_told(old, new)}")

    def _settled(self, shown: ShownLine, new: DraftLine) -> bool:
        """Whether too much of the line has left or is billed; then that is a conflict."""
        too_few = (new.quantity or 0) < shown.untouchable
        other_price = shown.billed > 0 or (shown.fulfilled > 0 and new.item != shown.item)
        if shown.closed:
            self.conflicts.append(f"Line {new.key} changed, and it is closed in NetSuite.")
        elif too_few or other_price:
            done = f"{shown.fulfilled:f} fulfilled and {shown.billed:f} billed"
            self.conflicts.append(f"Line {new.key} is to be {_units(new)}, with {done}.")
        else:
            return False
        return True

    def _gone(self, old: DraftLine) -> None:
        shown = self.found.get(old.key)
        if shown is None or is_void(shown):
            return
        if shown.untouchable:
            done = f"{shown.fulfilled:f} fulfilled and {shown.billed:f} billed"
            self.conflicts.append(f"Line {old.key} was taken off, with {done}.")
            return
        if not same_figures(old, shown) and not shown.closed:
            self.conflicts.append(f"Line {old.key} was taken off, and NetSuite's was changed.")
            return
        # A line that was removed would break what already points to it; one of nothing, closed, does not.
        patch: dict[str, Any] = {"line": shown.line, "rate": ZERO, "amount": ZERO}
        if old.quantity is not None:
            patch |= {"quantity": 0, "isClosed": True}
        self.patches.append(patch)
        self.reasons.append(f"line {old.key} taken off")

    def _added(self, new: DraftLine) -> None:
        shown = self.found.get(new.key)
        if shown is not None and same_figures(new, shown):
            return
        patch = new.body(self.price_level, referenced=self.overrides_tax)
        if shown is not None:
            # Taken off by an earlier edit and back now: its line is still there, with nothing on it.
            patch |= {"line": shown.line} | ({} if new.quantity is None else {"isClosed": False})
        self.patches.append(patch)
        self.reasons.append(f"line {new.key} added: {_units(new)}")


def _differ(old: DraftLine, new: DraftLine) -> bool:
    return _figures_of(old) != _figures_of(new) or bool(_changed_fields(old, new))


def _figures_of(line: DraftLine) -> tuple[Any, ...]:
    return line.item, line.quantity, line.amount


def _changed_fields(old: DraftLine, new: DraftLine) -> dict[str, Any]:
    names = [name for name in (*old.fields, *new.fields) if name not in _LINE_NEVER]
    return {name: new.fields.get(name) for name in names if old.fields.get(name) != new.fields.get(name)}


def _figures(old: DraftLine, new: DraftLine) -> dict[str, Any]:
    found: dict[str, Any] = {} if old.item == new.item else {"item": {"id": str(new.item)}}
    if new.quantity is not None and old.quantity != new.quantity:
        found["quantity"] = new.quantity
    return {**found, "rate": new.rate, "amount": new.amount}


def _told(old: DraftLine, new: DraftLine) -> str:
    if _figures_of(old) == _figures_of(new):
        return "its fields"
    return f"{_units(old)} -> {_units(new)}"


def _units(line: DraftLine) -> str:
    return f"{line.amount}" if line.quantity is None else f"{line.quantity} for {line.amount}"


def _taxes(draft: Draft) -> list[tuple[str, Any]]:
    return [(line.key, line.taxes) for line in draft.lines]


def _tax_again(after: Draft, lines: _Lines) -> dict[str, Any]:
    """All tax rows anew, and the name of every line among them: a PATCH of lines alone could lose some."""
    patches = {one["line"]: one for one in lines.patches if "line" in one}
    added = [one for one in lines.patches if "line" not in one]
    for line in _kept(after.lines, lines.found):
        patch = patches.setdefault(line[1].line, {"line": line[1].line})
        patch["taxDetailsReference"] = line[0].reference
    items = [patches[number] for number in sorted(patches)] + added
    overridden = tax_details(after.lines, overridden=True)
    overridden["taxDetails"]["items"] += _emptied(lines)
    return {"item": {"items": items}, **overridden}


def _emptied(lines: _Lines) -> Iterator[dict[str, Any]]:
    """Rows of nothing for lines that were taken off: theirs would stay, since each row is kept by its line."""
    for key, old in lines.before.items():
        if key not in lines.after and key in lines.found and old.taxes:
            row = replace(old.taxes[0], basis=ZERO, rate=ZERO, amount=ZERO)
            yield row.body(old.reference)


def _kept(
    lines: Sequence[DraftLine], found: Mapping[str, ShownLine]
) -> Iterator[tuple[DraftLine, ShownLine]]:
    for line in lines:
        if line.key in found:
            yield line, found[line.key]

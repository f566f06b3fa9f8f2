"""Two mapping files against the same orders: which would become something else in NetSuite, and by how much money.

Put here the replay of kept documents under both files. Nothing is asked of either system and nothing is written:
what NetSuite is like comes from what runs remembered and items from links. What is not linked, and every customer,
has the same stand-in under both files, for no mapping file decides about it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bcns_pipeline import config
from bcns_pipeline.cli.connect import remembered as opened
from bcns_pipeline.cli.console import say, show_table
from bcns_pipeline.config import load_mapping
from bcns_pipeline.defs import account
from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.rules.identity import sku_key
from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.orders.draft import Draft
from bcns_pipeline.rules.orders.facts import Account, CustomerRef, Facts, ItemRef, Items
from bcns_pipeline.rules.orders.gate import Post, judge
from bcns_pipeline.rules.orders.model import Details, Order
from bcns_pipeline.rules.orders.paths import METAFIELDS
from bcns_pipeline.rules.orders.policy import OrderPolicy
from bcns_pipeline.rules.orders.reading import Unreadable, read_order
from bcns_pipeline.rules.orders.sales_order import build
from bcns_pipeline.settings import load_settings
from bcns_pipeline.state.links import ITEM
from bcns_pipeline.state.scope import parse
from bcns_pipeline.state.store import State

BATCH = 500
ROWS_SHOWN = 100
FIELDS_SHOWN = 4
COLUMNS = ("order", "what changes", "before", "after")
EVER = timedelta(days=36_500)
SOMEBODY, SOME_ITEM = "customer", 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an order becomes under one file: a draft, or a word for why there is none."""

    word: str
    draft: Draft | None = field(default=None, repr=False)

    @property
    def total(self) -> Money | None:
        """What NetSuite would show; None where nothing would be posted."""
        if self.draft is None:
            return None
        return Money.of(self.draft.expected.total, self.draft.expected.currency)


@dataclass(frozen=True, slots=True)
class Change:
    """An order that is not the same under both files."""

    order_id: int
    before: Outcome
    after: Outcome
    what: str


def diff_config(old: Path, new: Path, days: int, *, comment: bool = False) -> int:
    """Print which orders of the last `days` days would change; 0 where none would, else 1. Raises BadInput.

    As tables for a terminal, or as Markdown for a `comment`.
    """
    if days < 1:
        raise BadInput([f"--days {days} is not possible; write at least 1."])
    faults: list[str] = []
    files = [one for path in (old, new) if (one := _load(path, faults)) is not None]
    if faults:
        raise BadInput(faults)
    since = datetime.now(UTC) - timedelta(days=days)
    with opened(load_settings(), sealed=True) as state:
        facts = account.remembered(state.cursors.get(account.CURSOR), EVER)
        if facts is None:
            raise BadInput(
                ["Nothing is known of the NetSuite account yet: let orders run once (`bcns plan orders`)."]
            )
        sides = [(one.order_policy(), account.as_account(facts, one)) for one in files]
        looked_at, changes = 0, list[Change]()
        for orders in _orders(state, since):
            looked_at += len(orders)
            changes += _compare(state, orders, sides)
    (_show_comment if comment else _show)(changes, looked_at, days)
    return 1 if changes else 0


def _load(path: Path, faults: list[str]) -> config.Mapping | None:
    try:
        mapping = load_mapping(path)
        mapping.require_orders()
    except BadInput as bad:
        faults.extend(_of(path, fault) for fault in bad.faults)
        return None
    return mapping


def _of(path: Path, fault: str) -> str:
    """The fault with its file as it was given: two files may have one name, and some faults name none."""
    if fault.startswith(str(path)):
        return fault
    own = fault.removeprefix(path.name)
    return f"{path}{own}" if own != fault else f"{path}: {fault}"


def _orders(state: State, since: datetime) -> Iterator[list[Order]]:
    """The newest version of each order placed since then, as read; erased and unreadable ones are left out."""
    ids = state.orders.ids(placed_since=since)
    for at in range(0, len(ids), BATCH):
        states = state.orders.many(ids[at : at + BATCH])
        bodies = state.documents.load_many([one.document_id for one in states.values() if one.document_id])
        orders = []
        for body in bodies.values():
            if body is None:
                continue
            try:
                orders.append(read_order(parse(body)))
            except Unreadable:
                continue
        yield sorted(orders, key=lambda one: one.id)


def _compare(
    state: State, orders: Sequence[Order], sides: Sequence[tuple[OrderPolicy, Account]]
) -> Iterator[Change]:
    items = _items(state, orders)
    for order in orders:
        before, after = (_outcome(state.store, order, items, *side) for side in sides)
        what = "; ".join(_differences(before, after))
        if what:
            yield Change(order.id, before, after, what)


def _items(state: State, orders: Iterable[Order]) -> Items:
    lines = [line for order in orders for line in order.lines]
    links = state.links.find_many(ITEM, sorted({str(line.variant_id) for line in lines if line.variant_id}))
    return Items(
        {int(variant): ItemRef(int(link.netsuite_id), link.label or "") for variant, link in links.items()},
        {sku_key(line.sku): (ItemRef(SOME_ITEM, line.sku),) for line in lines if line.sku.strip()},
    )


def _outcome(store: str, order: Order, items: Items, policy: OrderPolicy, known: Account) -> Outcome:
    verdict = judge(order, policy)
    if not isinstance(verdict, Post):
        return Outcome(f"{type(verdict).__name__.lower()} {verdict.code}")
    if policy.metafields and METAFIELDS not in order.document:
        return Outcome("not known: it needs metafields, which were not read with it")
    facts = Facts(store, known, CustomerRef(external_id=SOMEBODY), items)
    try:
        built = build(order, Details(), facts, policy, check_capture=False)
    except ValueError:
        return Outcome("not known: it needs taxes or coupons by name, which are not kept")
    if isinstance(built, Draft):
        return Outcome("posted", built)
    return Outcome(f"waits {', '.join(sorted({one.code for one in built}))}")


def _differences(before: Outcome, after: Outcome) -> Iterator[str]:
    if before.draft is None or after.draft is None:
        if before.word != after.word:
            yield f"{before.word} -> {after.word}"
        return
    old, new = before.draft, after.draft
    if old.record != new.record:
        yield f"record {old.record} -> {new.record}"
    for name in ("total", "tax", "residual", "shipping"):
        amounts = [getattr(one.expected, name) for one in (old, new)]
        if amounts[0] != amounts[1]:
            yield f"{name} {amounts[0]} -> {amounts[1]}"
    yield from _fields(old.header, new.header)
    was, now = ([one.body(-1, referenced=False) for one in draft.lines] for draft in (old, new))
    if len(was) != len(now):
        yield f"{len(was)} lines -> {len(now)}"
    elif was != now:
        named = sorted({name for a, b in zip(was, now, strict=True) for name in a.keys() | b.keys()
                        if a.get(name) != b.get(name)})  # fmt: skip
        yield f"lines differ in {', '.join(named)}"
    taxes = [[one.taxes for one in draft.lines] for draft in (old, new)]
    if taxes[0] != taxes[1] and old.expected.tax == new.expected.tax:
        yield "tax codes"


def _fields(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """Which header fields differ, by name alone: their values may be the shopper's."""
    names = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    if names:
        more = len(names) - FIELDS_SHOWN
        yield f"header {', '.join(names[:FIELDS_SHOWN])}" + (f" and {more} more" if more > 0 else "")


def _show(changes: Sequence[Change], looked_at: int, days: int) -> None:
    if not changes:
        say(f"{looked_at:,} orders of the last {days} days are the same under both files.")
        return
    rows = _rows(changes)
    show_table(COLUMNS, rows[:ROWS_SHOWN])
    if len(rows) > ROWS_SHOWN:
        say(f"… and {len(rows) - ROWS_SHOWN:,} more.")
    say(f"{len(changes):,} of {looked_at:,} orders of the last {days} days change. Nothing was sent.")
    for word, count in _kinds(changes):
        say(f"  {count:,} {word}")
    for was, now in _moved(changes):
        say(f"  {was.currency}: {was.amount} -> {now.amount} in NetSuite ({(now - was).amount:+})")


def _show_comment(changes: Sequence[Change], looked_at: int, days: int) -> None:
    """What a reviewer reads first is the money; the orders are folded away below it."""
    say(f"**The mapping file changes {len(changes):,} of {looked_at:,} orders of the last {days} days.**")
    if not changes:
        return
    say("")
    for word, count in _kinds(changes):
        say(f"- {count:,} {word}")
    sums = [
        (was.currency, str(was.amount), str(now.amount), f"{(now - was).amount:+}")
        for was, now in _moved(changes)
    ]
    _say_table(("currency", "in NetSuite before", "after", "difference"), sums)
    say("\n<details><summary>Order by order</summary>")
    _say_table(COLUMNS, _rows(changes)[:ROWS_SHOWN])
    if len(changes) > ROWS_SHOWN:
        say(f"\n… and {len(changes) - ROWS_SHOWN:,} more.")
    say("\n</details>")


def _say_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    say("")
    for row in (columns, ["---"] * len(columns), *rows):
        say(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |")


def _rows(changes: Sequence[Change]) -> list[tuple[str, ...]]:
    return [(str(one.order_id), one.what, _amount(one.before), _amount(one.after)) for one in changes]


def _kinds(changes: Sequence[Change]) -> list[tuple[str, int]]:
    return sorted(Counter(_kind(one) for one in changes).items())


def _moved(changes: Sequence[Change]) -> list[tuple[Money, Money]]:
    """By currency, what NetSuite would show of these orders under the old file and under the new one."""
    before, after = (_sums(getattr(one, side) for one in changes) for side in ("before", "after"))
    none = Money.zero
    return [
        (before.get(currency, none(currency)), after.get(currency, none(currency)))
        for currency in sorted(before.keys() | after.keys())
    ]


def _kind(one: Change) -> str:
    if one.before.draft is None or one.after.draft is None:
        return "become another outcome"
    return "move money" if one.before.total != one.after.total else "change without moving the total"


def _sums(outcomes: Iterable[Outcome]) -> dict[str, Money]:
    sums: dict[str, Money] = {}
    for one in outcomes:
        if one.total is not None:
            currency = one.total.currency
            sums[currency] = sums.get(currency, Money.zero(currency)) + one.total
    return sums


def _amount(one: Outcome) -> str:
    return one.word if one.total is None else str(one.total)

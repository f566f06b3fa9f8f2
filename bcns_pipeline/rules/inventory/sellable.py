"""What can be sold: from NetSuite's stock terms to one whole number per item and BigCommerce location.

Put the arithmetic of a sellable number here: sum over locations, formula, kits, buffer, floor, clamp. Do
not decide here what is sent (`diff.py`). Everything is exact in scaled int64, whole columns at a time:
200,000 rows take a tenth of a second.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from bcns_pipeline.rules.inventory.kits import Bill, bill_of
from bcns_pipeline.rules.inventory.netting import Sold
from bcns_pipeline.rules.inventory.policy import Policy
from bcns_pipeline.rules.inventory.quantities import (
    MAX_STOCK,
    QUANTITY_SCALE,
    TERMS,
    UNPOSTED,
    Scaled,
    show_quantity,
)
from bcns_pipeline.rules.inventory.shares import Divided, divide

_NEWEST: Final = np.iinfo(np.int64).max
SELLABLE_COLUMNS: Final = (
    *("item_id", "location_id", *TERMS, UNPOSTED),
    *("sellable", "clamped", "rule", "changed_at", "read_seq"),
)


@dataclass(frozen=True, slots=True)
class _Grid:
    """One row per item read, one column per BigCommerce location (ascending), and an empty row past the end.

    `value` is the formula less `unposted`, scaled, before buffer, floor and clamp. `stamp` ranks `changed_at`,
    0 = none.
    """

    items: Scaled
    terms: dict[str, Scaled]
    unposted: Scaled
    value: Scaled
    stamp: Scaled
    read_seq: Scaled


def sellable(
    levels: pd.DataFrame,
    members: pd.DataFrame,
    policy: Policy,
    *,
    complete: bool = False,
    inactive: Iterable[int] = (),
    unread: Iterable[int] = (),
    members_seq: int | None = None,
    sold: Sold | None = None,
) -> pd.DataFrame:
    """Sellable numbers of everything in `levels`, and of the kits and groups in `members`.

    Args: `levels` and `members` as `frames` makes them; a row read twice counts once, as read last.
    `complete`: every active item was read, so a kit's member that is missing is gone. `inactive`: items
    known to be gone. `unread`: items that are there, but could not be read whole; they get no number.
    `members_seq`: drawn before `members` was read. `sold`: units on order that NetSuite does not know of.

    Result, ordered by item_id and location_id, a row for each mapped BigCommerce location of every item:
    int64 item_id, location_id; the six terms summed over its NetSuite locations and `unposted`, which was
    subtracted from the formula (scaled; of a kit those of its tightest member); int64 sellable, rounded down
    and held between 0 and 2,147,483,647; bool clamped (it had to be held); object rule, changed_at (the latest;
    None = unknown); int64 read_seq (of the oldest read behind the number). Kits that can't be computed are
    left out; `unresolved_kits` says why. The formula sees the sums over the NetSuite locations of one
    BigCommerce location, and the buffer is subtracted once from each result. A storefront's share comes after
    all of this, with the terms of the location that it is a part of.
    """
    unread = tuple(unread)
    levels = _without(levels, unread)
    stamps, stamp_texts = _ranked(levels["changed_at"])
    rows = _rows(levels, policy, stamps)
    grid = _grid(rows, policy, sold)
    bill = bill_of(members, grid.items, complete=complete, inactive=inactive, unread=unread)
    whole = grid.value[:-1] // QUANTITY_SCALE
    ids = grid.items
    terms = {term: column[:-1] for term, column in (*grid.terms.items(), (UNPOSTED, grid.unposted))}
    stamp, read_seq = grid.stamp[:-1], grid.read_seq[:-1]
    rule = _rules(terms[UNPOSTED], policy)
    if len(bill.kit_id):
        made, tightest = _kits(grid, bill, rows, policy, sold)
        ids = np.concatenate([ids, bill.kit_id])
        whole = np.concatenate([whole, made])
        kit_seq = np.minimum.reduceat(grid.read_seq[bill.row_of], bill.starts, axis=0)
        oldest = int(rows.read_seq.min(initial=_NEWEST)) if members_seq is None else members_seq
        kit_seq = np.where(kit_seq == _NEWEST, 0 if oldest == _NEWEST else oldest, kit_seq)
        if members_seq is not None:
            kit_seq = np.minimum(kit_seq, members_seq)
        read_seq = np.concatenate([read_seq, kit_seq])
        stamp = np.concatenate([stamp, np.maximum.reduceat(grid.stamp[bill.row_of], bill.starts, axis=0)])
        columns = np.arange(whole.shape[1])
        for term, column in (*grid.terms.items(), (UNPOSTED, grid.unposted)):
            terms[term] = np.concatenate([terms[term], column[bill.row_of[tightest], columns]])
        formulas = np.concatenate([rule, np.full((1, rule.shape[1]), policy.rule, dtype=object)])
        rule = np.concatenate([rule, _kit_rules(bill, tightest, formulas, policy)])
        order = np.argsort(ids, kind="stable")
        ids, whole, stamp, read_seq = (part[order] for part in (ids, whole, stamp, read_seq))
        rule = rule[order]
        terms = {term: column[order] for term, column in terms.items()}
    number = whole - policy.buffer
    held = np.clip(number, 0, MAX_STOCK)
    clamped = held != number
    if policy.shares:
        divided = divide(held, policy.pools, policy.shares)
        held, of = divided.number, divided.of
        terms = {term: column[:, of] for term, column in terms.items()}
        stamp, read_seq, rule = stamp[:, of], read_seq[:, of], _share_rules(rule, divided)
        # Counted once, where the stock is.
        clamped = clamped[:, of] & np.array([one is None for one in divided.shares])
    targets = np.array(policy.bigcommerce_locations, dtype=np.int64)
    result: dict[str, Any] = {
        "item_id": np.repeat(ids, len(targets)),
        "location_id": np.tile(targets, len(ids)),
        **{term: column.ravel() for term, column in terms.items()},
        "sellable": held.ravel(),
        "clamped": clamped.ravel(),
        "rule": pd.Series(rule.ravel(), dtype=object),
        "changed_at": pd.Series(stamp_texts[stamp.ravel()], dtype=object),
        "read_seq": read_seq.ravel(),
    }
    return pd.DataFrame(result, columns=list(SELLABLE_COLUMNS), copy=False)


def _without(levels: pd.DataFrame, items: tuple[int, ...]) -> pd.DataFrame:
    """A part of an item is not the item: its readable rows must not be summed without the others."""
    return levels[~levels["item_id"].isin(items)] if items else levels


def unresolved_kits(
    levels: pd.DataFrame,
    members: pd.DataFrame,
    *,
    complete: bool = False,
    inactive: Iterable[int] = (),
    unread: Iterable[int] = (),
) -> pd.DataFrame:
    """The kits that `sellable` leaves out, given the same arguments: int64 item_id, and why (object)."""
    unread = tuple(unread)
    items = np.unique(_without(levels, unread)["item_id"].to_numpy(np.int64))
    bill = bill_of(members, items, complete=complete, inactive=inactive, unread=unread)
    frame = pd.DataFrame(list(bill.unresolved), columns=["item_id", "why"])
    return frame.astype({"item_id": "int64", "why": "object"})


@dataclass(frozen=True, slots=True)
class _Rows:
    """Stock rows of mapped locations, each once: row of the item grid, index of the route, and their columns.

    `items` are all items read, ascending, with `item_seq`, the oldest read of each; the rest is per row.
    """

    items: Scaled
    item_seq: Scaled
    item: Scaled
    route: Scaled
    terms: dict[str, Scaled]
    stamp: Scaled
    read_seq: Scaled


def _rows(levels: pd.DataFrame, policy: Policy, stamps: Scaled) -> _Rows:
    ids = levels["item_id"].to_numpy(np.int64)
    place = levels["netsuite_location"].to_numpy(np.int64)
    seq = levels["read_seq"].to_numpy(np.int64)
    items = ids if (ids[1:] > ids[:-1]).all() else np.unique(ids)
    item = np.searchsorted(items, ids)
    item_seq = np.full(len(items), _NEWEST, dtype=np.int64)
    np.minimum.at(item_seq, item, seq)
    sources = np.array(policy.netsuite_locations, dtype=np.int64)
    route = np.minimum(np.searchsorted(sources, place), len(sources) - 1)
    used = np.flatnonzero(sources[route] == place)
    key = item[used] * len(sources) + route[used]
    if not (key[1:] > key[:-1]).all():
        order = np.lexsort((seq[used], key))
        key, used = key[order], used[order]
        # Overlapping reads bring a row twice; summing both would sell it twice. The newest stands.
        newest = np.ones(len(key), dtype=np.bool_)
        newest[:-1] = key[1:] != key[:-1]
        used = used[newest]
    terms: dict[str, Scaled] = {term: levels[term].to_numpy(np.int64)[used] for term in TERMS}
    return _Rows(items, item_seq, item[used], route[used], terms, stamps[used], seq[used])


def _grid(rows: _Rows, policy: Policy, sold: Sold | None) -> _Grid:
    targets = np.array(policy.pools, dtype=np.int64)
    column_of = np.searchsorted(targets, np.array([target for _, target in policy.routes], dtype=np.int64))
    shape = (len(rows.items) + 1, len(targets))
    cell = rows.item * len(targets) + column_of[rows.route]
    _refuse_overflow(rows, cell, policy)
    terms = {}
    for term, values in rows.terms.items():
        total = np.zeros(shape[0] * shape[1], dtype=np.int64)
        np.add.at(total, cell, values)
        terms[term] = total.reshape(shape)
    stamp = np.zeros(shape[0] * shape[1], dtype=np.int64)
    np.maximum.at(stamp, cell, rows.stamp)
    read_seq = np.full(shape[0] * shape[1], _NEWEST, dtype=np.int64)
    np.minimum.at(read_seq, cell, rows.read_seq)
    seq = read_seq.reshape(shape)
    # A location without a row was read as empty; the item's oldest page says when.
    seq[:-1] = np.where(seq[:-1] == _NEWEST, rows.item_seq[:, None], seq[:-1])
    value = np.broadcast_to(policy.expression.evaluate(terms), shape)
    unposted = np.zeros(shape, dtype=np.int64)
    if sold is not None:
        # Only the location that orders take stock from; where it is not mapped nothing of it is written to.
        unposted[:-1, targets == sold.location] = sold.of(rows.items)[:, None]
        value = value - unposted
    # A member that is gone is nothing, whatever numbers stand in the formula.
    value = np.concatenate([value[:-1], np.zeros((1, shape[1]), dtype=np.int64)])
    return _Grid(rows.items, terms, unposted, value, stamp.reshape(shape), seq)


def _refuse_overflow(rows: _Rows, cell: Scaled, policy: Policy) -> None:
    """ValueError where sums could leave int64: more than 90,000,000,000 units of one item at one location."""
    if not len(cell):
        return
    largest = max(max(int(v.max()), -int(v.min())) for v in rows.terms.values())
    # The quick bound holds in every real account; only then is each cell looked at.
    deepest = len(policy.routes)
    if largest * deepest * policy.expression.occurrences < _NEWEST // 2:
        return
    for term, values in rows.terms.items():
        sums = np.bincount(cell, weights=np.abs(values.astype(np.float64)))
        worst = int(sums.argmax())
        if sums[worst] * policy.expression.occurrences > _NEWEST / 4:
            item = int(rows.items[worst // len(policy.pools)])
            raise ValueError(f"item {item} has an impossible quantity ({term}); correct it in NetSuite")


def _kits(grid: _Grid, bill: Bill, rows: _Rows, policy: Policy, sold: Sold | None) -> tuple[Scaled, Scaled]:
    """Whole kits per location, and for each the row of `bill` with the fewest of them."""
    kit_of = np.repeat(np.arange(len(bill.kit_id)), np.diff(np.append(bill.starts, len(bill.need))))
    each = grid.value[bill.row_of] // bill.need[:, None]
    made = np.minimum.reduceat(each, bill.starts, axis=0)
    tightest = np.empty_like(made)
    for column in range(made.shape[1]):
        hits = np.flatnonzero(each[:, column] == made[kit_of, column])
        tightest[:, column] = hits[np.searchsorted(kit_of[hits], np.arange(len(bill.kit_id)))]
    if policy.kits == "per_location":
        made = _kits_per_location(grid, bill, rows, policy, made.shape)
        if sold is not None:
            made -= _kits_lost(grid, bill, kit_of, policy, sold)
    return made, tightest


def _kits_lost(grid: _Grid, bill: Bill, kit_of: Scaled, policy: Policy, sold: Sold) -> Scaled:
    """At most so many kits per location can't be put together any more because of units that are sold.

    Which NetSuite location will ship them is not known. A kit bought as itself is one kit less; other units of a
    member may come from any of its locations, and each of these can lose one more kit than their share is worth.
    """
    own = sold.bought(bill.kit_id)
    of_member = np.zeros(len(bill.need), dtype=np.int64)
    read = bill.row_of < len(grid.items)
    of_member[read] = sold.of(grid.items[bill.row_of[read]])
    kits = own // QUANTITY_SCALE
    others = np.maximum(of_member - kits[kit_of] * bill.need, 0)
    lost = np.zeros((len(bill.kit_id), len(policy.pools)), dtype=np.int64)
    for column, target in enumerate(policy.pools):
        if target == sold.location:
            more = sum(feeds == target for _, feeds in policy.routes) - 1
            by_member = np.where(others > 0, -(-others // bill.need) + more, 0)
            lost[:, column] = kits + np.add.reduceat(by_member, bill.starts)
    return lost


def _kits_per_location(
    grid: _Grid, bill: Bill, rows: _Rows, policy: Policy, shape: tuple[int, ...]
) -> Scaled:
    """Kits that each NetSuite location can put together alone, summed per BigCommerce location."""
    gone = len(grid.items)
    members = np.unique(bill.row_of)
    members = members[members < gone]
    targets = np.array(policy.pools, dtype=np.int64)
    made = np.zeros(shape, dtype=np.int64)
    for route, (_, target) in enumerate(policy.routes):
        here = np.flatnonzero((rows.route == route) & np.isin(rows.item, members))
        terms = {}
        for term, values in rows.terms.items():
            column = np.zeros(len(members) + 1, dtype=np.int64)
            column[np.searchsorted(members, rows.item[here])] = values[here]
            terms[term] = column
        value = np.broadcast_to(policy.expression.evaluate(terms), len(members) + 1).copy()
        value[-1] = 0
        row = np.where(bill.row_of < gone, np.searchsorted(members, bill.row_of), len(members))
        here_made = np.minimum.reduceat(value[row] // bill.need, bill.starts)
        made[:, int(np.searchsorted(targets, target))] += here_made
    return made


def _rules(unposted: Scaled, policy: Policy) -> npt.NDArray[np.object_]:
    """The formula beside each number; few of them have units that are sold and not in NetSuite."""
    rules: npt.NDArray[np.object_] = np.full(unposted.shape, policy.rule, dtype=object)
    for row, column in np.argwhere(unposted).tolist():
        rules[row, column] = policy.rule_with(show_quantity(int(unposted[row, column])))
    return rules


def _share_rules(rules: npt.NDArray[np.object_], divided: Divided) -> npt.NDArray[np.object_]:
    """The rule beside a storefront's share: that of the number, and which part of it."""
    found = rules[:, divided.of]
    for column, share in enumerate(divided.shares):
        if share is not None:
            texts = {text: f"({text}): {share.rule}" for text in set(found[:, column].tolist())}
            found[:, column] = [texts[text] for text in found[:, column].tolist()]
    return found


def _kit_rules(
    bill: Bill, tightest: Scaled, rule_of: npt.NDArray[np.object_], policy: Policy
) -> npt.NDArray[np.object_]:
    """How each kit's number came about, with the member that limits it most."""
    rules = np.empty(tightest.shape, dtype=object)
    ids, needs = bill.member_id[tightest].ravel().tolist(), bill.need[tightest].ravel().tolist()
    formulas = rule_of[bill.row_of[tightest], np.arange(tightest.shape[1])].ravel().tolist()
    rules.ravel()[:] = [
        f"kit({policy.kits}): {formula}; tightest member {member}, {show_quantity(need)} needed"
        for member, need, formula in zip(ids, needs, formulas, strict=True)
    ]
    return rules


def _ranked(values: pd.Series) -> tuple[Scaled, npt.NDArray[np.object_]]:
    """Ranks of texts in their order (0 = None), and the text of each rank."""
    codes, distinct = pd.factorize(values.to_numpy(dtype=object), use_na_sentinel=True)
    order = np.argsort(distinct.astype(str), kind="stable")
    rank_of = np.zeros(len(distinct) + 1, dtype=np.int64)
    rank_of[order] = np.arange(1, len(distinct) + 1)
    texts: npt.NDArray[np.object_] = np.empty(len(distinct) + 1, dtype=object)
    texts[1:] = distinct[order]
    # Code -1 (missing) takes the last entry, which is rank 0.
    return rank_of[codes], texts

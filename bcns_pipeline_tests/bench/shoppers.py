"""Shoppers without an order, with Dagster's real daemons: how long from the shop to NetSuite's customer.

`python -m bcns_pipeline_tests.bench shoppers [COUNT]` (issue 3, K5: within five minutes). COUNT shoppers each sign up,
edit name and e-mail address, and move. Events of addresses are not subscribed to, and a move changes neither date nor
event of its shopper (facts 4.1), so it is found without a hook. What is measured ends when NetSuite's record shows
it, as its own control sees it. Put nothing here that calls a sensor or a run.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from bcns_pipeline_tests.bench.daemon import SCOPES, running
from bcns_pipeline_tests.bench.order_bench import Place, place, spread

COUNT, MOST = 10, 300.0
# An odd number of seconds, so that changes fall everywhere between two ticks.
PAUSE, WAIT = 11.0, 420.0
# Seconds well beyond the polls' overlap, and time for a poll to get past them.
AGE, SETTLE = 1800, 130.0
HOOKS = (*SCOPES, "store/customer/created", "store/customer/updated")
CREATED, EDITED, MOVED = "signed up", "name and e-mail edited", "address changed, no hook"

KINDS = (CREATED, EDITED, MOVED)

Shown: TypeAlias = Callable[[Mapping[str, Any]], bool]


def shoppers(count: int = COUNT) -> int:
    """A line for each kind and one for doubles; returns how many were missed."""
    with place() as here, running(here, scopes=HOOKS):
        editing, moving = [[sign_up(here) for _ in range(count)] for _ in range(2)]
        known = await_shown(here, {one: (time.time(), lambda _: True) for one in editing + moving})
        if len(known) < 2 * count:
            raise SystemExit(f"of {2 * count} shoppers to change only {len(known)} came to NetSuite")
        # A poll lists whoever changed within its overlap, addresses and all; a shopper who moves did so long ago.
        here.control.clock(advance_seconds=AGE)
        time.sleep(SETTLE)
        changed: dict[str, dict[int, tuple[float, Shown]]] = {kind: {} for kind in KINDS}
        seconds: dict[str, dict[int, float]] = {kind: {} for kind in KINDS}
        pending, begins, until = count, 0.0, 0.0
        while pending or (time.time() < until and any(len(one) < count for one in seconds.values())):
            if pending and time.time() >= begins:
                pending -= 1
                changed[CREATED][sign_up(here)] = time.time(), lambda _: True
                changed[EDITED][editing[pending]] = edit(here, editing[pending])
                changed[MOVED][moving[pending]] = move(here, moving[pending])
                begins, until = time.time() + PAUSE, time.time() + WAIT
            look(here, changed, seconds)
            time.sleep(1)
        for kind, found in seconds.items():
            told(here, kind, count, list(found.values()))
        keys = Counter(str(one.get("externalId")) for one in here.control.netsuite_customers())
        mails = Counter(str(one.get("email")) for one in here.control.netsuite_customers())
        ours = {one for kind in changed.values() for one in kind}
        doubled = sum(keys[key_of(here, one)] > 1 for one in ours) + sum(
            mails[str(one["email"])] > 1 for one in here.control.shoppers() if one["id"] in ours
        )
        here.line(
            f"  {len(ours)} shoppers: doubled in NetSuite", f"{doubled}", "0", "-", reached=not doubled
        )  # fmt: skip
    return here.missed


def sign_up(here: Place) -> int:
    """A new account with an address; its id."""
    return int(here.control.shopper()["id"])


def edit(here: Place, shopper: int) -> tuple[float, Shown]:
    """A new name and a new e-mail address."""
    name, mail = f"Edited{shopper}", f"edited.{shopper}@example.com"
    here.control.shopper(id=shopper, last_name=name, email=mail)
    return time.time(), lambda one: (one.get("lastName"), one.get("email")) == (name, mail)


def move(here: Place, shopper: int) -> tuple[float, Shown]:
    """Another street in the shopper's first address."""
    (found,) = [one for one in here.control.shoppers() if one["id"] == shopper]
    street = f"{shopper} Moved Street"
    here.control.shopper_address(id=found["addresses"][0]["id"], address1=street)
    return time.time(), lambda one: street in str(one["addresses"])


def key_of(here: Place, shopper: int) -> str:
    """The external id of a shopper's customer."""
    return f"bc-{here.store}-customer-{shopper}"


def look(
    here: Place,
    changed: Mapping[str, Mapping[int, tuple[float, Shown]]],
    seconds: dict[str, dict[int, float]],
) -> None:
    """Note how long each change took that NetSuite shows by now."""
    there = {str(one.get("externalId")): one for one in here.control.netsuite_customers()}
    for kind, waiting in changed.items():
        for shopper, (at, shown) in waiting.items():
            record = there.get(key_of(here, shopper))
            if shopper not in seconds[kind] and record is not None and shown(record):
                seconds[kind][shopper] = time.time() - at


def await_shown(here: Place, waiting: Mapping[int, tuple[float, Shown]]) -> dict[int, float]:
    """{shopper: seconds} once NetSuite shows all of them, or patience is at its end."""
    seconds: dict[str, dict[int, float]] = {"": {}}
    until = time.time() + WAIT
    while len(seconds[""]) < len(waiting) and time.time() < until:
        time.sleep(1)
        look(here, {"": waiting}, seconds)
    return seconds[""]


def told(here: Place, kind: str, count: int, seconds: list[float]) -> None:
    """One line of one kind."""
    lost = count - len(seconds)
    figures = [spread(seconds, part) for part in (0.5, 0.95)] if seconds else [WAIT, WAIT]
    here.line(
        f"shopper {kind} -> NetSuite, {count}, {lost} not there (<= {MOST:.0f} s)", f"{figures[0]:.0f} s median",
        f"p95 {figures[1]:.0f} s", f"max {max(seconds, default=WAIT):.0f} s",
        reached=not lost and max(seconds) <= MOST,
    )  # fmt: skip

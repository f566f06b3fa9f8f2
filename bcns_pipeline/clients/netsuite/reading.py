"""Reads SuiteQL rows into typed values, and queries that get by without what an account does not have.

Put here what the reads of sales, customers, items and fulfilments share. Every value is text and NULL is a
missing key (facts/netsuite.md 2.1); which columns exist depends on features and permissions (2.2).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from itertools import zip_longest
from typing import Final

from bcns_pipeline.clients.netsuite import sql
from bcns_pipeline.clients.netsuite.models import Page, Row, Touched
from bcns_pipeline.clients.netsuite.suiteql import SuiteQL
from bcns_pipeline.outcomes import Rejected

log = logging.getLogger(__name__)
ZERO: Final = Decimal(0)


def integer(row: Row, name: str) -> int | None:
    """A whole number, None for NULL. ValueError for anything else."""
    text = row.get(name)
    return int(text) if text else None


def amount(row: Row, name: str) -> Decimal | None:
    """A figure, None for NULL. ValueError for anything else."""
    text = row.get(name)
    if not text:
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{name} is no number") from None


def rate(row: Row, name: str) -> Decimal | None:
    """A rate, None for NULL and for the percentages ("-10.00%") that discount items have."""
    return None if row.get(name, "").endswith("%") else amount(row, name)


def day(row: Row, name: str) -> date | None:
    """A date that was asked for as YYYY-MM-DD, None for NULL."""
    text = row.get(name)
    return date.fromisoformat(text) if text else None


def letter(row: Row, name: str = "status") -> str:
    """A status: the single letter, whether it came as `B` or as `SalesOrd:B`."""
    return row.get(name, "").rpartition(":")[2]


def pieces_of(values: Iterable[str], most: int = sql.MAX_IN) -> Iterator[list[str]]:
    """Distinct values in order, cut for IN lists."""
    wanted = list(dict.fromkeys(values))
    for start in range(0, len(wanted), most):
        yield wanted[start : start + most]


def pairs_of(first: Iterable[str], second: Iterable[str]) -> Iterator[tuple[list[str], list[str]]]:
    """Pieces of two lists side by side, [] where one of them ends first: one query for both."""
    nothing: list[str] = []
    return zip_longest(pieces_of(first), pieces_of(second), fillvalue=nothing)


def marks(values: Sequence[str]) -> str:
    """`?, ?` for an IN list of bound values."""
    return ", ".join("?" * len(values))


def id_pieces(ids: Iterable[int]) -> Iterator[str]:
    """Distinct ids in order, as texts for IN lists."""
    wanted = sorted(set(ids))
    for start in range(0, len(wanted), sql.MAX_IN):
        yield sql.numbers(wanted[start : start + sql.MAX_IN])


def by_id(query: SuiteQL, text: str, params: Sequence[str | int] = (), after: int = 0) -> Iterator[Page]:
    """Pages of a query that ends in `id > ?` and is ordered by `id`."""
    return query.keyset(text, (after,), lambda key: [*params, key[0]], lambda row: (int(row["id"]),))


def by_pair(query: SuiteQL, text: str, first: str, second: str) -> Iterator[Page]:
    """Pages of a query that ends in `(a > ? OR (a = ? AND b > ?))` and is ordered by both."""

    def key(row: Row) -> tuple[int, ...]:
        return int(row[first]), int(row[second])

    # Line 0 is a line in some accounts, so the walk starts below it.
    return query.keyset(text, (0, -1), lambda after: [after[0], after[0], after[1]], key)


class Tolerant:
    """Runs queries without the optional columns and tables that this account turned out not to have.

    What is missing is remembered for the life of the client. Thread-safe: several threads may find out at once.
    """

    def __init__(self) -> None:
        self._lacks: frozenset[str] = frozenset()

    @property
    def lacks(self) -> frozenset[str]:
        """What this account turned out not to have."""
        return self._lacks

    def pages(
        self, make: Callable[[frozenset[str]], Iterator[Page]], optional: Sequence[str]
    ) -> Iterator[Page]:
        """Pages of `make(lacks)`, asked anew without what NetSuite says that it does not know.

        `optional` are names of columns and tables; anything else that is unknown raises Rejected.
        """
        while True:
            started, lacks = False, self._lacks
            try:
                for page in make(lacks):
                    started = True
                    yield page
            except Rejected as error:
                asked = [one for one in optional if one not in lacks]
                name = None if started or not sql.unknown_name(error) else _named(error, asked)
                if name is None:
                    raise
                if name not in self._lacks:
                    log.warning("netsuite: %s can't be read and is left out", name)
                self._lacks |= {name}
            else:
                return


def _named(error: Rejected, names: Sequence[str]) -> str | None:
    """Which of `names` NetSuite says that it does not know."""
    # The list of what does exist follows the complaint and may hold the other names.
    complaint = error.detail.lower().partition("available identifiers")[0]
    return next((one for one in names if re.search(rf"\b{re.escape(one)}\b", complaint)), None)


def columns(wanted: Mapping[str, str], lacks: frozenset[str]) -> str:
    """`c.taxable AS taxable, ` for each {name: expression} that is not lacking."""
    return "".join(f"{text} AS {name}, " for name, text in wanted.items() if name not in lacks)


# Read by many public scripts, and in no fact sheet: a role that does not see them is told who did it by nobody.
TOUCH: Final = ("createdby", "lastmodifiedby")


def touch(lacks: frozenset[str], form: str = "{}") -> str:
    """The columns that `touched` reads, of the transaction `t`; `form` is put around each, as in MAX({})."""
    wanted = {name: form.format(f"t.{name}") for name in TOUCH}
    wanted |= {
        name: f"TO_CHAR({form.format(f't.{name}')}, 'YYYY-MM-DD HH24:MI:SS')"
        for name in ("createddate", "lastmodifieddate")
    }
    return columns(wanted, lacks)


def touched(row: Row) -> Touched:
    """Who made a transaction and changed it last. ValueError for an id that is no number."""
    return Touched(
        integer(row, "createdby"),
        row.get("createddate", ""),
        integer(row, "lastmodifiedby"),
        row.get("lastmodifieddate", ""),
    )

"""Running a translated query: parameters, pages, totals and the text of the rows.

Put execution here. Do not put translation here (suiteql.py) nor HTTP (app.py). DuckDB writes the JSON of
each row itself, and a page along an ascending integer key is cut out of the table before it is sorted: both
keep a page of 1,000 rows at a few milliseconds, which a plain ORDER BY with OFFSET over 200,000 rows would
not.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb
import numpy as np
from sqlglot import exp

from bcns_pipeline.sandbox.netsuite.database import Database
from bcns_pipeline.sandbox.netsuite.errors import SuiteQLError
from bcns_pipeline.sandbox.netsuite.expressions import NOW, TODAY
from bcns_pipeline.sandbox.netsuite.lists import Short, shorten
from bcns_pipeline.sandbox.netsuite.parameters import bind_all
from bcns_pipeline.sandbox.netsuite.schema import Table
from bcns_pipeline.sandbox.netsuite.suiteql import Translation, Translator

KEPT_TEXTS = 500
KEPT_SPREADS = 64
TRIES = 5
NAMES = re.compile(r"\$(\w+)")
NULLS = re.compile(r',"[^"\\]*":null(?=[,}])')


@dataclass(frozen=True, slots=True)
class Page:
    """Rows ready to be sent, how many there are and how many the whole query has."""

    items: bytes
    count: int
    total: int


@dataclass(frozen=True, slots=True)
class Keyset:
    """The conjunct `lead > :first` or `lead > :first OR (lead = :second AND ...)` of a WHERE clause."""

    first: str
    second: str | None


@dataclass(frozen=True, slots=True)
class Spread:
    """How the rows of a query lie along its leading key: distinct keys and the running count of rows."""

    keys: np.ndarray
    ends: np.ndarray

    def before(self, place: int) -> int:
        """Rows with a key left of `place`."""
        return int(self.ends[place - 1]) if place > 0 else 0


@dataclass(slots=True)
class Prepared:
    """A translation with its DuckDB texts.

    `row` follows from the first run, when the parameters are known. `small` says that the last run fitted one
    page, in which case counting first would only cost.
    """

    translation: Translation
    plain: str
    total: str
    keyset: Keyset | None = None
    spread: str | None = None
    window: str | None = None
    names: tuple[str, ...] = ()
    row: str | None = None
    small: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True, slots=True)
class Asked:
    """One run of a query: its text, what was taken out of it, its translation and its parameters."""

    text: str
    short: Short
    prepared: Prepared
    bound: dict[str, Any]

    def expand(self, sql: str) -> str:
        """A DuckDB text with the long lists put back."""
        return self.short.expand(sql)


class Engine:
    """Answers SuiteQL from one database, as one role sees it."""

    def __init__(self, database: Database, tables: Mapping[str, Table], date_format: str) -> None:
        self.database = database
        self.tables = tables
        self.hidden: frozenset[str] = frozenset()
        self.date_format = date_format
        self._prepared: OrderedDict[tuple[str, frozenset[str]], Prepared] = OrderedDict()
        self._counts: OrderedDict[tuple[Any, ...], Spread | int | None] = OrderedDict()

    def page(self, text: str, params: Sequence[Any], limit: int, offset: int) -> Page:
        """One page of a query; `SuiteQLError` where NetSuite would refuse it."""
        short = shorten(text)
        prepared = self._prepare(short.text)
        kinds = prepared.translation.kinds
        needed = sum(short.sizes.get(k, 1) for k in range(len(kinds)))
        if len(params) != needed:
            raise SuiteQLError(
                f"Invalid or unsupported search. {needed} parameters needed, {len(params)} given."
            )
        bound = bind_all(params, kinds, short.sizes, self.date_format)
        if prepared.translation.uses_clock:
            now = self.database.clock.account()
            used = {n.this for n in prepared.translation.tree.find_all(exp.Placeholder)}
            bound |= {NOW: now} if NOW in used else {}
            bound |= {TODAY: now.replace(hour=0, minute=0, second=0)} if TODAY in used else {}
        self.database.flush()
        try:
            return self._consistent(Asked(text, short, prepared, bound), limit, offset)
        except (
            duckdb.ConversionException,
            duckdb.InvalidInputException,
            duckdb.OutOfRangeException,
        ) as fault:
            first = str(fault).splitlines()[0]
            raise SuiteQLError(f"Search error occurred: {first}") from fault
        except duckdb.BinderException as fault:
            first = str(fault).splitlines()[0]
            raise SuiteQLError(f"Search error occurred: Invalid or unsupported search. {first}") from fault

    def _prepare(self, text: str) -> Prepared:
        key = (text, self.hidden)
        found = self._prepared.get(key)
        if found is None:
            translation = Translator(self.tables, self.hidden, self.date_format).run(text)
            found = self._prepared[key] = prepare(translation)
            while len(self._prepared) > KEPT_TEXTS:
                self._prepared.popitem(last=False)
        return found

    def _consistent(self, asked: Asked, limit: int, offset: int) -> Page:
        """Ask again where somebody wrote between the count and the rows: both must be of one moment."""
        for _ in range(TRIES):
            version = self.database.version
            page = self._once(asked, limit, offset, version)
            if version == self.database.version:
                break
        return page

    def _once(self, asked: Asked, limit: int, offset: int, version: int) -> Page:
        cursor, prepared, bound = self.database.cursor(), asked.prepared, asked.bound
        row = self._row(asked, cursor)
        if prepared.window is not None and not prepared.small and continues(prepared.keyset, bound, offset):
            spread = self._spread(asked, version)
            if spread is not None:
                prepared.small = len(spread.keys) == 0 or int(spread.ends[-1]) < limit
                return self._window(asked, cursor, row, spread, limit, offset)
        sql = f"SELECT {row} FROM ({prepared.plain} LIMIT {limit} OFFSET {offset})"
        rows = cursor.execute(asked.expand(sql), bound).fetchall()
        prepared.small = offset == 0 and len(rows) < limit
        if len(rows) < limit and (rows or offset == 0):
            total = offset + len(rows)
        else:
            total = self._total(asked, version)
        return Page(joined(rows), len(rows), total)

    def _window(
        self,
        asked: Asked,
        cursor: duckdb.DuckDBPyConnection,
        row: str,
        spread: Spread,
        limit: int,
        offset: int,
    ) -> Page:
        """A page cut out along the leading key, exact by what `spread` knows about where its rows lie."""
        prepared, bound = asked.prepared, asked.bound
        keyset = prepared.keyset
        start, boundary = 0, None
        if keyset is not None:
            after = bound[keyset.first]
            start = int(np.searchsorted(spread.keys, after, side="right"))
            boundary = after if keyset.second is not None else None
        base = spread.before(start)
        remaining = int(spread.ends[-1]) - base if len(spread.keys) else 0
        if remaining <= offset and boundary is None:
            return Page(b"", 0, remaining)
        low_place = int(np.searchsorted(spread.ends, base + offset, side="right"))
        high_place = min(int(np.searchsorted(spread.ends, base + offset + limit)), len(spread.keys) - 1)
        low = boundary if boundary is not None else int(spread.keys[low_place])
        high = int(spread.keys[high_place]) if len(spread.keys) and remaining else low
        skip = 0 if boundary is not None else base + offset - spread.before(low_place)
        sql = f"SELECT {row}, lead FROM ({prepared.window} LIMIT {limit} OFFSET {skip})"
        rows = cursor.execute(asked.expand(sql), {**bound, "low": low, "high": high}).fetchall()
        total = remaining
        if boundary is not None:
            at_boundary = sum(1 for r in rows if r[1] == boundary)
            if at_boundary == len(rows) == limit:
                counted = f"SELECT count(*) FROM ({prepared.window})"
                places = {**bound, "low": low, "high": low}
                at_boundary = cursor.execute(asked.expand(counted), places).fetchall()[0][0]
            total += at_boundary
        return Page(joined(rows), len(rows), total)

    def _row(self, asked: Asked, cursor: duckdb.DuckDBPyConnection) -> str:
        """The DuckDB expression that writes one row as JSON; it depends on the types of the outputs."""
        prepared = asked.prepared
        with prepared.lock:
            if prepared.row is None:
                sql = asked.expand(f"SELECT * FROM ({prepared.plain}) LIMIT 0")
                described = cursor.execute(sql, asked.bound).description or []
                types = [str(column[1]) for column in described]
                prepared.row = row_text(prepared.translation, types, self.date_format)
            return prepared.row

    def _spread(self, asked: Asked, version: int) -> Spread | None:
        """Where the rows lie, whatever the keyset says.

        None where keys are missing (an outer join's other side).
        """
        keyset, bound = asked.prepared.keyset, asked.bound
        skipped = {keyset.first, keyset.second} if keyset else set()
        rest = {k: v for k, v in bound.items() if k not in skipped}
        key = ("spread", asked.text, tuple(rest.values()), version)
        if key not in self._counts:
            assert asked.prepared.spread is not None
            sql = asked.expand(asked.prepared.spread)
            used = set(NAMES.findall(sql))
            needed = {n: v for n, v in bound.items() if n in used}
            found = self.database.cursor().execute(sql, needed).fetchnumpy()
            keys = found["k"]
            missing = bool(np.ma.is_masked(keys))
            self._keep(key, None if missing else Spread(np.asarray(keys), np.cumsum(found["n"])))
        known = self._counts[key]
        return known if isinstance(known, Spread) else None

    def _total(self, asked: Asked, version: int) -> int:
        key = ("total", asked.text, tuple(asked.bound.values()), version)
        if key not in self._counts:
            sql = asked.expand(asked.prepared.total)
            self._keep(key, int(self.database.cursor().execute(sql, asked.bound).fetchall()[0][0]))
        known = self._counts[key]
        assert isinstance(known, int)
        return known

    def _keep(self, key: tuple[Any, ...], value: Spread | int | None) -> None:
        self._counts[key] = value
        while len(self._counts) > KEPT_SPREADS:
            self._counts.popitem(last=False)


def continues(keyset: Keyset | None, bound: Mapping[str, Any], offset: int) -> bool:
    """Whether a window may be cut for these parameters: both places of a keyset name the same key."""
    if keyset is None or keyset.second is None:
        return True
    return offset == 0 and bound[keyset.first] == bound[keyset.second]


def prepare(translation: Translation) -> Prepared:
    """The DuckDB texts of a translation."""
    tree = translation.tree
    if not isinstance(tree, exp.Select):
        columns = ", ".join(f"c{k}" for k in range(len(translation.outputs)))
        plain = f"SELECT * FROM ({tree.sql(dialect='duckdb')}) AS q({columns})"
        return Prepared(translation, plain, f"SELECT count(*) FROM ({plain})")
    outputs = [exp.alias_(o.expression.copy(), f"c{k}") for k, o in enumerate(translation.outputs)]
    bare = tree.copy()
    bare.set("expressions", outputs)
    plain = bare.sql(dialect="duckdb")
    if tree.args.get("limit") or tree.args.get("offset"):
        plain = f"SELECT * FROM ({plain})"
        return Prepared(translation, plain, f"SELECT count(*) FROM ({plain})")
    uncut = bare.copy()
    uncut.set("order", None)
    prepared = Prepared(translation, plain, f"SELECT count(*) FROM ({uncut.sql(dialect='duckdb')})")
    lead = translation.lead
    if lead is not None:
        where = bare.args.get("where")
        conjuncts = list(where.this.flatten()) if where and isinstance(where.this, exp.And) else []
        conjuncts = conjuncts or ([where.this] if where else [])
        prepared.keyset, kept = split_keyset(conjuncts, lead)
        spread = uncut.copy()
        spread.set("expressions", [exp.alias_(lead.copy(), "k"), exp.alias_(exp.Count(this=exp.Star()), "n")])
        spread.set("where", exp.Where(this=exp.and_(*(c.copy() for c in kept))) if kept else None)
        spread.set("group", exp.Group(expressions=[lead.copy()]))
        prepared.spread = spread.sql(dialect="duckdb") + " ORDER BY k"
        window = bare.copy().select(exp.alias_(lead.copy(), "lead"), copy=False)
        for kind, name in ((exp.GTE, "low"), (exp.LTE, "high")):
            window = window.where(kind(this=lead.copy(), expression=exp.Placeholder(this=name)), copy=False)
        prepared.window = window.sql(dialect="duckdb")
    return prepared


def split_keyset(conjuncts: list[exp.Expr], lead: exp.Column) -> tuple[Keyset | None, list[exp.Expr]]:
    """Tell the conjunct that continues a keyset from those that choose rows."""
    for place, conjunct in enumerate(conjuncts):
        keyset = keyset_of(conjunct.unnest(), lead)
        if keyset is not None:
            return keyset, conjuncts[:place] + conjuncts[place + 1 :]
    return None, conjuncts


def keyset_of(node: exp.Expr, lead: exp.Column) -> Keyset | None:
    """`lead > :a`, or `lead > :a OR (lead = :b AND ...)` in either order."""
    if isinstance(node, exp.GT) and node.this == lead and isinstance(node.expression, exp.Placeholder):
        return Keyset(node.expression.this, None)
    if not isinstance(node, exp.Or):
        return None
    for one, other in (
        (node.this.unnest(), node.expression.unnest()),
        (node.expression.unnest(), node.this.unnest()),
    ):
        if not (isinstance(one, exp.GT) and one.this == lead and isinstance(one.expression, exp.Placeholder)):
            continue
        for part in other.flatten() if isinstance(other, exp.And) else ():
            same = part.unnest()
            if (
                isinstance(same, exp.EQ)
                and same.this == lead
                and isinstance(same.expression, exp.Placeholder)
            ):
                return Keyset(one.expression.this, same.expression.this)
    return None


def row_text(translation: Translation, types: Sequence[str], date_format: str) -> str:
    """How a row is written: an empty `links`, then every value as text, booleans T and F.

    One struct for the whole row: planning takes DuckDB longer than running, by the number of functions.
    """
    last = {output.name: place for place, output in enumerate(translation.outputs)}
    fields = ["links := []::INTEGER[]"]
    for place, output in enumerate(translation.outputs):
        if last[output.name] == place:
            name = output.name.replace('"', '""')
            plain = isinstance(output.expression, exp.Column)
            fields.append(f'"{name}" := {value_text(f"c{place}", types[place], date_format, plain=plain)}')
    return f"to_json(struct_pack({', '.join(fields)}))"


def value_text(column: str, kind: str, date_format: str, *, plain: bool) -> str:
    """One value as text. Oracle knows no empty text: it is NULL, as it is already in a `plain` column."""
    if kind.startswith("DECIMAL"):
        return f"rtrim(rtrim({column}::VARCHAR, '0'), '.')"
    if kind.startswith(("DOUBLE", "FLOAT")):
        return f"ns_text({column})"
    if kind.startswith(("TIMESTAMP", "DATE")):
        return f"strftime({column}, '{date_format}')"
    if kind == "BOOLEAN":
        return f"CASE {column} WHEN true THEN 'T' WHEN false THEN 'F' END"
    if kind != "VARCHAR":
        return f"{column}::VARCHAR"
    return column if plain else f"NULLIF({column}, '')"


def joined(rows: Sequence[tuple[Any, ...]]) -> bytes:
    """The rows with a comma between them and without their nulls.

    Inside a value every quote has a backslash before it, so the pattern can't match there.
    """
    text = ",".join([row[0] for row in rows])
    return (NULLS.sub("", text) if ":null" in text else text).encode()

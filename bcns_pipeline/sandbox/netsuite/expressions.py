"""One expression of SuiteQL in DuckDB's words.

Put operators, functions and the conversions between kinds here. Do not put names and scopes here
(suiteql.py). Oracle converts text to what it is compared with, and so does this; what it can't convert, it
refuses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import sqlglot
from sqlglot import exp

from bcns_pipeline.sandbox.netsuite import dialect
from bcns_pipeline.sandbox.netsuite.errors import SuiteQLError
from bcns_pipeline.sandbox.netsuite.schema import Kind, Table

NOW = "now"
TODAY = "today"
# Where BUILTIN.DF may look a reference up: column name -> table and the column to show.
DISPLAY = {
    "location": "location",
    "subsidiary": "subsidiary",
    "currency": "currency",
    "item": "item",
    "entity": "customer",
    "department": "department",
    "class": "classification",
    "shippingmethod": "shipitem",
    "shipmethod": "shipitem",
    "postingperiod": "accountingperiod",
    "createdfrom": "transaction",
}
TRUNC_UNITS = {"DD": "day", "MM": "month", "MONTH": "month", "YYYY": "year", "YEAR": "year"}
DISPLAY_TEXT = {
    "item": "itemid",
    "customer": "entityid",
    "shipitem": "itemid",
    "accountingperiod": "periodname",
    "transaction": "'Sales Order #' || tranid",
}


@dataclass(slots=True)
class Expressions:
    """The half of a translation that looks at one expression at a time; parts come translated already."""

    tables: Mapping[str, Table]
    hidden: frozenset[str]
    date_format: str
    kinds: dict[str, Kind] = field(default_factory=dict)
    uses_clock: bool = False

    def combine(self, node: exp.Expr, children: list[exp.Expr], kinds: list[Kind | None]) -> Kind | None:
        """The kind of an operator or function from its parts; parameters learn what they stand beside."""
        known = [k for k in kinds if k is not None]
        if isinstance(node, (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between, exp.In)):
            compared = [c for c in children if c is not node.args.get("query")]
            self.compare(
                compared, next((k for k in known if k is not Kind.TEXT), known[0] if known else None)
            )
            return None
        if isinstance(node, (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.Neg)):
            if not any(k.is_date for k in known):
                self.compare(children, Kind.NUM)
                return Kind.NUM
            return self._shift(node, kinds)
        if isinstance(
            node, (exp.Coalesce, exp.Nvl2, exp.Case, exp.DecodeCase, exp.Greatest, exp.Least, exp.Nullif)
        ):
            typed = [k for k in known if k is not Kind.TEXT]
            kind = typed[0] if typed else (known[0] if known else None)
            if isinstance(node, (exp.Coalesce, exp.Greatest, exp.Least, exp.Nullif)):
                self.compare(children, kind)
            if isinstance(node, (exp.Greatest, exp.Least)):
                strict_extreme(node)
            return kind
        if isinstance(node, exp.Cast):
            return cast_kind(node)
        if isinstance(node, exp.ToChar):
            return self._to_char(node, kinds[0] if kinds else None)
        if isinstance(node, exp.TimeToStr):
            # sqlglot has turned the format of TO_CHAR(SYSDATE, ...) into strftime's already.
            node.replace(dialect.call("strftime", node.this, exp.Literal.string(node.args["format"].name)))
            return Kind.TEXT
        if isinstance(node, (exp.StrToDate, exp.StrToTime)):
            return self._to_date(node)
        if isinstance(node, (exp.Count, exp.RowNumber, exp.Rank, exp.Length, exp.StrPosition)):
            return Kind.INT
        if isinstance(
            node, (exp.Sum, exp.Avg, exp.Round, exp.Floor, exp.Ceil, exp.Abs, exp.ToNumber, exp.Sign)
        ):
            return Kind.NUM
        if isinstance(node, exp.DateTrunc):
            unit = TRUNC_UNITS.get(node.args["unit"].name.upper())
            if unit is None:
                raise SuiteQLError("Invalid or unsupported search. TRUNC is understood with DD, MM and YYYY.")
            node.replace(dialect.call("date_trunc", exp.Literal.string(unit), node.this))
            return Kind.TIME
        if isinstance(node, exp.DPipe):
            node.replace(dialect.call("concat", *flatten_pipes(node)))
            return Kind.TEXT
        if isinstance(
            node, (exp.Upper, exp.Lower, exp.Trim, exp.Substring, exp.Concat, exp.Replace, exp.GroupConcat)
        ):
            return Kind.TEXT
        if isinstance(node, exp.Anonymous):
            return self._trunc(node, kinds[0] if kinds else None)
        if isinstance(node, exp.AddMonths):
            return Kind.TIME
        if isinstance(
            node, (exp.Alias, exp.Paren, exp.Ordered, exp.Min, exp.Max, exp.Window, exp.Distinct, exp.If)
        ):
            return known[0] if known else None
        return None

    def compare(self, compared: list[exp.Expr], kind: Kind | None) -> None:
        """Oracle converts text to the kind that it is compared with.

        Parameters and literals are converted alike.
        """
        if kind is None:
            return
        for part in compared:
            bare = part.unnest()
            if isinstance(bare, exp.Neg):
                bare = bare.this
            if isinstance(bare, exp.Placeholder) and bare.this not in (NOW, TODAY):
                self.kinds[bare.this] = kind
            elif isinstance(bare, exp.Literal) and bare.is_string:
                if kind.is_number:
                    bare.replace(exp.Literal.number(number_text(bare.this)))
                elif kind.is_date:
                    moment = date_of(bare.this, self.date_format)
                    bare.replace(exp.cast(exp.Literal.string(str(moment)), "timestamp"))

    def _shift(self, node: exp.Expr, kinds: list[Kind | None]) -> Kind:
        """A date plus or minus days; the difference of two dates is a number of days."""
        left, right = kinds[0], kinds[1] if len(kinds) > 1 else None
        if left is not None and left.is_date and right is not None and right.is_date:
            seconds = dialect.call("epoch", exp.Paren(this=node.copy()))
            node.replace(exp.Paren(this=exp.Div(this=seconds, expression=exp.Literal.number("86400.0"))))
            return Kind.NUM
        days = node.args["expression"] if left is not None and left.is_date else node.this
        if not isinstance(days, exp.Interval):
            self.compare([days], Kind.NUM)
            length = exp.Mul(this=exp.Paren(this=days.copy()), expression=exp.Literal.number(86400))
            days.replace(dialect.call("to_seconds", exp.cast(length, "double")))
        return Kind.TIME

    def _to_char(self, node: exp.ToChar, kind: Kind | None) -> Kind:
        pattern = node.args.get("format")
        if kind is not None and kind.is_date:
            code = dialect.strftime_format(pattern.name) if pattern is not None else self.date_format
            node.replace(dialect.call("strftime", node.this, exp.Literal.string(code)))
        elif pattern is None:
            node.replace(dialect.call("ns_text", node.this))
        else:
            raise SuiteQLError(f"Invalid or unsupported search. TO_CHAR of a number with '{pattern.name}'.")
        return Kind.TEXT

    def _trunc(self, node: exp.Anonymous, kind: Kind | None) -> Kind:
        """TRUNC of a date is its day, of a number its whole part."""
        if len(node.expressions) != 1:
            raise SuiteQLError("Invalid or unsupported search. TRUNC is understood with one argument.")
        if kind is not None and kind.is_date:
            node.replace(dialect.call("date_trunc", exp.Literal.string("day"), node.expressions[0]))
            return Kind.TIME
        node.replace(dialect.call("trunc", node.expressions[0]))
        return Kind.NUM

    def _to_date(self, node: exp.Expr) -> Kind:
        pattern = node.args.get("format")
        code = pattern.name if pattern is not None else self.date_format
        formats = dialect.strptime_formats(code)
        node.replace(dialect.call("strptime", exp.cast(node.this, "varchar"), dialect.string_list(formats)))
        return Kind.TIME

    def builtin(self, node: exp.Dot, function: exp.Anonymous) -> Kind:
        """BUILTIN.DF shows what a reference points at, BUILTIN.CF the canonical value."""
        argument = function.expressions[0]
        if argument.meta.get("source") == "transaction" and argument.name == "status":
            self._status(node, argument, function.name.upper())
            return Kind.TEXT
        target = DISPLAY.get(argument.name) if isinstance(argument, exp.Column) else None
        if function.name.upper() == "CF" or target is None or target not in self.tables:
            node.replace(dialect.call("ns_text", argument.copy()))
            return Kind.TEXT
        shown = DISPLAY_TEXT.get(target, "name")
        lookup = sqlglot.parse_one(
            f'SELECT {shown} FROM "ns"."{target}" AS "df" WHERE "df"."id" = x', dialect="duckdb"
        )
        next(c for c in lookup.find_all(exp.Column) if c.name == "x").replace(argument.copy())
        node.replace(exp.Subquery(this=lookup))
        return Kind.TEXT

    def _status(self, node: exp.Dot, argument: exp.Column, function: str) -> None:
        """A transaction's letter means something together with its type only."""
        label = argument.args["table"].name
        kind = exp.column(exp.to_identifier("type", quoted=True), table=exp.to_identifier(label, quoted=True))
        if function == "CF":
            node.replace(dialect.call("concat", kind, exp.Literal.string(":"), argument.copy()))
            return
        lookup = sqlglot.parse_one(
            'SELECT fullname FROM "ns"."transactionstatus" AS "df" WHERE "df"."id" = x AND "df"."trantype" = y',
            dialect="duckdb",
        )
        for column in list(lookup.find_all(exp.Column)):
            if column.name in ("x", "y"):
                column.replace(argument.copy() if column.name == "x" else kind.copy())
        node.replace(exp.Subquery(this=lookup))


def parts(node: exp.Expr) -> list[exp.Expr]:
    """What an operator or function works on."""
    return [c for c in node.iter_expressions() if not isinstance(c, (exp.DataType, exp.Identifier, exp.Var))]


def cast_kind(node: exp.Cast) -> Kind:
    """The kind that CAST names."""
    kind = node.to
    if kind.is_type(*exp.DataType.NUMERIC_TYPES):
        return Kind.NUM
    return Kind.TIME if kind.is_type(*exp.DataType.TEMPORAL_TYPES) else Kind.TEXT


def number_text(text: str) -> str:
    """Text that stands where a number is needed; Oracle's own refusal where it is none."""
    try:
        float(text)
    except ValueError as fault:
        raise SuiteQLError(f"Search error occurred: Invalid number: '{text}'.") from fault
    return text.strip()


def date_of(text: str, date_format: str) -> datetime:
    """Text that stands where a date is needed must be in the account's format."""
    try:
        return datetime.strptime(text, date_format.replace("%-", "%"))  # noqa: DTZ007 - the account's frame is naive
    except ValueError as fault:
        raise SuiteQLError(f"Search error occurred: Invalid date: '{text}'.") from fault


def flatten_pipes(node: exp.DPipe) -> list[exp.Expr]:
    """The parts of a || b || c."""
    left = flatten_pipes(node.this) if isinstance(node.this, exp.DPipe) else [node.this]
    return [*left, node.expression]


def strict_extreme(node: exp.Expr) -> None:
    """GREATEST and LEAST are NULL where any part is NULL; DuckDB would skip it."""
    parts = [node.this, *node.expressions]
    missing = exp.or_(*(exp.Is(this=p.copy(), expression=exp.Null()) for p in parts))
    case = exp.Case(ifs=[exp.If(this=missing, true=exp.Null())], default=node.copy())
    node.replace(case)

"""What SuiteQL allows beyond names: functions, formats and constructs, and how DuckDB says the same.

Put the translation of one expression here. Do not put name resolution here (resolve.py) nor paging
(query.py). Sources: facts/netsuite.md 2.2; anything that is not listed there is refused.
"""

from __future__ import annotations

from sqlglot import exp

from bcns_pipeline.sandbox.netsuite.errors import SuiteQLError

PLAIN_FUNCTIONS = (
    exp.Coalesce, exp.Nvl2, exp.DecodeCase, exp.Case, exp.If, exp.Cast, exp.Round, exp.Floor, exp.Ceil,
    exp.Abs, exp.Sum, exp.Count, exp.Min, exp.Max, exp.Avg, exp.Upper, exp.Lower, exp.Length, exp.Trim,
    exp.Substring, exp.Concat, exp.Nullif, exp.Greatest, exp.Least, exp.ToChar, exp.TimeToStr, exp.StrToDate,
    exp.StrToTime, exp.DateTrunc, exp.AddMonths, exp.CurrentTimestamp, exp.CurrentDate,
    exp.RowNumber, exp.Rank, exp.GroupConcat, exp.RegexpLike, exp.RegexpReplace, exp.StrPosition, exp.Mod,
    exp.Exists, exp.And, exp.Or, exp.ToNumber, exp.Replace, exp.Sign,
)  # fmt: skip

# What a query is built of besides functions; a construct that is missing here is refused like a function.
STRUCTURE = (
    exp.Select, exp.From, exp.Join, exp.Where, exp.Group, exp.Having, exp.Order, exp.Ordered, exp.Column,
    exp.Identifier, exp.Literal, exp.Placeholder, exp.Alias, exp.TableAlias, exp.Table,
    exp.Subquery, exp.Paren, exp.Not, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.In, exp.Between,
    exp.Like, exp.Is, exp.Null, exp.Neg, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.DPipe, exp.Star,
    exp.Distinct, exp.Window, exp.WindowSpec, exp.Interval, exp.Var, exp.DataType, exp.DataTypeParam,
    exp.Fetch, exp.LimitOptions,
    exp.Offset, exp.Union, exp.Intersect, exp.Except, exp.Dot, exp.Tuple, exp.Escape,
)  # fmt: skip

# Oracle's date elements, longest first, and what strftime calls them.
DATE_ELEMENTS = (
    ("YYYY", "%Y"), ("HH24", "%H"), ("HH12", "%I"), ("MONTH", "%B"), ("TZH:TZM", "%z"), ("FF3", "%g"),
    ("YY", "%y"), ("MM", "%m"), ("DD", "%d"), ("HH", "%I"), ("MI", "%M"), ("SS", "%S"), ("AM", "%p"),
    ("PM", "%p"), ("MON", "%b"), ("DAY", "%A"), ("DY", "%a"),
)  # fmt: skip

REFUSED = {
    exp.With: "WITH clauses are not supported",
    exp.Limit: "LIMIT is not supported",
    exp.DateStrToDate: "Date literals are not supported, use TO_DATE",
    exp.Qualify: "QUALIFY is not supported",
    exp.Into: "INTO is not supported",
    exp.Bracket: "Square brackets are not supported",
}


def strftime_format(oracle: str) -> str:
    """An Oracle date format as strftime writes it; `SuiteQLError` on an element that we do not know."""
    out, rest = "", oracle
    while rest:
        for element, code in DATE_ELEMENTS:
            if rest.upper().startswith(element):
                out, rest = out + code, rest[len(element) :]
                break
        else:
            if rest[0].isalnum():
                raise SuiteQLError(f"Invalid or unsupported search. Date format not recognized: '{oracle}'.")
            out, rest = out + rest[0].replace("%", "%%"), rest[1:]
    return out


def strptime_formats(code: str) -> list[str]:
    """The formats that text may have for TO_DATE: Oracle lets trailing elements be missing."""
    ends = (" %H:%M:%S", " %I:%M:%S", " %H:%M")
    return [code, *(code.removesuffix(end) for end in ends if code.endswith(end))]


def refuse_constructs(tree: exp.Expr) -> None:
    """Refuse what SuiteQL documents as impossible."""
    for node in tree.walk():
        for kind, text in REFUSED.items():
            if isinstance(node, kind):
                raise SuiteQLError(f"Invalid or unsupported search. {text}.")
        if isinstance(node, exp.In) and len(node.expressions) > 1000:
            raise SuiteQLError(
                "Invalid or unsupported search. The maximum number of arguments of IN is 1000."
            )
        if isinstance(node, exp.Column) and node.args.get("join_mark"):
            raise SuiteQLError("Invalid or unsupported search. Use ANSI joins instead of (+).")
        if not isinstance(node, (*STRUCTURE, *PLAIN_FUNCTIONS, exp.Anonymous)):
            raise SuiteQLError(f"Invalid or unsupported search. Unknown function '{node.key.upper()}'.")
        if isinstance(node, exp.Anonymous) and node.name.upper() not in ("DF", "CF", "TRUNC"):
            raise SuiteQLError(f"Invalid or unsupported search. Unknown function '{node.name}'.")


def string_list(values: list[str]) -> exp.Expr:
    """A DuckDB list of text literals."""
    return exp.Array(expressions=[exp.Literal.string(v) for v in values])


def call(name: str, *arguments: exp.Expr) -> exp.Anonymous:
    """A DuckDB function that sqlglot must pass through as it is."""
    return exp.Anonymous(this=name, expressions=list(arguments))

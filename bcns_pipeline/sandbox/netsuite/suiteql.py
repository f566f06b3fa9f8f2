"""SuiteQL to DuckDB: parse, resolve every name, refuse what NetSuite refuses, translate.

Put everything about a query's text here. Do not put running it here (query.py). The text decides
everything, so a translation is kept for as long as the process lives; parameters and the clock are bound at
each run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.tokens import TokenType  # type: ignore[attr-defined]

from bcns_pipeline.sandbox.netsuite import dialect
from bcns_pipeline.sandbox.netsuite.errors import SuiteQLError
from bcns_pipeline.sandbox.netsuite.expressions import NOW, TODAY, Expressions, parts
from bcns_pipeline.sandbox.netsuite.schema import Kind, Table


@dataclass(slots=True)
class Source:
    """One name in a FROM clause and the columns behind it."""

    label: str
    columns: Mapping[str, Kind]
    node: exp.Expr
    table: Table | None = None
    outer: bool = False


@dataclass(frozen=True, slots=True)
class Output:
    """One column of the result.

    Its lower-case name, its DuckDB expression, and its kind as far as it is known.
    """

    name: str
    expression: exp.Expr
    kind: Kind | None


@dataclass(frozen=True, slots=True)
class Translation:
    """A query that may run, in DuckDB's words; parameters are named p0, p1, ... in the order of the text.

    `kinds` says per parameter what it is compared with. `lead` is the first ORDER BY column where that is a
    plain ascending integer column of a stored table and rows are neither grouped nor cut, else None.
    """

    tree: exp.Expr
    outputs: tuple[Output, ...]
    kinds: tuple[Kind | None, ...]
    lead: exp.Column | None
    uses_clock: bool


@dataclass(slots=True)
class Translator(Expressions):
    """One translation under way."""

    def run(self, text: str) -> Translation:
        """Translate; `SuiteQLError` carries NetSuite's refusal."""
        tree, count = parse(text)
        dialect.refuse_constructs(tree)
        outputs = self._query(tree, [])
        kinds = tuple(self.kinds.get(f"p{k}") for k in range(count))
        return Translation(tree, tuple(outputs), kinds, lead_column(tree, outputs), self.uses_clock)

    # -- names -----------------------------------------------------------------------------------------------

    def _query(self, query: exp.Expr, outer: list[list[Source]]) -> list[Output]:
        """Resolve and translate one query in place; returns its outputs."""
        if isinstance(query, exp.SetOperation):
            left = self._query(query.left, outer)
            right = self._query(query.right, outer)
            if len(left) != len(right):
                raise SuiteQLError(
                    "Invalid or unsupported search. Set operators need the same number of columns."
                )
            return left
        if isinstance(query, exp.Subquery):
            return self._query(query.this, outer)
        if not isinstance(query, exp.Select):
            raise SuiteQLError("Invalid or unsupported search. Only SELECT is supported.")
        sources = self._sources(query, outer)
        scope = [*outer, sources]
        self._expand_stars(query, sources)
        self._inline_aliases(query)
        for join in query.args.get("joins") or []:
            if join.args.get("using"):
                raise SuiteQLError("Invalid or unsupported search. USING is not supported.")
            if join.args.get("on") is not None:
                self._expression(join.args["on"], scope)
        kinds = [self._expression(item, scope) for item in list(query.expressions)]
        for key in ("where", "group", "having", "order"):
            part = query.args.get(key)
            if part is not None:
                self._expression(part, scope)
        self._rownum(query)
        return name_outputs(query, kinds)

    def _sources(self, query: exp.Select, outer: list[list[Source]]) -> list[Source]:
        """The FROM clause, with the tables swapped for what holds them in DuckDB."""
        start = query.args.get("from_")
        if start is None:
            raise SuiteQLError("Invalid or unsupported search. FROM is missing.")
        found: list[Source] = []
        nodes = [(start.this, "")] + [(j.this, str(j.side).upper()) for j in query.args.get("joins") or []]
        for node, side in nodes:
            label = (node.alias_or_name or "").lower()
            if any(s.label == label for s in found):
                raise SuiteQLError(f"Invalid or unsupported search. The name '{label}' is used twice.")
            if side == "FULL":
                raise SuiteQLError("Invalid or unsupported search. Full outer joins are not supported.")
            if isinstance(node, exp.Subquery):
                outputs = self._query(node.this, outer)
                node.set("alias", exp.TableAlias(this=exp.to_identifier(label, quoted=True)))
                columns = {o.name: o.kind or Kind.TEXT for o in outputs}
                found.append(Source(label, columns, node, None, side == "LEFT"))
            elif isinstance(node, exp.Table):
                table = self._table(node)
                found.append(Source(label, table.columns, node, table, side == "LEFT"))
            else:
                raise SuiteQLError("Invalid or unsupported search.")
            if side == "RIGHT":
                for source in found[:-1]:
                    source.outer = True
        for source in found:
            if source.table is not None:
                self._place(query, source)
        return found

    def _table(self, node: exp.Table) -> Table:
        name = node.name.lower()
        if node.args.get("db") is not None or name not in self.tables:
            raise SuiteQLError(f"Search error occurred: Invalid search type: {node.name}.")
        if name in self.hidden:
            raise SuiteQLError(f"Search error occurred: Record '{name}' was not found.")
        return self.tables[name]

    def _place(self, query: exp.Select, source: Source) -> None:
        """Point a table at its relation; the costly one only where its columns are asked for."""
        table = source.table
        assert table is not None
        relation = table.relation
        if table.wide and any(
            c.name.lower() in table.wide_columns and c.table.lower() in ("", source.label)
            for c in query.find_all(exp.Column)
        ):
            relation = table.wide
        schema, name = relation.split(".")
        source.node.set("this", exp.to_identifier(name, quoted=True))
        source.node.set("db", exp.to_identifier(schema, quoted=True))
        source.node.set("alias", exp.TableAlias(this=exp.to_identifier(source.label, quoted=True)))

    def _expand_stars(self, query: exp.Select, sources: list[Source]) -> None:
        expanded: list[exp.Expr] = []
        for item in query.expressions:
            of = (
                item.table.lower()
                if isinstance(item, exp.Column) and isinstance(item.this, exp.Star)
                else None
            )
            if not isinstance(item, exp.Star) and of is None:
                expanded.append(item)
                continue
            chosen = [s for s in sources if of is None or s.label == of]
            if not chosen:
                raise SuiteQLError(f"Search error occurred: Unknown identifier '{of}'. {available(sources)}")
            for source in chosen:
                expanded.extend(exp.column(name, table=source.label) for name in source.columns)
        query.set("expressions", expanded)

    def _inline_aliases(self, query: exp.Select) -> None:
        """ORDER BY may name an output.

        What it stands for is put there, since outputs get names of our own.
        """
        order = query.args.get("order")
        if order is None:
            return
        named = {i.alias.lower(): i.this for i in query.expressions if isinstance(i, exp.Alias)}
        for ordered in order.expressions:
            target = ordered.this
            if isinstance(target, exp.Literal) and not target.is_string:
                place = int(target.this)
                if not 1 <= place <= len(query.expressions):
                    raise SuiteQLError(
                        "Invalid or unsupported search. ORDER BY position is not in the select list."
                    )
                target.replace(query.expressions[place - 1].unalias().copy())
            elif isinstance(target, exp.Column) and not target.table and target.name.lower() in named:
                target.replace(named[target.name.lower()].copy())

    def _column(self, node: exp.Column, scope: list[list[Source]]) -> Kind:
        """Find a column from the inside out; NetSuite lists what it would have accepted."""
        name, label = node.name.lower(), node.table.lower()
        for sources in reversed(scope):
            fitting = [s for s in sources if (not label or s.label == label) and name in s.columns]
            if len(fitting) > 1:
                raise SuiteQLError(f"Search error occurred: Ambiguous identifier '{node.name}'.")
            if fitting:
                node.set("this", exp.to_identifier(name, quoted=True))
                node.set("table", exp.to_identifier(fitting[0].label, quoted=True))
                table = fitting[0].table
                node.meta["kind"] = fitting[0].columns[name] if table else None
                node.meta["source"] = table.name if table else None
                return fitting[0].columns[name]
        shown = f"{label}.{name}" if label else name
        raise SuiteQLError(f"Search error occurred: Unknown identifier '{shown}'. {available(scope[-1])}")

    # -- expressions -----------------------------------------------------------------------------------------

    def _expression(self, node: exp.Expr, scope: list[list[Source]]) -> Kind | None:
        """Translate one expression in place and say of what kind it is."""
        if isinstance(node, exp.Query):
            return self._query(node, scope)[0].kind
        if isinstance(node, exp.Column):
            if node.name.upper() == "ROWNUM" and not node.table:
                return Kind.INT
            return self._column(node, scope)
        if isinstance(node, exp.Dot):
            function = node.expression
            known = isinstance(node.this, exp.Identifier) and node.this.name.upper() == "BUILTIN"
            if not known or not isinstance(function, exp.Anonymous) or len(function.expressions) != 1:
                raise SuiteQLError("Invalid or unsupported search.")
            self._expression(function.expressions[0], scope)
            return self.builtin(node, function)
        if isinstance(node, exp.Literal):
            return Kind.TEXT if node.is_string else Kind.NUM
        if isinstance(node, exp.Placeholder):
            return None
        if isinstance(node, (exp.CurrentTimestamp, exp.CurrentDate)):
            self.uses_clock = True
            name = NOW if isinstance(node, exp.CurrentTimestamp) else TODAY
            node.replace(exp.cast(exp.Placeholder(this=name), "timestamp"))
            return Kind.TIME
        kinds = [self._expression(child, scope) for child in parts(node)]
        return self.combine(node, parts(node), kinds)

    def _rownum(self, query: exp.Select) -> None:
        """ROWNUM cuts before ORDER BY; `ROWNUM <= n` alone is understood."""
        used = [c for c in query.find_all(exp.Column) if c.name.upper() == "ROWNUM" and not c.table]
        if not used:
            return
        where = query.args.get("where")
        rest = []
        limit: int | None = None
        for part in (
            where.this.flatten()
            if where and isinstance(where.this, exp.And)
            else [where.this]
            if where
            else []
        ):
            if (
                isinstance(part, (exp.LT, exp.LTE))
                and part.this in used
                and isinstance(part.expression, exp.Literal)
            ):
                limit = int(part.expression.this) - (1 if isinstance(part, exp.LT) else 0)
            else:
                rest.append(part)
        if limit is None or len(used) > 1 or query.args.get("order") or query.args.get("group"):
            raise SuiteQLError(
                "Invalid or unsupported search. ROWNUM is understood as ROWNUM <= n without ORDER BY."
            )
        query.set("where", exp.Where(this=exp.and_(*rest)) if rest else None)
        query.set("limit", exp.Limit(expression=exp.Literal.number(limit)))


def name_outputs(query: exp.Select, kinds: list[Kind | None]) -> list[Output]:
    """Names as NetSuite gives them: the alias or column in lower case, else expr1, expr2, ..."""
    outputs: list[Output] = []
    for place, item in enumerate(list(query.expressions)):
        bare = item.unalias()
        name = (
            item.alias or (item.name if isinstance(item, exp.Column) else "") or f"expr{place + 1}"
        ).lower()
        outputs.append(Output(name, bare, kinds[place]))
    query.set("expressions", [exp.alias_(o.expression, o.name, quoted=True, copy=False) for o in outputs])
    return outputs


def lead_column(tree: exp.Expr, outputs: list[Output]) -> exp.Column | None:
    """The leading sort column where pages may be cut along it (see query.py)."""
    if not isinstance(tree, exp.Select) or any(
        tree.args.get(k) for k in ("group", "having", "distinct", "limit", "offset")
    ):
        return None
    if any(o.expression.find(exp.AggFunc, exp.Window) for o in outputs):
        return None
    order = tree.args.get("order")
    first = order.expressions[0] if order else None
    if first is None or first.args.get("desc") or not isinstance(first.this, exp.Column):
        return None
    return first.this if first.this.meta.get("kind") is Kind.INT else None


def parse(text: str) -> tuple[exp.Expr, int]:
    """One SELECT and the number of its parameters, which are renamed to :p0, :p1, ...

    In the order of the text.
    """
    if "[" in text or "]" in text:
        raise SuiteQLError("Invalid or unsupported search. Square brackets are not supported.")
    try:
        oracle = sqlglot.Dialect.get_or_raise("oracle")
        tokens = oracle.tokenize(text)
        places = [t.start for t in tokens if t.token_type is TokenType.PLACEHOLDER]
        if any(t.token_type is TokenType.COLON for t in tokens):
            raise SuiteQLError("Invalid or unsupported search. Parameters are written as '?'.")
        pieces, last = [], 0
        for number, place in enumerate(places):
            pieces += [text[last:place], f":p{number}"]
            last = place + 1
        trees = [t for t in sqlglot.parse("".join([*pieces, text[last:]]), dialect=oracle) if t is not None]
    except SqlglotError as fault:
        first = str(fault).splitlines()[0]
        raise SuiteQLError(f"Search error occurred: Invalid or unsupported search. {first}") from fault
    if len(trees) != 1 or not isinstance(trees[0], exp.Query):
        raise SuiteQLError("Invalid or unsupported search.")
    return trees[0], len(places)


def available(sources: list[Source]) -> str:
    """How NetSuite ends its complaint about an unknown identifier."""
    shown = ", ".join(f"{s.label}={s.table.name if s.table else s.label}" for s in sources)
    return f"Available identifiers are: {{{shown}}}."

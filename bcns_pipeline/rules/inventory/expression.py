"""The merchant's own formula for what can be sold: + - min max, numbers and the six stock terms.

Put parsing and evaluating of the formula here. Do not put a default rule or a buffer here (`policy.py`). It
is a parser of our own, not Python's `eval`: a mapping file must not be able to run code, and numbers stay
exact.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import numpy as np

from bcns_pipeline.rules.inventory.quantities import (
    EXACT,
    QUANTITY_DIGITS,
    QUANTITY_LIMIT,
    TERMS,
    Scaled,
    Term,
)

_TOKEN = re.compile(r"\s*(?:([0-9]+(?:\.[0-9]+)?|\.[0-9]+)|([A-Za-z_][A-Za-z0-9_]*)|([-+(),])|(\S))")
_FUNCTIONS: Final = ("min", "max")
_MAX_LENGTH: Final = 500
_MAX_DEPTH: Final = 20


@dataclass(frozen=True, slots=True)
class _Number:
    scaled: int


@dataclass(frozen=True, slots=True)
class _Name:
    term: Term


@dataclass(frozen=True, slots=True)
class _Sum:
    """Parts with their sign, +1 or -1."""

    parts: tuple[tuple[int, _Node], ...]


@dataclass(frozen=True, slots=True)
class _Choice:
    """The least or the greatest of its parts."""

    function: str
    parts: tuple[_Node, ...]


_Node = _Number | _Name | _Sum | _Choice


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed formula. `added` and `subtracted` are the terms that raise and lower it; no term does both.

    `occurrences` counts terms and numbers: the value is at most so many times the greatest of them.
    """

    text: str
    added: frozenset[Term]
    subtracted: frozenset[Term]
    occurrences: int
    _root: _Node

    @property
    def terms(self) -> frozenset[Term]:
        """Every term that the formula reads."""
        return self.added | self.subtracted

    def evaluate(self, terms: Mapping[str, Scaled]) -> Scaled:
        """The formula over scaled columns of equal length; the result is scaled and not rounded."""
        return _evaluate(self._root, terms)


def parse_expression(text: str) -> Expression:
    """Parse `text`; ValueError says in one sentence what is wrong with it and where."""
    if len(text) > _MAX_LENGTH:
        raise ValueError(f"the expression is longer than {_MAX_LENGTH} characters; shorten it")
    parser = _Parser(text)
    root = parser.whole()
    added: set[Term] = set()
    subtracted: set[Term] = set()
    _signs(root, 1, added, subtracted)
    if not added and not subtracted:
        raise ValueError(f"the expression names no stock term; use some of {', '.join(TERMS)}")
    both = sorted(added & subtracted)
    if both:
        # Rounding of fractions goes down for what is added and up for what is subtracted, never up in the
        # result.
        raise ValueError(
            f"the expression both adds and subtracts {' and '.join(both)}; write it so that each does one"
        )
    if not added:
        raise ValueError("the expression only subtracts, so nothing could ever be sold; add a stock term")
    return Expression(text.strip(), frozenset(added), frozenset(subtracted), parser.occurrences, root)


class _Parser:
    """Recursive descent over `sum := ['-'|'+'] item (('+'|'-') item)*`."""

    def __init__(self, text: str) -> None:
        self._tokens = self._split(text)
        self._next = 0
        self._depth = 0
        self.occurrences = 0

    @staticmethod
    def _split(text: str) -> Sequence[tuple[str, str, int]]:
        tokens: list[tuple[str, str, int]] = []
        for match in _TOKEN.finditer(text):
            kind = ("number", "name", "sign", "stray")[(match.lastindex or 4) - 1]
            tokens.append((kind, match.group(match.lastindex or 4), match.start(match.lastindex or 4) + 1))
        for kind, token, place in tokens:
            if kind == "stray":
                raise ValueError(
                    f"{token!r} at character {place} of the expression is not understood; "
                    "use + - min max, numbers, parentheses and stock terms"
                )
        return tokens

    def whole(self) -> _Node:
        if not self._tokens:
            raise ValueError("the expression is empty; write one, e.g. available - 2")
        root = self._sum()
        if self._next < len(self._tokens):
            _, token, place = self._tokens[self._next]
            raise ValueError(
                f"{token!r} at character {place} of the expression does not belong there; remove it"
            )
        return root

    def _sum(self) -> _Node:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise ValueError(f"the expression is nested deeper than {_MAX_DEPTH} levels; simplify it")
        parts: list[tuple[int, _Node]] = []
        sign = self._leading_signs()
        parts.append((sign, self._item()))
        while self._at("+") or self._at("-"):
            parts.append((self._leading_signs(), self._item()))
        self._depth -= 1
        return parts[0][1] if len(parts) == 1 and parts[0][0] == 1 else _Sum(tuple(parts))

    def _leading_signs(self) -> int:
        sign = 1
        while self._at("+") or self._at("-"):
            sign = -sign if self._take()[1] == "-" else sign
        return sign

    def _item(self) -> _Node:
        if self._next >= len(self._tokens):
            raise ValueError("the expression ends too early; a number or a stock term must follow")
        kind, token, place = self._take()
        if kind == "number":
            self.occurrences += 1
            return _Number(_scaled(token))
        if kind == "name":
            return self._name(token, place)
        if token == "(":  # noqa: S105 - a token of the formula
            inner = self._sum()
            self._close()
            return inner
        raise ValueError(
            f"{token!r} at character {place} of the expression stands where a number or term must be"
        )

    def _name(self, token: str, place: int) -> _Node:
        name = token.lower()
        if name in _FUNCTIONS:
            if not self._at("("):
                raise ValueError(f"{name} at character {place} of the expression must be followed by (...)")
            self._take()
            parts = [self._sum()]
            while self._at(","):
                self._take()
                parts.append(self._sum())
            self._close()
            return _Choice(name, tuple(parts))
        for term in TERMS:
            if name == term:
                self.occurrences += 1
                return _Name(term)
        raise ValueError(
            f"the expression names {token!r}, which is no stock term; use some of {', '.join(TERMS)}"
        )

    def _close(self) -> None:
        if not self._at(")"):
            raise ValueError("a ) is missing in the expression")
        self._take()

    def _at(self, token: str) -> bool:
        return self._next < len(self._tokens) and self._tokens[self._next][1] == token

    def _take(self) -> tuple[str, str, int]:
        self._next += 1
        return self._tokens[self._next - 1]


def _scaled(token: str) -> int:
    number = Decimal(token)
    if number > QUANTITY_LIMIT or number != round(number, QUANTITY_DIGITS):
        raise ValueError(f"the number {token[:20]} in the expression is too long or too large; shorten it")
    return int(number.scaleb(QUANTITY_DIGITS, context=EXACT))


def _signs(node: _Node, sign: int, added: set[Term], subtracted: set[Term]) -> None:
    match node:
        case _Name(term):
            (added if sign > 0 else subtracted).add(term)
        case _Sum(parts):
            for own, part in parts:
                _signs(part, sign * own, added, subtracted)
        case _Choice(_, parts):
            for part in parts:
                _signs(part, sign, added, subtracted)
        case _Number():
            pass


def _evaluate(node: _Node, terms: Mapping[str, Scaled]) -> Scaled:
    match node:
        case _Name(term):
            return terms[term]
        case _Number(scaled):
            return np.asarray(scaled, dtype=np.int64)
        case _Sum(parts):
            total = np.asarray(0, dtype=np.int64)
            for sign, part in parts:
                value = _evaluate(part, terms)
                total = total + value if sign > 0 else total - value
            return total
        case _Choice(function, parts):
            choose = np.minimum if function == "min" else np.maximum
            best = _evaluate(parts[0], terms)
            for part in parts[1:]:
                best = choose(best, _evaluate(part, terms))
            return best

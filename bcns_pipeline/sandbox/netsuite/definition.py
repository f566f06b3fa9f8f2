"""How a record type is described: its properties, their shapes, its sublists and their keys.

Put the vocabulary of definitions here. Do not put a record type here (customer.py, salesorder.py, ...) nor the
reading of requests (reading.py). A property that a definition lacks is unknown to the account.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

Shape = Literal[
    "text", "bool", "number", "integer", "date", "datetime", "reference", "enum", "address", "sublist"
]
Feature = Literal["", "oneworld", "suitetax", "legacy"]
ADDRESS = (
    "addressee",
    "attention",
    "addr1",
    "addr2",
    "addr3",
    "city",
    "state",
    "zip",
    "addrPhone",
    "addrText",
)


@dataclass(frozen=True, slots=True)
class Property:
    """One property.

    `column` is the SuiteQL column that shows it, `target` what a reference points at, `values` what an
    enumeration takes. A `read_only` property is known and shown, and what a request says of it is dropped.
    """

    shape: Shape
    column: str | None = None
    target: str = ""
    values: tuple[str, ...] = ()
    read_only: bool = False
    feature: Feature = ""
    custom: bool = False


@dataclass(frozen=True, slots=True)
class Fields:
    """The properties of a record or of a sublist's line, and the same names in lower case."""

    properties: Mapping[str, Property]
    lower: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, properties: Mapping[str, Property]) -> Fields:
        """With the index that lenient spelling needs."""
        return cls(properties, {name.lower(): name for name in properties})


@dataclass(frozen=True, slots=True)
class Sublist:
    """A sublist: the fields of a line and the keys by which a line of a request finds one of the record."""

    fields: Fields
    existing: tuple[str, ...]
    new: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Definition:
    """One record type. `group` is the namespace of its external ids."""

    name: str
    group: Literal["entity", "transaction"]
    fields: Fields
    sublists: Mapping[str, Sublist] = field(default_factory=dict)

    def for_account(
        self,
        features: frozenset[Feature],
        *,
        body: Sequence[str] = (),
        lines: Mapping[str, Sequence[str]] | None = None,
    ) -> Definition:
        """This definition with the features that the account has and its own fields, on body and lines."""

        def kept(fields: Fields, own: Sequence[str]) -> Fields:
            found = {n: p for n, p in fields.properties.items() if not p.feature or p.feature in features}
            found |= {name: Property("text", column=name, custom=True) for name in own}
            return Fields.of(found)

        own_lines = lines or {}
        fields = kept(self.fields, body)
        return replace(
            self,
            fields=fields,
            sublists={
                name: replace(sublist, fields=kept(sublist.fields, own_lines.get(name, ())))
                for name, sublist in self.sublists.items()
                if name in fields.properties
            },
        )


def text(column: str | None = None, *, read_only: bool = False, feature: Feature = "") -> Property:
    """A text property."""
    return Property("text", column, read_only=read_only, feature=feature)


def number(*, read_only: bool = False, feature: Feature = "") -> Property:
    """A number with decimals."""
    return Property("number", read_only=read_only, feature=feature)


def flag(column: str | None = None, *, read_only: bool = False, feature: Feature = "") -> Property:
    """A boolean."""
    return Property("bool", column, read_only=read_only, feature=feature)


def reference(
    target: str = "", column: str | None = None, *, read_only: bool = False, feature: Feature = ""
) -> Property:
    """A reference; without target its id is taken as it comes."""
    return Property("reference", column, target, read_only=read_only, feature=feature)


def enum(*values: str, read_only: bool = False) -> Property:
    """An enumeration; without values any is taken."""
    return Property("enum", values=values, read_only=read_only)


def date(*, read_only: bool = False) -> Property:
    """A day."""
    return Property("date", read_only=read_only)


def sublist(*, feature: Feature = "") -> Property:
    """A sublist; its line is described in the definition's `sublists`."""
    return Property("sublist", feature=feature)

"""Customers that are probably one person twice: a report for whoever merges them.

Put the grouping here. Do not merge anything here, and no names: a group is ids and a reason.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Literal

from bcns_pipeline.rules.customers.merges import Merges
from bcns_pipeline.rules.customers.model import NetSuiteCustomer, fold_email

Why = Literal["email", "name_and_phone"]


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Customers of one subsidiary that share `why`. `keep` is who should stand: the linked one, else the oldest."""

    why: Why
    keep: int
    others: tuple[int, ...]
    subsidiary: int | None = None


def duplicates(
    rows: Iterable[NetSuiteCustomer], merges: Merges, linked: Container[int] = ()
) -> list[Duplicates]:
    """Groups of active customers that are not merged yet, by the id to keep.

    The same e-mail address in the same subsidiary is one person; so is, less surely, the same name with the
    same phone number. Customers without either are nobody's duplicates. `linked`: ids that a shopper is
    linked to.
    """
    active = {row.id: row for row in rows if not row.inactive and merges.survivor(row.id) == row.id}
    found: list[Duplicates] = []
    spoken_for: set[frozenset[int]] = set()
    for why in ("email", "name_and_phone"):
        groups: dict[tuple[str, int | None], set[int]] = defaultdict(set)
        for row in active.values():
            shared = fold_email(row.email) if why == "email" else _name_and_phone(row)
            if shared:
                for subsidiary in row.subsidiaries or {None}:
                    groups[shared, subsidiary].add(row.id)
        for (_, subsidiary), ids in groups.items():
            members = frozenset(ids)
            if len(members) < 2 or members in spoken_for:
                continue
            spoken_for.add(members)
            keep = min(members, key=lambda number: (number not in linked, number))
            found.append(Duplicates(why, keep, tuple(sorted(members - {keep})), subsidiary))
    return sorted(found, key=lambda group: (group.keep, group.why, group.subsidiary or 0))


def _name_and_phone(row: NetSuiteCustomer) -> str:
    name = row.company if not row.is_person else f"{row.first_name} {row.last_name}"
    folded, digits = " ".join(name.casefold().split()), re.sub(r"\D", "", row.phone)
    # A phone number of few digits is an extension that a whole company shares.
    return f"{folded}|{digits}" if folded and len(digits) >= 7 else ""

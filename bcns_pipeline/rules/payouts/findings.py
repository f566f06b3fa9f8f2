"""What the rules find wrong with a payout, said so that a person can act on it.

Put the shape here. Do not put checks here (`invariants.py`, `modes.py`, ...) nor what each code means
(`rules/kinds/payouts.py`). A blocking finding stops its payout and no other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bcns_pipeline.rules.money import Money


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be.

    `code` is the exception's, `check` the invariant's name ("FI2"; "" where it is none). `members` are ids of lines,
    `amount` what it is about: a difference where there is one.
    """

    code: str
    message: str
    blocks: bool
    check: str = ""
    members: tuple[str, ...] = ()
    amount: Money | None = None


def blocking(findings: Iterable[Finding]) -> list[Finding]:
    """Those that stop the payout."""
    return [one for one in findings if one.blocks]


def named(ids: Iterable[str], most: int = 5) -> str:
    """A few ids for a sentence: "a, b and 3 more"."""
    found = sorted(ids)
    shown = ", ".join(found[:most])
    return f"{shown} and {len(found) - most} more" if len(found) > most else shown

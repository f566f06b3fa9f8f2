"""How an account of NetSuite is called in what people read.

Put the words here. Do not put reads here (defs/chart.py).
"""

from __future__ import annotations

from collections.abc import Mapping

# {internal id: number and name}
Names = Mapping[int, str]
NOBODY: Names = {}


def shown(number: str, name: str) -> str:
    """Number and name, the number once; "" where NetSuite has neither."""
    return name if name.startswith(number) else f"{number} {name}".strip()


def called(names: Names, account: int) -> str:
    """As people know it; an account that was never read has its internal id."""
    return names.get(account) or f"internal id {account}"

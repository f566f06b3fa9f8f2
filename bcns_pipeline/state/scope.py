"""What every part of the state needs to know: the engine, the store, and on whose behalf it writes.

Put here how a transaction is opened or joined and how advisory locks are named. Do not put queries here: each
table has its own module.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

# First key of our two-key advisory locks. The bigint lock space is left to the ids of workers.
_LOCK_SPACE = int.from_bytes(b"bcns", "big")


@dataclass(frozen=True, slots=True)
class Scope:
    """One store's state as seen by one run. `data_key` (32 bytes) is only needed where personal data is."""

    engine: sa.Engine
    store: str
    run_id: str = ""
    actor: str = "bcns"
    data_key: bytes | None = None

    @contextmanager
    def transaction(self, conn: sa.Connection | None = None) -> Iterator[sa.Connection]:
        """Join the caller's transaction, or open one that commits at the end of the block."""
        if conn is not None:
            yield conn
        else:
            with self.engine.begin() as fresh:
                yield fresh


def lock_pair(name: str) -> tuple[int, int]:
    """The two int4 keys of the advisory lock called `name`."""
    digest = hashlib.sha256(name.encode()).digest()
    return _LOCK_SPACE, int.from_bytes(digest[:4], "big", signed=True)


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces: equal values give equal text, which is what gets hashed.

    A Decimal becomes a JSON number, digit by digit (116.730 stays 116.730); `parse` reads it back. ValueError
    for one that is no number.
    """
    try:
        return _dumps(value)
    except TypeError:
        # Only values with Decimals need this way, which takes longer.
        return _written(value)


def parse(text: str | bytes) -> Any:
    """JSON in which numbers with a fraction are Decimals, exactly as they stand there."""
    return json.loads(text, parse_float=Decimal)


def _dumps(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _written(value: Any) -> str:
    if isinstance(value, str):
        # What `json.dumps` calls in the end: an order has hundreds of texts, and each detour costs 10 µs.
        return encode_basestring(value)
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError(f"{value} is no number")
        return format(value, "f")
    if isinstance(value, dict):
        pairs = [f"{_written(name)}:{_written(value[name])}" for name in sorted(value)]
        return f"{{{','.join(pairs)}}}"
    if isinstance(value, (list, tuple)):
        return f"[{','.join([_written(one) for one in value])}]"
    return _dumps(value)


def digest(value: Any) -> str:
    """sha256 (hex) of the canonical JSON of `value`."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def runs_of(numbers: npt.NDArray[np.int64]) -> list[list[int]]:
    """Numbers as [first, last] runs, both included: [0, 1, 2, 5] gives [[0, 2], [5, 5]]."""
    if not len(numbers):
        return []
    ordered = np.sort(numbers)
    cuts = np.flatnonzero(np.diff(ordered) != 1)
    starts = ordered[np.concatenate(([0], cuts + 1))]
    ends = ordered[np.concatenate((cuts, [len(ordered) - 1]))]
    return [[int(start), int(end)] for start, end in zip(starts, ends, strict=True)]

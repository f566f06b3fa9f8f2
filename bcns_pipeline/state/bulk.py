"""Many rows at once between numpy or pandas and PostgreSQL, by COPY.

Put here how rows become COPY text and how binary COPY becomes columns. Do not put table names here. A driver
that fetches 200,000 rows one by one takes seconds; these take tenths.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import sqlalchemy as sa

# Signature, flags and extension length in front of every binary COPY; two bytes of -1 at its end.
_HEADER_BYTES = 19
_TRAILER_BYTES = 2
# Small enough that the server takes one piece in while the next one is being made: with ten times as much, the
# two wait for each other and a COPY of 200,000 rows takes 3.1 s instead of 2.3 s.
_CHUNK_ROWS = 1024
_CHUNK_BYTES = 65_536


def driver_cursor(conn: sa.Connection) -> AbstractContextManager[Any]:
    """psycopg2's own cursor in the transaction of `conn`: the only way to COPY."""
    cursor: Any = conn.connection.cursor()
    return closing(cursor)


def quoted(conn: sa.Connection, text: str) -> str:
    """`text` as an SQL literal, for COPY, which takes no bound values."""
    with driver_cursor(conn) as cursor:
        literal: bytes = cursor.mogrify("%s", (text,))
    return literal.decode()


def copy_out(
    conn: sa.Connection, query: str, columns: Sequence[tuple[str, str]]
) -> dict[str, npt.NDArray[Any]]:
    """Run `query` (no placeholders, nothing from outside in it) and return its columns as numpy arrays.

    `columns` are names with numpy types of the wire's width: ">i8" for bigint, ">i4" for int, "S19" for text
    that is always 19 bytes. No value may be NULL, for then rows would differ in length: ValueError.
    """
    buffer = io.BytesIO()
    with driver_cursor(conn) as cursor:
        cursor.copy_expert(f"copy ({query}) to stdout (format binary)", buffer)
    row: list[tuple[str, str]] = [("_fields", ">i2")]
    for name, kind in columns:
        row += [(f"_{name}_length", ">i4"), (name, kind)]
    wire = np.dtype(row)
    content = memoryview(buffer.getbuffer())[_HEADER_BYTES:-_TRAILER_BYTES]
    if len(content) % wire.itemsize:
        raise ValueError(f"the rows of this query are not all {wire.itemsize} bytes long: {query}")
    table = np.frombuffer(content, dtype=wire)
    for name, kind in columns:
        if len(table) and not (table[f"_{name}_length"] == np.dtype(kind).itemsize).all():
            raise ValueError(f"column {name} is not always {np.dtype(kind).itemsize} bytes wide: {query}")
    return {name: table[name].astype(np.dtype(kind).newbyteorder("=")) for name, kind in columns}


def texts(fixed: npt.NDArray[Any]) -> npt.NDArray[np.object_]:
    """ASCII bytes of fixed width as Python strings, blanks as None."""
    distinct, where = np.unique(fixed, return_inverse=True)
    decoded = np.array([value.decode().strip() or None for value in distinct.tolist()] + [None], dtype=object)
    result: npt.NDArray[np.object_] = decoded[where]
    return result


def array_text(values: Iterable[Any]) -> str:
    """A PostgreSQL array literal of numbers, booleans or plain words, with None as NULL.

    The driver adapts list elements one by one, which costs more than the statement they are for.
    """
    return "{" + ",".join("NULL" if value is None else str(value) for value in values) + "}"


class CopyIn:
    """A readable file of COPY text, made while the server reads it; `hexdigest` is over all of it.

    `constants` go in front of every row. `blocks` are columns of some rows each, as `copy_texts` and its like make
    them; a generator makes them only when their turn has come, while the server works on the ones before.
    """

    def __init__(self, constants: Sequence[Any], blocks: Iterable[Sequence[Sequence[Any]]]) -> None:
        self._prefix = "".join(f"{_field(value)}\t" for value in constants)
        self._blocks = blocks
        self._hash = hashlib.sha256()
        self._chunks = self._make()
        self._rest = b""

    @property
    def hexdigest(self) -> str:
        """sha256 of the rows read so far, without the constants: equal content gives an equal digest."""
        return self._hash.hexdigest()

    def read(self, size: int = -1) -> bytes:
        """The next bytes, as the driver asks for them."""
        while size < 0 or len(self._rest) < size:
            chunk = next(self._chunks, None)
            if chunk is None:
                break
            self._rest += chunk
        if size < 0:
            size = len(self._rest)
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken

    def _make(self) -> Iterator[bytes]:
        joint = f"\n{self._prefix}"
        for columns in self._blocks:
            pattern = "\t".join(["%s"] * len(columns))
            for start in range(0, len(columns[0]), _CHUNK_ROWS):
                parts = [column[start : start + _CHUNK_ROWS] for column in columns]
                rows = [pattern % row for row in zip(*parts, strict=True)]
                self._hash.update("\n".join(rows).encode())
                self._hash.update(b"\n")
                yield f"{self._prefix}{joint.join(rows)}\n".encode()


def copy_in(
    conn: sa.Connection,
    table: str,
    names: Sequence[str],
    constants: Sequence[Any],
    blocks: Iterable[Sequence[Sequence[Any]]],
) -> str:
    """COPY rows into `table` (constants first, in the order of `names`) and return the rows' digest."""
    source = CopyIn(constants, blocks)
    with driver_cursor(conn) as cursor:
        cursor.copy_expert(f"copy {table} ({', '.join(names)}) from stdin", source, _CHUNK_BYTES)
    return source.hexdigest


def copy_texts(values: Iterable[Any]) -> list[str]:
    r"""Escaped COPY fields of texts: None and NaN become \N. Repeated values are escaped once."""
    known: dict[Any, str] = {}
    fields: list[str] = []
    for value in values:
        field = known.get(value)
        if field is None:
            field = known[value] = _field(None if value is None or value != value else value)
        fields.append(field)
    return fields


def copy_integers(values: Any, *, null: int | None = None) -> list[Any]:
    r"""COPY fields of whole numbers: missing ones, and those equal to `null`, become \N."""
    series = pd.Series(values)
    if _whole(series):
        plain: list[Any] = series.tolist()
        if null is not None and (series == null).any():
            return ["\\N" if value == null else value for value in plain]
        return plain
    return ["\\N" if pd.isna(value) or value == null else int(value) for value in series.tolist()]


def copy_scaled(values: Any, scale: int) -> list[Any]:
    r"""COPY fields of decimals that come as whole numbers of `1/scale`; missing ones become \N."""
    series = pd.Series(values)
    if series.isna().all():
        return ["\\N"] * len(series)
    if series.dtype.kind not in "iu":
        return ["\\N" if pd.isna(value) else _decimal(int(value), scale) for value in series.tolist()]
    # Also pandas' nullable integers: one by one they would take ten times as long.
    numbers = series.fillna(0).to_numpy(np.int64)
    whole, part = np.divmod(numbers, scale)
    plain: list[Any] = whole.tolist()
    for index in np.flatnonzero(part):
        plain[index] = _decimal(int(numbers[index]), scale)
    for index in np.flatnonzero(series.isna().to_numpy()):
        plain[index] = "\\N"
    return plain


def _whole(series: pd.Series) -> bool:
    """Numpy's own integers, where none can be missing; pandas's nullable ones are of kind "i" as well."""
    return isinstance(series.dtype, np.dtype) and series.dtype.kind in "iu"


def _decimal(value: int, scale: int) -> str:
    digits = len(str(scale)) - 1
    whole, part = divmod(abs(value), scale)
    return f"{'-' if value < 0 else ''}{whole}.{part:0{digits}d}"


def _field(value: Any) -> str:
    if value is None:
        return "\\N"
    text = str(value)
    if "\\" in text or "\t" in text or "\n" in text or "\r" in text:
        return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
    return text

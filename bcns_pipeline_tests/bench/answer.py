"""How long `bcns explain` takes, in a process that has everything imported: `... bench.answer order 1001`.

Prints the seconds of the second asking on the last line; what it answers is thrown away. An interpreter's start and
imports come on top at a terminal, and are the same for every command.
"""

from __future__ import annotations

import contextlib
import io
import sys
import time

from bcns_pipeline.cli.explain import explain_stock
from bcns_pipeline.cli.explain_order import explain_order


def main(kind: str, what: str) -> int:
    """Ask twice about a `sku` or an `order`; 0 where both were answered."""
    seconds, failed = 0.0, 0
    for _ in range(2):
        with contextlib.redirect_stdout(io.StringIO()):
            began = time.monotonic()
            failed += explain_order(int(what)) if kind == "order" else explain_stock(what, None)
            seconds = time.monotonic() - began
    print(seconds)
    return failed


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:3]))

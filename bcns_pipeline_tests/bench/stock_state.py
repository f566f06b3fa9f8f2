"""How fast the state takes a full sync of stock: 100,000 SKUs at 2 locations, every line changed.

Run `python -m bcns_pipeline_tests.bench.stock_state [lines]`. Put timings of the state alone here; whole runs
with the sandbox are timed elsewhere. Prints one line per work: median, greatest, and the target.
"""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from bcns_pipeline.rules.inventory.quantities import QUANTITY_SCALE, TERMS
from bcns_pipeline.state.embedded import EmbeddedServer
from bcns_pipeline.state.engine import create_engine
from bcns_pipeline.state.migrate import upgrade
from bcns_pipeline.state.store import State

TARGET_MS = {"known": 300, "write_plan": 1_200, "claim": 40, "settle": 50}


def changed(lines: int, new: np.ndarray, first_seq: int) -> pd.DataFrame:
    """`lines` changed lines, two locations an item, 1,000 lines a page."""
    item = np.repeat(np.arange(1, lines // 2 + 1), 2)
    frame = pd.DataFrame(
        {
            "item_id": item,
            "sku": [f"SKU-{number:06d}" for number in item],
            "product_id": item + 10,
            "variant_id": item + 20,
            "tracking": "variant",
            "location_id": np.tile([1, 2], lines // 2),
            "rule": "available",
            "netsuite_changed_at": "2026-11-21 07:59:00",
            "old": new,
            "new": new,
            "reason": "changed",
            "read_seq": first_seq + np.arange(lines) // 1_000,
        }
    )
    return frame.assign(**dict.fromkeys(TERMS, new * QUANTITY_SCALE))


def main() -> None:
    lines = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    times: dict[str, list[float]] = defaultdict(list)

    @contextmanager
    def timed(work: str) -> Iterator[None]:
        begun = time.perf_counter()
        yield
        times[work].append((time.perf_counter() - begun) * 1_000)

    with TemporaryDirectory() as folder, EmbeddedServer(Path(folder)).acquire() as lease:
        engine = create_engine(lease.url)
        upgrade(engine)
        state = State(engine, "bench", run_id="bench")
        draw = np.random.default_rng(1)
        for _ in range(2):
            frame = changed(
                lines, draw.integers(0, 100, lines), state.inventory.draw_read_seq(lines // 1_000 + 1)
            )
            with timed("write_plan"):
                plan = state.inventory.write_plan(
                    frame, flow="inventory", mode="apply", as_of=datetime.now(UTC), config_digest=""
                )
            with timed("note_read"):
                state.inventory.note_read(frame)
            with timed("stage_batches"):
                state.inventory.stage_batches(plan)
            with state.worker() as worker:
                while True:
                    with timed("claim"):
                        batch = state.inventory.claim(worker, "inventory")
                    if batch is None:
                        break
                    with timed("assert_alive"):
                        worker.assert_alive()
                    with timed("record_answer"):
                        op = state.outbox.record_answer(batch.operation, {"transaction_id": "t"})
                    sent = batch.lines
                    with timed("settle"):
                        state.inventory.settle(
                            op, sent["line"], sent["new"].tolist(), ["confirmed"] * len(sent)
                        )
            for _ in range(5):
                with timed("known"):
                    state.inventory.known()
        with timed("verify_audit"):
            state.verify_audit()
        engine.dispose()
    print(f"{lines:,} lines, two rounds, batches of 2,000")
    for work, taken in times.items():
        median = sorted(taken)[(len(taken) - 1) // 2]
        target = TARGET_MS.get(work)
        verdict = (
            "" if target is None else f"  target {target:,} ms: {'reached' if median < target else 'missed'}"
        )
        print(f"{work:15} median {median:9.1f} ms  most {max(taken):9.1f} ms  n {len(taken):4}{verdict}")


if __name__ == "__main__":
    main()

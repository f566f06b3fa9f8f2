"""How Python itself is set while a run works: what it costs to switch threads, and when it looks for garbage.

Put settings of the interpreter here that hold for the length of a run. Nothing of a flow.
"""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

SWITCH_SECONDS = 0.0005
COLLECT_AFTER = 10_000


@contextmanager
def set_for_a_run() -> Iterator[None]:
    """Short turns for threads, and a collector that does not walk through all of Dagster again and again."""
    # A thread that got its answer waits for the interpreter up to this long, several times per call, while
    # another one computes. Python's 5 ms were measured at 15 % of the time of a full sync.
    interval = sys.getswitchinterval()
    # A page of stock is ten thousand objects without a cycle, each of them a step towards the next collection,
    # and a whole one walks through everything ever imported: 5 s of a full sync in pieces of 0.3 s in which
    # no thread sends. What is there before the run is left out of it, and the rest is looked at less often.
    thresholds = gc.get_threshold()
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()
        sys.setswitchinterval(interval)
